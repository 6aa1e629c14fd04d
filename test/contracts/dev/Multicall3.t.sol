// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Multicall3} from "../../../contracts/dev/Multicall3.sol";
import {Test} from "../support/Test.sol";

contract Target {
    error Target_Refused(uint256 value);

    function echo(uint256 value) external payable returns (uint256, uint256) {
        return (value, msg.value);
    }

    function refuse(uint256 value) external pure {
        revert Target_Refused(value);
    }
}

contract Multicall3Test is Test {
    Multicall3 internal multicall;
    Target internal target;
    bytes internal good;
    bytes internal bad;
    bytes internal refusal;

    function setUp() public {
        vm.roll(1_000);
        multicall = new Multicall3();
        target = new Target();
        good = abi.encodeCall(Target.echo, (7));
        bad = abi.encodeCall(Target.refuse, (7));
        refusal = abi.encodeWithSelector(Target.Target_Refused.selector, 7);
    }

    function calls(bytes memory second) internal view returns (Multicall3.Call[] memory list) {
        list = new Multicall3.Call[](2);
        list[0] = Multicall3.Call(address(target), good);
        list[1] = Multicall3.Call(address(target), second);
    }

    function test_AggregateReturnsAllResults() public {
        (uint256 number, bytes[] memory results) = multicall.aggregate(calls(good));
        assertEq(number, block.number, "block");
        assertEq(results[1], abi.encode(7, 0), "result");
    }

    function test_TryAggregateReportsFailures() public {
        Multicall3.Result[] memory results = multicall.tryAggregate(false, calls(bad));
        assertTrue(results[0].success, "first");
        assertFalse(results[1].success, "second");
        assertEq(results[1].returnData, refusal, "why");
    }

    function test_RevertIf_SuccessIsRequired() public {
        bytes memory err = abi.encodeWithSelector(Multicall3.Multicall3_CallFailed.selector, 1, refusal);
        vm.expectRevert(err);
        multicall.aggregate(calls(bad));
        vm.expectRevert(err);
        multicall.tryAggregate(true, calls(bad));
        vm.expectRevert(err);
        multicall.blockAndAggregate(calls(bad));
        vm.expectRevert(err);
        multicall.tryBlockAndAggregate(true, calls(bad));
    }

    function test_BlockFormsNameTheBlock() public {
        (uint256 number, , Multicall3.Result[] memory results) = multicall.blockAndAggregate(calls(good));
        assertEq(number, block.number, "block");
        (number, , results) = multicall.tryBlockAndAggregate(false, calls(bad));
        assertEq(number, block.number, "block");
        assertFalse(results[1].success, "reported");
    }

    function test_Aggregate3AllowsFailureCallByCall() public {
        Multicall3.Call3[] memory list = new Multicall3.Call3[](2);
        list[0] = Multicall3.Call3(address(target), true, bad);
        list[1] = Multicall3.Call3(address(target), false, good);
        Multicall3.Result[] memory results = multicall.aggregate3(list);
        assertFalse(results[0].success, "allowed");
        assertTrue(results[1].success, "done");
        list[0].allowFailure = false;
        vm.expectRevert(abi.encodeWithSelector(Multicall3.Multicall3_CallFailed.selector, 0, refusal));
        multicall.aggregate3(list);
    }

    function test_Aggregate3ValueSendsExactlyTheValue() public {
        Multicall3.Call3Value[] memory list = new Multicall3.Call3Value[](2);
        list[0] = Multicall3.Call3Value(address(target), false, 3, good);
        list[1] = Multicall3.Call3Value(address(target), false, 4, good);
        vm.deal(address(this), 100);
        Multicall3.Result[] memory results = multicall.aggregate3Value{value: 7}(list);
        assertEq(results[1].returnData, abi.encode(7, 4), "value");
        vm.expectRevert(abi.encodeWithSelector(Multicall3.Multicall3_ValueMismatch.selector, 8, 7));
        multicall.aggregate3Value{value: 8}(list);
    }

    function test_ReadsTheBlockAndTheChain() public view {
        assertEq(multicall.getBlockNumber(), block.number, "number");
        assertEq(multicall.getCurrentBlockTimestamp(), block.timestamp, "timestamp");
        assertEq(multicall.getCurrentBlockGasLimit(), block.gaslimit, "gas limit");
        assertEq(multicall.getCurrentBlockCoinbase(), block.coinbase, "coinbase");
        assertEq(multicall.getCurrentBlockDifficulty(), block.prevrandao, "randao");
        assertEq(multicall.getBasefee(), block.basefee, "base fee");
        assertEq(multicall.getChainId(), block.chainid, "chain");
        assertEq(multicall.getEthBalance(address(this)), address(this).balance, "balance");
        assertEq(multicall.getBlockHash(block.number - 1), blockhash(block.number - 1), "hash");
        assertEq(multicall.getLastBlockHash(), blockhash(block.number - 1), "last hash");
    }
}
