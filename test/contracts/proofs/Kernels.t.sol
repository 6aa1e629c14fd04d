// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBatchSettlement} from "../../../contracts/interfaces/payments/IBatchSettlement.sol";
import {ITreasury} from "../../../contracts/interfaces/treasury/ITreasury.sol";
import {Budget} from "../../../contracts/treasury/Budget.sol";
import {Test} from "../support/Test.sol";
import {ChannelFixture} from "../support/payments/ChannelFixture.sol";
import {BudgetWindow} from "./BudgetWindow.sol";
import {ChannelAccount} from "./ChannelAccount.sol";
import {SettlementTotals} from "./SettlementTotals.sol";

/// @notice BatchSettlement beside the kernels that are proved: whatever it does, they do, and come to the same.
contract SettlementKernelsTest is ChannelFixture {
    uint256 private constant STEPS = 32;

    ChannelAccount[2] private accounts;
    SettlementTotals private totals;

    function setUp() public override {
        super.setUp();
        (accounts[0], accounts[1]) = (new ChannelAccount(), new ChannelAccount());
        totals = new SettlementTotals();
    }

    function testFuzz_settlementDoesWhatItsKernelsDo(uint256 seed) public {
        for (uint256 i = 0; i < STEPS; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            _step(seed % 2, (seed >> 8) % 6, uint128(bound(seed >> 64, 1, 1_000)));
            _compare();
        }
    }

    function _step(uint256 which, uint256 what, uint128 amount) private {
        IBatchSettlement.ChannelConfig memory config = channel(which);
        ChannelAccount account = accounts[which];
        (uint256 balance, uint256 claimed) = settlement.channels(idOf(config));
        if (what == 0) {
            vm.prank(payer);
            try settlement.deposit(config, amount, address(0), "") {
                account.deposit(amount);
                totals.deposit(amount);
            } catch {}
        } else if (what == 1) {
            IBatchSettlement.VoucherClaim[] memory rows = batch(claimOf(config, amount, amount));
            vm.prank(operator);
            try settlement.claim(rows) {
                if (amount <= claimed) return;
                account.claim(amount);
                totals.claim(amount - claimed);
            } catch {}
        } else if (what == 2) {
            settlement.settle(receiver, address(usdc));
            totals.settle();
        } else if (what == 3) {
            vm.prank(payer);
            try settlement.initiateWithdraw(config, amount) {
                account.initiateWithdraw(amount);
            } catch {}
        } else if (what == 4) {
            skip(40 minutes);
            vm.prank(payer);
            try settlement.finalizeWithdraw(config) {
                uint256 given = balance - balanceOf(config);
                account.finalizeWithdraw(given);
                totals.giveBack(given);
            } catch {}
        } else {
            vm.prank(operator);
            try settlement.refund(config, amount) {
                uint256 given = balance - balanceOf(config);
                account.refund(amount, given);
                totals.giveBack(given);
            } catch {}
        }
    }

    function _compare() private view {
        uint256 unclaimed;
        for (uint256 i = 0; i < 2; ++i) {
            bytes32 id = idOf(channel(i));
            (uint256 balance, uint256 claimed) = settlement.channels(id);
            (uint128 pending, ) = settlement.pendingWithdrawals(id);
            assertEq(accounts[i].balance(), balance, "balance");
            assertEq(accounts[i].totalClaimed(), claimed, "claimed");
            assertEq(accounts[i].pending(), pending, "pending");
            accounts[i].check();
            unclaimed += balance - claimed;
        }
        (uint128 totalClaimed, uint128 totalSettled) = settlement.receivers(receiver, address(usdc));
        assertEq(totals.unclaimed(), unclaimed, "unclaimed");
        assertEq(totals.totalClaimed(), totalClaimed, "total claimed");
        assertEq(totals.totalSettled(), totalSettled, "total settled");
        assertEq(totals.held(), usdc.balanceOf(address(settlement)), "held");
        totals.check();
    }
}

/// @notice One window of Budget beside its kernel.
contract BudgetWindowTest is Test {
    uint256 private constant STEPS = 48;
    uint256 private constant BUCKET = 20 minutes;
    uint256 private constant STEPS_MASK = (1 << 28) - 1;
    uint128 private constant NO_LIMIT = type(uint128).max;

    function pack(ITreasury.BudgetTerms calldata terms) external pure returns (uint256) {
        return Budget.pack(terms);
    }

    function testFuzz_aWindowDoesWhatItsKernelDoes(uint256 seed, uint128 limit) public {
        limit = uint128(bound(limit, 1, 200_000_000));
        uint256 terms = this.pack(
            ITreasury.BudgetTerms(NO_LIMIT, NO_LIMIT, limit, NO_LIMIT, NO_LIMIT, NO_LIMIT, 0, false)
        );
        BudgetWindow kernel = new BudgetWindow(limit);
        uint256 time = 1_700_000_000;
        uint256 windows = Budget.moveOn(terms, 0, time);
        for (uint256 i = 0; i < STEPS; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 passed = (seed >> 16) % 8;
            passed = passed > 5 ? 0 : passed;
            windows = Budget.moveOn(terms, windows, time += passed * BUCKET);
            _pass(kernel, windows, passed, limit);
            if (seed % 7 == 0 && kernel.ended() >= 4) kernel.watch();
            uint256 amount = bound(seed >> 64, 1, limit);
            (ITreasury.Reason reason, uint256 charged) = Budget.charge(terms, windows, amount);
            if (reason == ITreasury.Reason.None) {
                windows = charged;
                kernel.charge(amount);
            } else {
                assertLe(limit - kernel.steps() + 1, amount, "the kernel would not have had room either");
            }
            assertEq(kernel.steps(), (windows >> 24) & STEPS_MASK, "steps");
        }
    }

    /// @dev The bucket that ended stands behind those that ended after it, which are empty.
    function _pass(BudgetWindow kernel, uint256 windows, uint256 passed, uint256 limit) private {
        if (passed > 3) return kernel.passAll();
        for (uint256 i = 0; i < passed; ++i) {
            uint256 share = i == 0 ? (windows >> (52 + 10 * (passed - 1))) & 1023 : 0;
            kernel.pass((share * limit) / 1023);
        }
    }
}
