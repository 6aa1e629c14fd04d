// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AuctionFixture} from "../support/AuctionFixture.sol";

/// @notice Searches the strategies of a coalition of agents 1 and 2, which hold half of all weight, against the bids
///         of two others, by playing every one of them on the contract: no strategy is worth more than one truthful
///         bid.
/// @dev A strategy says for each of the two what it bids, up to 3, or nothing, and whether it withholds the bid after
///      it has seen all others. Wealth is measured as scrip, all incomes and deposits taken out.
contract VickreyAuctionStrategiesTest is AuctionFixture {
    uint256 private constant HIGHEST = 3;
    /// @dev No bid; 1 to 3 revealed; 1 to 3 withheld.
    uint256 private constant CHOICES = 7;

    /// @dev What a strategy came to: whether the coalition won, and its scrip after it less that before.
    struct Outcome {
        bool hasWon;
        int256 gain;
    }

    function setUp() public override {
        super.setUp();
        registry.set("auctionReserve", 1);
        registry.set("auctionIncome", 8);
        vm.prank(owners[4]);
        auction.quit(5, owners[4]);
    }

    function test_search_noStrategyIsWorthMoreThanOneTruthfulBid() public {
        uint256 played;
        for (uint96 first = 0; first <= HIGHEST; ++first) {
            for (uint96 second = 0; second <= first; ++second) {
                Outcome[] memory outcomes = new Outcome[](CHOICES * CHOICES);
                for (uint256 i = 0; i < outcomes.length; ++i) {
                    outcomes[i] = _play(i % CHOICES, i / CHOICES, first, second);
                    ++played;
                }
                for (uint256 value = 0; value <= HIGHEST; ++value) _requireTruthIsBest(outcomes, value);
            }
        }
        assertEq(played, 490, "strategies played");
    }

    /// @notice What is shared follows from the weights alone: a penalty of nothing tempts nobody either.
    function test_search_withoutAPenalty() public {
        registry.set("auctionPenaltyBps", 0);
        Outcome[] memory outcomes = new Outcome[](CHOICES * CHOICES);
        for (uint256 i = 0; i < outcomes.length; ++i) outcomes[i] = _play(i % CHOICES, i / CHOICES, 3, 1);
        for (uint256 value = 0; value <= HIGHEST; ++value) _requireTruthIsBest(outcomes, value);
    }

    /// @notice Any ladder of a coalition of four that holds any part of the weight, and wants nothing but income.
    function testFuzz_ladders_gainNothing(uint96[4] memory rungs, uint96 other, uint64 weight) public {
        weight = uint64(bound(weight, 1, 1_000_000));
        vm.prank(owners[0]);
        auction.quit(1, owners[0]);
        _join(1, weight);
        uint256 start = vm.snapshotState();
        _round([uint96(0), 0, 0, 0, 0]);
        uint256 idle = _incomeOfFour();
        vm.revertToState(start);
        uint256 before = _scripOfFour();
        uint256 round = auction.open();
        for (uint256 i = 0; i < 4; ++i) {
            rungs[i] = uint96(bound(rungs[i], 1, 1_000));
            _commit(i + 1, rungs[i], rungs[i]);
        }
        other = uint96(bound(other, 1, 1_000));
        _commit(5, other, other);
        skip(COMMIT);
        _reveal(5, other);
        for (uint256 i = 0; i < 4; ++i) if (rungs[i] < other) _reveal(i + 1, rungs[i]);
        skip(REVEAL);
        auction.settle();
        uint256 withheld;
        for (uint256 i = 0; i < 4; ++i) {
            auction.withdraw(round, i + 1);
            if (rungs[i] >= other) withheld += rungs[i];
        }
        assertEq(_scripOfFour(), before - withheld, "it loses what it withholds, and has nothing for it");
        assertEq(_incomeOfFour(), idle, "its income is that of a round in which it does nothing");
    }

    function _incomeOfFour() private view returns (uint256 income) {
        for (uint256 agent = 1; agent <= 4; ++agent) income += auction.incomeOf(agent);
    }

    function _scripOfFour() private view returns (uint256 sum) {
        for (uint256 i = 0; i < 4; ++i) sum += scrip.balanceOf(owners[i]);
    }

    function _requireTruthIsBest(Outcome[] memory outcomes, uint256 value) private pure {
        int256 truthful = _worth(outcomes[value], value);
        for (uint256 i = 0; i < outcomes.length; ++i)
            assertTrue(_worth(outcomes[i], value) <= truthful, "a strategy is worth more than the truth");
    }

    function _worth(Outcome memory outcome, uint256 value) private pure returns (int256) {
        return outcome.gain + (outcome.hasWon ? int256(value) : int256(0));
    }

    function _play(
        uint256 one,
        uint256 two,
        uint96 first,
        uint96 second
    ) private returns (Outcome memory outcome) {
        int256 before = int256(scrip.balanceOf(owners[0]) + scrip.balanceOf(owners[1]));
        uint256 round = auction.open();
        uint96[4] memory bids = [_bidOf(one), _bidOf(two), first, second];
        for (uint256 i = 0; i < 4; ++i) if (bids[i] != 0) _commit(i + 1, bids[i], bids[i]);
        skip(COMMIT);
        for (uint256 i = 4; i > 0; --i) {
            bool isWithheld = (i == 1 && one > HIGHEST) || (i == 2 && two > HIGHEST);
            if (bids[i - 1] != 0 && !isWithheld) _reveal(i, bids[i - 1]);
        }
        skip(REVEAL);
        auction.settle();
        for (uint256 i = 0; i < 4; ++i) if (bids[i] != 0) auction.withdraw(round, i + 1);
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(owners[i]);
            auction.claimIncome(i + 1, owners[i]);
        }
        uint256 winner = auction.roundOf(round).winner;
        outcome.hasWon = winner == 1 || winner == 2;
        outcome.gain = int256(scrip.balanceOf(owners[0]) + scrip.balanceOf(owners[1])) - before;
        _refill();
    }

    /// @dev Nobody runs out of scrip on the way.
    function _refill() private {
        for (uint256 i = 0; i < 4; ++i) if (scrip.balanceOf(owners[i]) < 100) scrip.mint(owners[i], 1_000);
    }

    function _bidOf(uint256 choice) private pure returns (uint96) {
        return uint96(choice > HIGHEST ? choice - HIGHEST : choice);
    }
}
