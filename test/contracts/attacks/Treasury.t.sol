// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ITreasury} from "../../../contracts/interfaces/treasury/ITreasury.sol";
import {Treasury} from "../../../contracts/treasury/Treasury.sol";
import {Blocklist} from "../support/tokens/Blocklist.sol";
import {FeeOnTransfer} from "../support/tokens/FeeOnTransfer.sol";
import {Hooked, ITransferHook} from "../support/tokens/Hooked.sol";
import {NoReturn} from "../support/tokens/NoReturn.sol";
import {Rebasing} from "../support/tokens/Rebasing.sol";
import {ReturnsFalse} from "../support/tokens/ReturnsFalse.sol";
import {TreasuryFixture} from "../support/TreasuryFixture.sol";

/// @notice A spender that is a contract and calls back whenever money reaches it.
contract Reentrant is ITransferHook {
    Treasury private immutable _treasury;
    bytes public again;
    bytes public answer;

    constructor(Treasury treasury) {
        _treasury = treasury;
    }

    receive() external payable {
        _callBack();
    }

    function arm(bytes calldata data) external {
        again = data;
    }

    function pay(address token, uint256 amount) external {
        _treasury.pay(token, address(this), amount, "first");
    }

    function onTokenTransfer(address, address, uint256) external {
        _callBack();
    }

    function _callBack() private {
        (bool ok, bytes memory got) = address(_treasury).call(again);
        answer = ok ? bytes("") : got;
    }
}

/// @notice A recipient that fails with a megabyte of data, or burns all gas it gets.
contract Bomb {
    bool public burnsGas;

    function setBurnsGas(bool burns) external {
        burnsGas = burns;
    }

    receive() external payable {
        _explode();
    }

    fallback() external payable {
        _explode();
    }

    function _explode() private view {
        if (burnsGas) {
            while (gasleft() > 0) {}
        }
        assembly ("memory-safe") {
            revert(0, 1000000)
        }
    }
}

/// @notice An ERC-1271 owner that answers with nonsense.
contract Liar {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes32) {
        return bytes32(uint256(1));
    }
}

