// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IBatchSettlement} from "../../../contracts/interfaces/payments/IBatchSettlement.sol";
import {IClearing} from "../../../contracts/interfaces/payments/IClearing.sol";
import {Clearing} from "../../../contracts/payments/Clearing.sol";
import {ClearingFixture} from "../support/ClearingFixture.sol";
import {Hooked} from "../support/tokens/Hooked.sol";

/// @notice An operator that lies, a key that is stolen, payees and strangers that want more than theirs.
contract ClearingAttacks is ClearingFixture {
    Hooked private hooked;

    /// @dev Called by `Hooked` when this contract is paid.
    function onTokenTransfer(address, address, uint256) external {
        clearing.payOut(address(hooked), address(this));
    }

    function test_creditsThatNobodyEarned_fallWithTheFirstReceipt() public {
        _receive(600);
        _seal(1, abi.encodePacked(makeAddr("puppet"), uint96(600)));
        _challenge(1, payees[1], 200);
        skip(DAY);
        assertEq(_settled(makeAddr("puppet")), 0, "the puppet has nothing");
    }

    function test_challengingItselfFirst_makesALieNoCheaper() public {
        _receive(600);
        uint256 before = avt.balanceOf(operator) + staking.bondOf(operator) + avt.balanceOf(bob);
        _seal(1, abi.encodePacked(makeAddr("puppet"), uint96(600)));
        // Bob is the operator's friend.
        uint256 slashed = _challenge(1, payees[1], 200);
        uint256 afterwards = avt.balanceOf(operator) + staking.bondOf(operator) + avt.balanceOf(bob);
        assertLe((slashed * 8) / 10, before - afterwards, "most of the slash is nobody's");
    }

    function test_anOperatorWithCode_cannotDenyItsKeysReceipts() public {
        _receive(600);
        _seal(1, abi.encodePacked(payees[0], uint96(600)));
        // EIP-7702: the account's code changes at will, and knows no signature.
        vm.etch(operator, hex"5f5ffd");
        _challenge(1, payees[1], 200);
        assertTrue(clearing.epochOf(address(usdc), 1).isVoid, "its key's word counts");
    }

    function test_anAbsurdReceipt_takesTheDaysCapAndNoMore() public {
        _receive(2_000);
        _seal(1, _rows(500, 500, 500));
        skip(DAY);
        vm.warp(START + 7 days);
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(
            stranger,
            type(uint96).max,
            1
        );
        assertEq(clearing.demand(receipt, signature), 500, "of what is unassigned");
        for (uint256 i = 0; i < 3; ++i) {
            clearing.payOut(address(usdc), payees[i]);
            assertEq(usdc.balanceOf(payees[i]), 500, "whoever was credited has its money");
        }
    }

    function test_aStolenKey_takesTheCapForEachDayUntilAnotherOperatorIsAppointed() public {
        _receive(5_000);
        skip(7 days);
        uint256 taken;
        _bond(makeAddr("successor"), BOND);
        clearing.appoint(makeAddr("successor"));
        for (uint256 day = 0; day < 3; ++day) {
            for (uint160 who = 1; who <= 3; ++who) {
                (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(
                    address(uint160(stranger) + who),
                    uint128(1_000_000 + day),
                    1
                );
                try clearing.demand(receipt, signature) returns (uint256 amount) {
                    taken += amount;
                } catch {}
            }
            skip(DAY);
        }
        assertEq(taken, 3 * EXIT_CAP, "three days' caps");
    }

    function test_operator_cannotRunFromItsBond() public {
        _receive(600);
        _seal(1, _rows(100, 200, 300));
        vm.prank(operator);
        staking.unstake(operator, type(uint256).max);
        assertEq(_challenge(1, payees[1], 300), SLASH, "what is held cannot leave");
    }

    function test_aForgedOrForeignReceipt_contradictsNothing() public {
        _receive(600);
        _seal(1, _rows(100, 200, 300));
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[1], 300, 1);
        receipt.cumulative = 500;
        bytes memory bad = abi.encodeWithSelector(IClearing.Clearing_BadReceipt.selector, payees[1]);
        vm.expectRevert(bad);
        clearing.challenge(1, receipt, signature);
        Clearing other = new Clearing(address(manager), staking, settlement, registry);
        signature = _signed(operatorKey, other.receiptDigest(receipt));
        vm.expectRevert(bad);
        clearing.challenge(1, receipt, signature);
        vm.chainId(5);
        signature = _signReceipt(operatorKey, receipt);
        vm.chainId(31_337);
        vm.expectRevert(bad);
        clearing.challenge(1, receipt, signature);
    }

    function test_anOpenEpoch_hidesNobodyFromItsDemand() public {
        _receive(600);
        vm.warp(START + 7 days);
        vm.prank(operator);
        clearing.credit(address(usdc), 1, 0, abi.encodePacked(payees[1], uint96(200)), false);
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(payees[1], 200, 1);
        clearing.demand(receipt, signature);
        assertEq(_settled(payees[1]), 200, "a row that is never sealed is no credit");
    }

    function test_aPayersDeposit_isTakenByNobodyElsesCredit() public {
        _receive(600);
        _seal(1, abi.encodePacked(stranger, uint96(600)));
        skip(DAY);
        settlement.settle(address(clearing), address(usdc));
        IBatchSettlement.ChannelConfig memory own = config;
        (own.payer, own.payerAuthorizer, own.receiver) = (bob, bob, bob);
        bytes memory data = abi.encodePacked(uint256(1), block.timestamp, bytes32(0), bytes32(0), uint8(27));
        vm.expectRevert(abi.encodeWithSelector(IClearing.Clearing_DepositNotSigned.selector, bob));
        settlement.deposit(own, 100, address(clearing), data);
    }

    function test_reenteringFromAPayout_paysOnce() public {
        hooked = new Hooked();
        hooked.mint(payer, 1_000);
        clearing.listToken(address(hooked), IClearing.TokenTerms(true, 1, 1));
        config.token = address(hooked);
        vm.startPrank(payer);
        hooked.approve(address(settlement), 1_000);
        settlement.deposit(config, 1_000, address(0), "");
        vm.stopPrank();
        _receive(100);
        vm.prank(operator);
        clearing.credit(address(hooked), 1, 0, abi.encodePacked(address(this), uint96(100)), true);
        skip(DAY);
        address[] memory payee = new address[](1);
        payee[0] = address(this);
        clearing.payOutAll(address(hooked), payee);
        assertEq(hooked.balanceOf(address(this)), 0, "its own second try refused its payout");
        assertEq(clearing.creditOf(address(hooked), address(this)).paid, 0, "and nothing is booked");
    }

    function test_whoIsNoSlasher_slashesNobody() public {
        Clearing fake = new Clearing(address(manager), staking, settlement, registry);
        vm.expectRevert(
            abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, address(fake))
        );
        vm.prank(address(fake));
        staking.slash(operator, 1, stranger, "mine");
    }

    function test_tenThousandPayees_areCreditedWithinTheGasOfTransactions() public {
        uint256 payeesEach = 500;
        _receive(uint128(10_000 * LEAST * 2));
        for (uint256 epoch = 1; epoch <= 2; ++epoch) {
            uint256 most;
            for (uint256 from = 0; from < 10_000; from += payeesEach) {
                bytes memory rows = new bytes(payeesEach * 32);
                for (uint256 i = 0; i < payeesEach; ++i) {
                    bytes32 row = bytes32((uint256(uint160(0x10000 + from + i)) << 96) | (epoch * LEAST));
                    assembly ("memory-safe") {
                        mstore(add(add(rows, 32), mul(i, 32)), row)
                    }
                }
                bool isLast = from + payeesEach == 10_000;
                vm.prank(operator);
                uint256 before = gasleft();
                clearing.credit(address(usdc), epoch, from, rows, isLast);
                uint256 used = before - gasleft();
                if (used > most) most = used;
            }
            // EIP-7825: a transaction has 2^24 gas at the most. Not optimised, and without the calldata.
            assertLe(most, 2 ** 24 - 21_000 - payeesEach * 32 * 16, "each call");
            skip(DAY);
        }
        assertEq(_settled(address(uint160(0x10000 + 9_999))), 2 * LEAST, "the last of them");
        // What one payee more costs does not depend on the ten thousand.
        _receive(LEAST);
        vm.prank(operator);
        uint256 left = gasleft();
        clearing.credit(address(usdc), 3, 0, abi.encodePacked(payees[0], LEAST), true);
        assertLe(left - gasleft(), 200_000, "one row");
    }
}
