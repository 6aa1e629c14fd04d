// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IClearing} from "../../../contracts/interfaces/payments/IClearing.sol";
import {ClearingFixture} from "../support/ClearingFixture.sol";
import {CreditLine} from "./CreditLine.sol";
import {CreditTotals} from "./CreditTotals.sol";

/// @notice Clearing beside the kernels that are proved: whatever it does, they do, and come to the same.
contract CreditKernelsTest is ClearingFixture {
    uint256 private constant STEPS = 40;

    address private token;
    CreditLine[3] private lines;
    CreditTotals private totals;
    mapping(string what => uint256) private reached;

    function setUp() public override {
        super.setUp();
        token = address(usdc);
        // What lies cost is other tests' matter.
        registry.set("clearingSlash", 0);
        for (uint256 i = 0; i < 3; ++i) lines[i] = new CreditLine();
        totals = new CreditTotals();
    }

    function testFuzz_clearingDoesWhatItsKernelsDo(uint256 seed) public {
        _run(seed, STEPS);
    }

    function test_everyPath_isReached() public {
        for (uint256 seed = 0; seed < 4; ++seed) _run(seed, 3 * STEPS);
        string[7] memory paths = ["fill", "seal", "settle", "void", "abandon", "demand", "pay"];
        for (uint256 i = 0; i < paths.length; ++i) assertTrue(reached[paths[i]] != 0, paths[i]);
    }

    function _run(uint256 seed, uint256 steps) private {
        for (uint256 i = 0; i < steps; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            _step(random % 16, (random >> 8) % 3, uint96((random >> 64) % 600));
            _compare();
        }
    }

    function _step(uint256 what, uint256 who, uint96 amount) private {
        if (what < 3) {
            _receive(amount + 1);
            totals.arrive(amount + 1);
        } else if (what < 8) _credit(who, amount, what < 5);
        else if (what < 11) _demand(who, amount);
        else if (what == 11) _void(who);
        else if (what == 12) _abandon();
        else if (what == 13) _pay(who);
        else _wait((uint256(amount) * DAY) / 300);
    }

    /// @dev One row, which says more than has been said before, or less.
    function _credit(uint256 who, uint96 more, bool isLast) private {
        uint256 last = clearing.lastEpochOf(token);
        IClearing.Epoch memory epoch = clearing.epochOf(token, last);
        bool isOpen = last != 0 && epoch.sealedAt == 0 && !epoch.isVoid;
        uint96 total = _total(who, more);
        vm.prank(operator);
        try
            clearing.credit(
                token,
                isOpen ? last : last + 1,
                isOpen ? epoch.rows : 0,
                abi.encodePacked(payees[who], total),
                isLast
            )
        {
            uint256 before = lines[who].added();
            lines[who].addRow(total);
            totals.fill(lines[who].added() - before);
            ++reached["fill"];
            if (!isLast) return;
            for (uint256 i = 0; i < 3; ++i) lines[i].seal();
            totals.seal();
            ++reached["seal"];
        } catch {}
    }

    function _demand(uint256 who, uint96 more) private {
        uint96 said = _total(who, more);
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _due(
            operatorKey,
            0,
            payees[who],
            said
        );
        try clearing.demand(receipt, signature) returns (uint256 amount) {
            if (amount == 0) return;
            uint256 before = lines[who].added();
            lines[who].demand(said, amount);
            totals.demand(amount, before - lines[who].added());
            ++reached["demand"];
        } catch {}
    }

    function _void(uint256 who) private {
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _due(
            operatorKey,
            0,
            payees[who],
            type(uint96).max
        );
        try clearing.challenge(clearing.lastEpochOf(token), receipt, signature) {
            _drop();
            ++reached["void"];
        } catch {}
    }

    function _abandon() private {
        uint256 last = clearing.lastEpochOf(token);
        vm.prank(operator);
        try clearing.abandon(token, last) {
            _drop();
            ++reached["abandon"];
        } catch {}
    }

    function _pay(uint256 who) private {
        try clearing.payOut(token, payees[who]) returns (uint256 amount) {
            lines[who].pay(amount);
            totals.pay(amount);
            ++reached["pay"];
        } catch {}
    }

    /// @dev An epoch that nobody has challenged is settled by time alone.
    function _wait(uint256 time) private {
        skip(time);
        if (!totals.isSealed()) return;
        IClearing.Epoch memory last = clearing.epochOf(token, clearing.lastEpochOf(token));
        if (block.timestamp < last.sealedAt + clearing.CHALLENGE_WINDOW()) return;
        for (uint256 i = 0; i < 3; ++i) lines[i].settle();
        totals.settle();
        ++reached["settle"];
    }

    function _drop() private {
        for (uint256 i = 0; i < 3; ++i) lines[i].drop();
        totals.drop();
    }

    function _total(uint256 who, uint96 more) private view returns (uint96) {
        uint256 credited = lines[who].settled() + lines[who].added();
        return uint96(more < 100 ? credited : credited + more - 100);
    }

    function _compare() private view {
        for (uint256 i = 0; i < 3; ++i) {
            IClearing.Credit memory credit = clearing.creditOf(token, payees[i]);
            assertEq(credit.settled, lines[i].settled(), "settled");
            assertEq(credit.pending, lines[i].isSealed() ? lines[i].added() : 0, "pending");
            assertEq(credit.paid, lines[i].taken(), "paid");
            lines[i].check();
        }
        (uint256 settled, uint256 pending) = clearing.creditedOf(token);
        assertEq(settled, totals.settled(), "all that is settled");
        assertEq(pending, totals.isSealed() ? totals.added() : 0, "all that is pending");
        assertEq(clearing.receivedOf(token), totals.received(), "received");
        totals.check();
    }
}