contract TreasuryAttacksTest is TreasuryFixture {
    uint256 private constant CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    // ------------------------------------------------------------------ reentrancy

    function test_reentrancy_fromAHookedToken_isRefused() public {
        Hooked hooked = new Hooked();
        Reentrant thief = new Reentrant(treasury);
        hooked.mint(address(treasury), 100 * UNIT);
        _setBudget(address(thief), address(hooked), _terms());
        _expectRefusedReentry(thief, address(hooked), address(hooked));
        assertEq(hooked.balanceOf(address(thief)), 10 * UNIT, "paid once");
    }

    function test_reentrancy_fromANativeReceiver_isRefused() public {
        Reentrant thief = new Reentrant(treasury);
        _setBudget(address(thief), address(0), _terms());
        _expectRefusedReentry(thief, address(0), address(0));
        assertEq(address(thief).balance, 10 * UNIT, "paid once");
    }

    function test_reentrancy_intoExecute_isRefused() public {
        Reentrant thief = new Reentrant(treasury);
        _setBudget(address(thief), address(0), _terms());
        ITreasury.Call[] memory calls = _call(payee, 1 ether, "");
        bytes[] memory signatures = _signed(treasury.hashProposal(calls, 5, FOREVER), 2);
        thief.arm(abi.encodeCall(treasury.execute, (calls, 5, FOREVER, signatures)));
        thief.pay(address(0), 10 * UNIT);
        assertEq(thief.answer(), _reentered(), "refused");
        assertEq(payee.balance, 0, "nothing moved");
    }

    // ------------------------------------------------------------------ signatures

    function test_malleatedSignature_isRefused() public {
        ITreasury.Call[] memory calls = _transfer(payee, 5);
        bytes32 id = treasury.hashProposal(calls, 5, FOREVER);
        bytes[] memory signatures = _signed(id, 2);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keys[0], id);
        signatures[0] = abi.encodePacked(
            r,
            bytes32(CURVE_ORDER - uint256(s)),
            v == 27 ? uint8(28) : uint8(27)
        );
        vm.expectPartialRevert(ITreasury.Treasury_SignatureInvalid.selector);
        treasury.execute(calls, 5, FOREVER, signatures);
    }

    function test_oneSignerInTwoForms_countsOnce() public {
        ITreasury.Call[] memory calls = _transfer(payee, 5);
        bytes32 id = treasury.hashProposal(calls, 5, FOREVER);
        bytes[] memory signatures = _signed(id, 2);
        signatures[1] = _compact(keys[0], id);
        vm.expectRevert(
            abi.encodeWithSelector(ITreasury.Treasury_OwnersNotAscending.selector, owners[0], owners[0])
        );
        treasury.execute(calls, 5, FOREVER, signatures);
        signatures[1] = abi.encodePacked(owners[0]);
        vm.expectRevert(
            abi.encodeWithSelector(ITreasury.Treasury_OwnersNotAscending.selector, owners[0], owners[0])
        );
        vm.prank(owners[0]);
        treasury.execute(calls, 5, FOREVER, signatures);
    }

    function test_contractOwner_answeringNonsense_countsNothing() public {
        Liar liar = new Liar();
        vm.startPrank(address(treasury));
        treasury.addOwner(address(liar));
        treasury.setThreshold(1);
        vm.stopPrank();
        bytes[] memory signatures = new bytes[](1);
        signatures[0] = abi.encodePacked(address(liar), new bytes(65));
        ITreasury.Call[] memory calls = _transfer(payee, 5);
        vm.expectPartialRevert(ITreasury.Treasury_SignatureInvalid.selector);
        treasury.execute(calls, 5, FOREVER, signatures);
    }

    function test_ownerWithoutCode_namedAsContract_countsNothing() public {
        ITreasury.Call[] memory calls = _transfer(payee, 5);
        bytes[] memory signatures = _signed(treasury.hashProposal(calls, 5, FOREVER), 2);
        signatures[0] = abi.encodePacked(owners[0], new bytes(65));
        vm.expectPartialRevert(ITreasury.Treasury_SignatureInvalid.selector);
        treasury.execute(calls, 5, FOREVER, signatures);
    }

    function test_theTreasurysOwnRecordedHash_makesItNoOwner() public {
        // A recorded hash is "signed by the Treasury", so the Treasury must never be one of its own owners.
        vm.expectPartialRevert(ITreasury.Treasury_OwnerInvalid.selector);
        vm.prank(address(treasury));
        treasury.replaceOwner(owners[0], address(treasury));
    }

    function test_agentSignature_isNoOwnersSignature() public {
        // An owner who is also an agent signs a spend; the digest's type keeps it from being a proposal's.
        ITreasury.Spend memory spend = ITreasury.Spend(owners[0], address(token), payee, 1, "r", 1, FOREVER);
        ITreasury.Call[] memory calls = _transfer(payee, 5);
        bytes[] memory signatures = _signed(treasury.hashProposal(calls, 5, FOREVER), 2);
        signatures[0] = _signature(keys[0], treasury.hashSpend(spend));
        vm.expectRevert();
        treasury.execute(calls, 5, FOREVER, signatures);
    }

    // ------------------------------------------------------------------ owners

    function test_formerOwner_canNeitherTightenNorApprove() public {
        vm.prank(address(treasury));
        treasury.removeOwner(owners[0]);
        vm.startPrank(owners[0]);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_NotOwner.selector, owners[0]));
        treasury.pause();
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_NotOwner.selector, owners[0]));
        treasury.approve("id");
        vm.stopPrank();
    }

    function test_oneOwner_cannotUseTheTreasuryAsAStepUp() public {
        // No function lets a caller choose what the Treasury calls, but execute; and that takes the quorum.
        ITreasury.Call[] memory calls = _self(abi.encodeCall(treasury.setThreshold, (1)));
        bytes[] memory signatures = new bytes[](1);
        signatures[0] = abi.encodePacked(owners[0]);
        vm.startPrank(owners[0]);
        treasury.propose(calls, 5, FOREVER);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_QuorumNotReached.selector, 1, 2));
        treasury.execute(calls, 5, FOREVER, signatures);
        vm.stopPrank();
    }

    // ------------------------------------------------------------------ front-running

    function test_frontRun_ofAnExecution_changesNothingButWhoPaysGas() public {
        ITreasury.Call[] memory calls = _transfer(payee, 5);
        bytes[] memory signatures = _signed(treasury.hashProposal(calls, 5, FOREVER), 2);
        vm.prank(stranger);
        treasury.execute(calls, 5, FOREVER, signatures);
        assertEq(token.balanceOf(payee), 5, "payee's balance");
        assertEq(token.balanceOf(stranger), 0, "nothing for the runner");
    }

    function test_frontRun_ofAReference_isImpossibleForOthers() public {
        _setBudget(stranger, address(token), _terms());
        vm.prank(stranger);
        treasury.pay(address(token), payee, 1, "invoice 1");
        vm.prank(agent);
        treasury.pay(address(token), payee, 1, "invoice 1");
        assertEq(token.balanceOf(payee), 2, "payee's balance");
    }

    function test_frontRun_ofASpend_byItsAgentsOwnPayment_paysOnce() public {
        ITreasury.Spend memory spend = ITreasury.Spend(agent, address(token), payee, 7, "r", 1, FOREVER);
        bytes memory signature = _signedSpend(spend);
        vm.prank(agent);
        treasury.pay(address(token), payee, 7, "r");
        vm.expectPartialRevert(ITreasury.Treasury_ReferenceUsed.selector);
        treasury.paySigned(spend, signature);
        assertEq(token.balanceOf(payee), 7, "payee's balance");
    }

    // ------------------------------------------------------------------ bombs

    function test_returndataBomb_inAProposal_costsTheExecutorLittle() public {
        Bomb bomb = new Bomb();
        ITreasury.Call[] memory calls = _call(address(bomb), 1, hex"01");
        bytes[] memory signatures = _signed(treasury.hashProposal(calls, 5, FOREVER), 2);
        bytes memory data = abi.encodeCall(treasury.execute, (calls, 5, FOREVER, signatures));
        (bool ok, bytes memory answer) = address(treasury).call(data);
        assertFalse(ok, "failed");
        assertLe(answer.length, 420, "answer's size");
    }

    function test_returndataBomb_asRecipient_failsByName() public {
        Bomb bomb = new Bomb();
        _setBudget(agent, address(0), _terms());
        vm.expectRevert(
            abi.encodeWithSelector(ITreasury.Treasury_NativeTransferFailed.selector, address(bomb), 1)
        );
        vm.prank(agent);
        treasury.pay(address(0), address(bomb), 1, "r");
    }

    function test_gasBomb_asRecipient_failsByNameAndChargesNothing() public {
        Bomb bomb = new Bomb();
        bomb.setBurnsGas(true);
        _setBudget(agent, address(0), _terms());
        vm.prank(agent);
        (bool ok, bytes memory answer) = address(treasury).call{gas: 5_000_000}(
            abi.encodeCall(treasury.pay, (address(0), address(bomb), 1, bytes32("r")))
        );
        assertFalse(ok, "failed");
        assertEq(
            answer,
            abi.encodeWithSelector(ITreasury.Treasury_NativeTransferFailed.selector, address(bomb), 1),
            "by name"
        );
        assertFalse(treasury.isReferenceUsed(agent, "r"), "reference is free");
    }

    function test_executionWithTooLittleGas_leavesTheNonceFree() public {
        ITreasury.Call[] memory calls = _transfer(payee, 5);
        bytes[] memory signatures = _signed(treasury.hashProposal(calls, 5, FOREVER), 2);
        bytes memory data = abi.encodeCall(treasury.execute, (calls, 5, FOREVER, signatures));
        for (uint256 gasLimit = 30_000; gasLimit < 120_000; gasLimit += 3_000) {
            (bool ok, ) = address(treasury).call{gas: gasLimit}(data);
            if (ok) break;
            assertFalse(treasury.isNonceUsed(5), "nonce is free");
        }
        assertEq(token.balanceOf(payee), 5, "paid in the end");
    }

    // ------------------------------------------------------------------ tokens

    function test_feeOnTransfer_costsTheTreasuryExactlyTheAmount() public {
        FeeOnTransfer fee = new FeeOnTransfer();
        fee.mint(address(treasury), 100 * UNIT);
        _setBudget(agent, address(fee), _terms());
        vm.prank(agent);
        treasury.pay(address(fee), payee, 10 * UNIT, "r");
        assertEq(fee.balanceOf(address(treasury)), 90 * UNIT, "the Treasury's balance");
        assertEq(fee.balanceOf(payee), 9_900_000, "payee's balance");
    }

    function test_returnsFalse_isNoPayment() public {
        ReturnsFalse bad = new ReturnsFalse();
        bad.mint(address(treasury), 100);
        _setBudget(agent, address(bad), _terms());
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(bad)));
        vm.prank(agent);
        treasury.pay(address(bad), payee, 10, "r");
        ITreasury.Call[] memory calls = _self(
            abi.encodeCall(treasury.disburse, (agent, address(bad), payee, 10, bytes32("r")))
        );
        bytes[] memory signatures = _signed(treasury.hashProposal(calls, 5, FOREVER), 2);
        vm.expectPartialRevert(ITreasury.Treasury_CallFailed.selector);
        treasury.execute(calls, 5, FOREVER, signatures);
    }

    function test_noReturn_isPaid() public {
        NoReturn old = new NoReturn();
        old.mint(address(treasury), 100);
        _setBudget(agent, address(old), _terms());
        vm.prank(agent);
        treasury.pay(address(old), payee, 10, "r");
        assertEq(old.balanceOf(payee), 10, "payee's balance");
    }

    function test_tokenWithoutCode_isNoPayment() public {
        _setBudget(agent, stranger, _terms());
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, stranger));
        vm.prank(agent);
        treasury.pay(stranger, payee, 10, "r");
    }

    function test_blockedRecipient_chargesNothingAndJamsNoOneElse() public {
        Blocklist usd = new Blocklist();
        usd.mint(address(treasury), 100);
        usd.setBlocked(payee, true);
        _setBudget(agent, address(usd), _terms());
        vm.startPrank(agent);
        vm.expectRevert(abi.encodeWithSelector(Blocklist.Blocklist_Blocked.selector, payee));
        treasury.pay(address(usd), payee, 10, "r");
        treasury.pay(address(usd), stranger, 10, "r");
        vm.stopPrank();
        assertEq(usd.balanceOf(stranger), 10, "the other is paid");
        assertEq(treasury.usageOf(agent, address(usd))[0].left, 200 * UNIT - 10, "charged once");
    }

    function test_rebasingToken_isBoundByTheAmountOfEachPayment() public {
        Rebasing steth = new Rebasing();
        steth.mint(address(treasury), 100 * UNIT);
        _setBudget(agent, address(steth), _terms());
        steth.rebase(1_000 * UNIT);
        vm.prank(agent);
        treasury.pay(address(steth), payee, 50 * UNIT, "r");
        assertEq(steth.balanceOf(payee), 50 * UNIT, "payee's balance");
        assertEq(steth.balanceOf(address(treasury)), 950 * UNIT, "the Treasury's balance");
    }

    function test_theTreasuryAsToken_movesNothing() public {
        _setBudget(agent, address(treasury), _terms());
        vm.expectRevert();
        vm.prank(agent);
        treasury.pay(address(treasury), payee, 1, "r");
    }

    // ------------------------------------------------------------------ time

    function test_edgeOfAWindow_countsInFull() public {
        ITreasury.BudgetTerms memory terms = _unlimited();
        terms.hourly = uint128(100 * UNIT);
        _setBudget(agent, address(token), terms);
        // The latest second of a bucket, and the first in which it can be an hour ago.
        vm.warp(START + 20 minutes - 1);
        _pay(100 * UNIT);
        vm.warp(START + 80 minutes - 1);
        vm.expectPartialRevert(ITreasury.Treasury_SpendDenied.selector);
        _pay(1);
        vm.warp(START + 80 minutes);
        _pay(100 * UNIT);
    }

    function test_sameSecond_isOneInterval() public {
        for (uint256 i; i < 4; ++i) _pay(50 * UNIT);
        vm.expectPartialRevert(ITreasury.Treasury_SpendDenied.selector);
        _pay(1);
    }

    function _expectRefusedReentry(Reentrant thief, address token_, address paid) private {
        thief.arm(abi.encodeCall(treasury.pay, (paid, address(thief), 10 * UNIT, bytes32("second"))));
        thief.pay(token_, 10 * UNIT);
        assertEq(thief.answer(), _reentered(), "refused");
        assertFalse(treasury.isReferenceUsed(address(thief), "second"), "second reference is free");
    }

    function _reentered() private pure returns (bytes memory) {
        return abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
    }
}
