// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MessageTransmitterV2 as Transmitter} from "../../../contracts/dev/MessageTransmitterV2.sol";
import {TestUSDC} from "../../../contracts/dev/TestUSDC.sol";
import {TokenMessengerV2 as Messenger} from "../../../contracts/dev/TokenMessengerV2.sol";
import {Test, Vm} from "../support/Test.sol";

/// @notice The CCTP v2 stand-ins of two domains, both on this chain, and their two attesters.
contract CctpTest is Test {
    uint32 private constant SOURCE = 0;
    uint32 private constant DESTINATION = 6;
    uint32 private constant FINAL = 2_000;
    uint256 private constant AMOUNT = 100e6;
    uint256 private constant MAX_FEE = 1e6;

    TestUSDC[2] private usdc;
    Transmitter[2] private transmitters;
    Messenger[2] private messengers;
    uint256[2] private keys;
    address[] private attesters;
    address private alice;
    address private bob;
    address private fees;

    function setUp() public {
        (alice, bob, fees) = (makeAddr("alice"), makeAddr("bob"), makeAddr("fees"));
        (address one, uint256 oneKey) = makeAddrAndKey("attester one");
        (address two, uint256 twoKey) = makeAddrAndKey("attester two");
        keys = one < two ? [oneKey, twoKey] : [twoKey, oneKey];
        attesters.push(one);
        attesters.push(two);
        for (uint256 i = 0; i < 2; ++i) {
            usdc[i] = new TestUSDC(address(this));
            transmitters[i] = new Transmitter(i == 0 ? SOURCE : DESTINATION, attesters, 2);
            messengers[i] = new Messenger(transmitters[i], usdc[i], address(this), fees);
            usdc[i].configureMinter(address(messengers[i]), 1_000e6);
        }
        messengers[0].addRemoteTokenMessenger(DESTINATION, _bytes32(messengers[1]), _bytes32(usdc[1]));
        messengers[1].addRemoteTokenMessenger(SOURCE, _bytes32(messengers[0]), _bytes32(usdc[0]));
        usdc[0].mint(alice, AMOUNT);
        vm.prank(alice);
        usdc[0].approve(address(messengers[0]), type(uint256).max);
    }

    function test_burnHere_mintThere() public {
        bytes memory message = _attested(_burn(""), FINAL, 0, 0);
        assertEq(usdc[0].totalSupply(), 0, "burnt");
        vm.expectEmit(true, true, true, true);
        emit Messenger.MintAndWithdraw(bob, AMOUNT, address(usdc[1]), 0);
        vm.expectEmit(true, true, true, true);
        emit Transmitter.MessageReceived(
            address(this),
            SOURCE,
            "nonce",
            _bytes32(messengers[0]),
            FINAL,
            _body(message)
        );
        assertTrue(transmitters[1].receiveMessage(message, _signed(message)), "received");
        assertEq(usdc[1].balanceOf(bob), AMOUNT, "minted");
        assertEq(usdc[1].minterAllowance(address(messengers[1])), 900e6, "allowance used");
        assertEq(transmitters[1].usedNonces("nonce"), 1, "nonce");
    }

    function test_burn_saysWhatItSends() public {
        vm.expectEmit(true, true, true, true);
        emit Messenger.DepositForBurn(
            address(usdc[0]),
            AMOUNT,
            alice,
            _bytes32(bob),
            DESTINATION,
            _bytes32(messengers[1]),
            0,
            MAX_FEE,
            FINAL,
            "hook"
        );
        bytes memory message = _burn("hook");
        bytes memory head = abi.encodePacked(uint32(1), SOURCE, DESTINATION, bytes32(0));
        bytes memory parties = abi.encodePacked(_bytes32(messengers[0]), _bytes32(messengers[1]), bytes32(0));
        bytes memory body = abi.encodePacked(uint32(1), _bytes32(usdc[0]), _bytes32(bob), AMOUNT);
        body = abi.encodePacked(body, _bytes32(alice), MAX_FEE, uint256(0), uint256(0), "hook");
        assertEq(message, abi.encodePacked(head, parties, FINAL, uint32(0), body), "message");
    }

    function test_beforeFinality_aFeeIsTaken() public {
        bytes memory message = _attested(_burn(""), 1_000, MAX_FEE, block.number + 1);
        transmitters[1].receiveMessage(message, _signed(message));
        assertEq(usdc[1].balanceOf(bob), AMOUNT - MAX_FEE, "less the fee");
        assertEq(usdc[1].balanceOf(fees), MAX_FEE, "the fee");
    }

    function test_final_noFeeIsTaken() public {
        bytes memory message = _attested(_burn(""), FINAL, MAX_FEE, 0);
        transmitters[1].receiveMessage(message, _signed(message));
        assertEq(usdc[1].balanceOf(bob), AMOUNT, "all");
    }

    function test_beforeFinality_feeExpiryAndFinalityAreBounded() public {
        bytes memory sent = _burn("");
        vm.roll(100);
        _refused(
            _attested(sent, 1_000, MAX_FEE + 1, 0),
            abi.encodeWithSelector(Messenger.TokenMessengerV2_FeeTooHigh.selector, MAX_FEE + 1, MAX_FEE)
        );
        _refused(
            _attested(sent, 1_000, 0, 100),
            abi.encodeWithSelector(Messenger.TokenMessengerV2_Expired.selector, 100, 100)
        );
        _refused(
            _attested(sent, 499, 0, 0),
            abi.encodeWithSelector(Messenger.TokenMessengerV2_FinalityTooLow.selector, 499, 500)
        );
        bytes memory message = _attested(sent, 500, 0, 101);
        transmitters[1].receiveMessage(message, _signed(message));
    }

    function test_aMessage_isReceivedOnce() public {
        bytes memory message = _attested(_burn(""), FINAL, 0, 0);
        transmitters[1].receiveMessage(message, _signed(message));
        _refused(
            message,
            abi.encodeWithSelector(Transmitter.MessageTransmitterV2_NonceUsed.selector, bytes32("nonce"))
        );
    }

    function test_attestation_isByAllAttestersInOrder() public {
        bytes memory message = _attested(_burn(""), FINAL, 0, 0);
        bytes memory first = _by(keys[0], message);
        bytes memory second = _by(keys[1], message);
        (address stranger, uint256 strangerKey) = makeAddrAndKey("stranger");
        bytes4 bad = Transmitter.MessageTransmitterV2_BadAttester.selector;
        vm.expectRevert(
            abi.encodeWithSelector(Transmitter.MessageTransmitterV2_AttestationLength.selector, 65, 130)
        );
        transmitters[1].receiveMessage(message, first);
        vm.expectRevert(abi.encodeWithSelector(bad, vm.addr(keys[0])));
        transmitters[1].receiveMessage(message, abi.encodePacked(second, first));
        vm.expectRevert(abi.encodeWithSelector(bad, vm.addr(keys[0])));
        transmitters[1].receiveMessage(message, abi.encodePacked(first, first));
        vm.expectPartialRevert(bad);
        transmitters[1].receiveMessage(message, abi.encodePacked(first, _by(strangerKey, message)));
        assertFalse(transmitters[1].isEnabledAttester(stranger), "stranger");
        vm.expectPartialRevert(bad);
        transmitters[1].receiveMessage(bytes.concat(message, "x"), abi.encodePacked(first, second));
    }

    function test_messagesForOthers_areRefused() public {
        bytes memory sent = _burn("");
        _refused(
            _at(_attested(sent, FINAL, 0, 0), 8, abi.encodePacked(uint32(7))),
            abi.encodeWithSelector(Transmitter.MessageTransmitterV2_WrongDomain.selector, 7, DESTINATION)
        );
        _refused(
            _at(_attested(sent, FINAL, 0, 0), 0, abi.encodePacked(uint32(0))),
            abi.encodeWithSelector(Transmitter.MessageTransmitterV2_WrongVersion.selector, 0, 1)
        );
        _refused(
            _at(_attested(sent, FINAL, 0, 0), 108, abi.encodePacked(_bytes32(bob))),
            abi.encodeWithSelector(
                Transmitter.MessageTransmitterV2_WrongCaller.selector,
                address(this),
                _bytes32(bob)
            )
        );
        _refused(
            _at(_attested(sent, FINAL, 0, 0), 44, abi.encodePacked(_bytes32(bob))),
            abi.encodeWithSelector(Messenger.TokenMessengerV2_WrongSender.selector, SOURCE, _bytes32(bob))
        );
        _refused(
            _at(_attested(sent, FINAL, 0, 0), 148, abi.encodePacked(uint32(2))),
            abi.encodeWithSelector(Messenger.TokenMessengerV2_WrongVersion.selector, 2, 1)
        );
        _refused(
            _at(_attested(sent, FINAL, 0, 0), 152, abi.encodePacked(_bytes32(bob))),
            abi.encodeWithSelector(Messenger.TokenMessengerV2_UnknownToken.selector, _bytes32(bob))
        );
        bytes memory short = new bytes(147);
        _refused(short, abi.encodeWithSelector(Transmitter.MessageTransmitterV2_TooShort.selector, 147, 148));
    }

    function test_burn_refusesWhatCannotArrive() public {
        vm.startPrank(alice);
        Messenger messenger = messengers[0];
        address token = address(usdc[0]);
        vm.expectRevert(Messenger.TokenMessengerV2_ZeroAmount.selector);
        messenger.depositForBurn(0, DESTINATION, _bytes32(bob), token, 0, 0, FINAL);
        vm.expectRevert(Messenger.TokenMessengerV2_NoRecipient.selector);
        messenger.depositForBurn(1, DESTINATION, 0, token, 0, 0, FINAL);
        vm.expectRevert(abi.encodeWithSelector(Messenger.TokenMessengerV2_FeeTooHigh.selector, 5, 4));
        messenger.depositForBurn(5, DESTINATION, _bytes32(bob), token, 0, 5, FINAL);
        vm.expectRevert(abi.encodeWithSelector(Messenger.TokenMessengerV2_UnknownDomain.selector, 9));
        messenger.depositForBurn(5, 9, _bytes32(bob), token, 0, 0, FINAL);
        vm.expectRevert(
            abi.encodeWithSelector(Messenger.TokenMessengerV2_UnknownToken.selector, _bytes32(bob))
        );
        messenger.depositForBurn(5, DESTINATION, _bytes32(bob), bob, 0, 0, FINAL);
        vm.expectRevert(Messenger.TokenMessengerV2_NoHook.selector);
        messenger.depositForBurnWithHook(5, DESTINATION, _bytes32(bob), token, 0, 0, FINAL, "");
        vm.stopPrank();
    }

    function test_onlyTheTransmitterDelivers_onlyTheOwnerConnects() public {
        vm.expectRevert(
            abi.encodeWithSelector(Messenger.TokenMessengerV2_NotTransmitter.selector, address(this))
        );
        messengers[1].handleReceiveFinalizedMessage(SOURCE, _bytes32(messengers[0]), FINAL, "");
        vm.expectRevert(
            abi.encodeWithSelector(Messenger.TokenMessengerV2_NotOwner.selector, bob, address(this))
        );
        vm.prank(bob);
        messengers[1].addRemoteTokenMessenger(1, "a", "b");
        vm.expectRevert(
            abi.encodeWithSelector(Transmitter.MessageTransmitterV2_LocalDestination.selector, SOURCE)
        );
        transmitters[0].sendMessage(SOURCE, "to", 0, 0, "");
        vm.expectRevert(Transmitter.MessageTransmitterV2_NoRecipient.selector);
        transmitters[0].sendMessage(DESTINATION, 0, 0, 0, "");
        vm.expectRevert(abi.encodeWithSelector(Transmitter.MessageTransmitterV2_BadThreshold.selector, 3, 2));
        new Transmitter(1, attesters, 3);
    }

    /// @dev Burns alice's, and gives the message that was sent.
    function _burn(bytes memory hookData) private returns (bytes memory) {
        address token = address(usdc[0]);
        vm.recordLogs();
        vm.prank(alice);
        if (hookData.length == 0)
            messengers[0].depositForBurn(AMOUNT, DESTINATION, _bytes32(bob), token, 0, MAX_FEE, FINAL);
        else
            messengers[0].depositForBurnWithHook(
                AMOUNT,
                DESTINATION,
                _bytes32(bob),
                token,
                0,
                MAX_FEE,
                FINAL,
                hookData
            );
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i)
            if (logs[i].topics[0] == Transmitter.MessageSent.selector)
                return abi.decode(logs[i].data, (bytes));
        revert("no message");
    }

    /// @dev The message as an attester fills it in.
    function _attested(
        bytes memory message,
        uint32 finality,
        uint256 fee,
        uint256 expirationBlock
    ) private pure returns (bytes memory) {
        bytes memory copy = bytes.concat(message);
        copy = _at(copy, 12, abi.encodePacked(bytes32("nonce")));
        copy = _at(copy, 144, abi.encodePacked(finality));
        copy = _at(copy, 148 + 164, abi.encodePacked(fee));
        return _at(copy, 148 + 196, abi.encodePacked(expirationBlock));
    }

    function _refused(bytes memory message, bytes memory reason) private {
        bytes memory attestation = _signed(message);
        vm.expectRevert(reason);
        transmitters[1].receiveMessage(message, attestation);
    }

    function _signed(bytes memory message) private view returns (bytes memory) {
        return abi.encodePacked(_by(keys[0], message), _by(keys[1], message));
    }

    function _by(uint256 key, bytes memory message) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, keccak256(message));
        return abi.encodePacked(r, s, v);
    }

    function _at(bytes memory message, uint256 from, bytes memory part) private pure returns (bytes memory) {
        for (uint256 i = 0; i < part.length; ++i) message[from + i] = part[i];
        return message;
    }

    function _body(bytes memory message) private pure returns (bytes memory body) {
        body = new bytes(message.length - 148);
        for (uint256 i = 0; i < body.length; ++i) body[i] = message[148 + i];
    }

    function _bytes32(address account) private pure returns (bytes32) {
        return bytes32(uint256(uint160(account)));
    }

    function _bytes32(Messenger messenger) private pure returns (bytes32) {
        return _bytes32(address(messenger));
    }

    function _bytes32(TestUSDC token) private pure returns (bytes32) {
        return _bytes32(address(token));
    }
}
