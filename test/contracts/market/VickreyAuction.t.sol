// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVickreyAuction} from "../../../contracts/interfaces/market/IVickreyAuction.sol";
import {VickreyAuction} from "../../../contracts/market/VickreyAuction.sol";
import {AuctionFixture} from "../support/AuctionFixture.sol";

/// @notice What the rounds of the auction do, refuse and say.
contract VickreyAuctionTest is AuctionFixture {
    function test_constructor() public {
        vm.expectEmit(true, true, true, true);
        emit IVickreyAuction.ScorerSet(scorer);
        VickreyAuction house = _house();
        assertEq(address(house.scrip()), address(scrip), "scrip");
        assertEq(address(house.agents()), address(agents), "agents");
        assertEq(address(house.parameters()), address(registry), "parameters");
        assertEq(house.commitSeconds(), COMMIT, "commit");
        assertEq(house.revealSeconds(), REVEAL, "reveal");
        assertEq(house.scorer(), scorer, "scorer");
        assertEq(scrip.decimals(), 0, "scrip is whole");
    }

    function test_open_oneAfterAnother() public {
        vm.expectEmit(true, true, true, true);
        emit IVickreyAuction.RoundOpened(
            1,
            START + COMMIT,
            START + COMMIT + REVEAL,
            500,
            INCOME,
            10,
            10_000,
            80
        );
        assertEq(auction.open(), 1, "round");
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_RoundOpen.selector, 1));
        auction.open();
        skip(COMMIT + REVEAL);
        auction.settle();
        assertEq(auction.open(), 2, "the next");
        assertEq(auction.roundCount(), 2, "count");
    }

    function test_open_fixesThePoliciesOfItsRound() public {
        auction.open();
        registry.set("auctionReserve", 1_000);
        registry.set("auctionIncome", 0);
        registry.set("auctionPenaltyBps", 0);
        registry.set("auctionMaxMint", 0);
        _commit(1, 10, 10);
        _commit(2, 30, 30);
        skip(COMMIT);
        _reveal(1, 10);
        skip(REVEAL);
        auction.settle();
        assertEq(auction.roundOf(1).price, 10, "the old reserve");
        assertEq(auction.withdraw(1, 2), 0, "the old penalty");
        assertEq(auction.incomeOf(1), 11, "the old income");
        assertEq(auction.score(1, 81, _score(1, 81)), 80, "the old mint");
    }

    function test_commit_takesTheDeposit() public {
        auction.open();
        vm.expectEmit(true, true, true, true);
        emit IVickreyAuction.Committed(1, 1, owners[0], "seal", 50);
        vm.prank(owners[0]);
        auction.commit(1, "seal", 50);
        assertEq(scrip.balanceOf(address(auction)), 550, "deposit, and what is locked");
        IVickreyAuction.Bid memory bid = auction.bidOf(1, 1);
        assertEq(bid.commitment, "seal", "seal");
        assertEq(bid.bidder, owners[0], "bidder");
        assertEq(bid.deposit, 50, "deposit");
        assertEq(bid.order, 1, "order");
        assertEq(auction.roundOf(1).committed, 1, "count");
    }

    function test_commit_ofAnAgentThatIsNoMember() public {
        vm.prank(owners[0]);
        auction.quit(1, owners[0]);
        uint256 round = _round([uint96(40), 30, 0, 0, 0]);
        assertEq(auction.roundOf(round).winner, 1, "it may win");
        assertEq(auction.incomeOf(1), 0, "and shares nothing");
    }

    function test_commit_refusals() public {
        vm.expectRevert(
            abi.encodeWithSelector(IVickreyAuction.VickreyAuction_WrongTime.selector, START, 0, 0)
        );
        vm.prank(owners[0]);
        auction.commit(1, "seal", 50);
        auction.open();
        vm.expectRevert(
            abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NotAuthorized.selector, stranger, 1)
        );
        vm.prank(stranger);
        auction.commit(1, "seal", 50);
        vm.startPrank(owners[0]);
        vm.expectRevert(IVickreyAuction.VickreyAuction_EmptyCommitment.selector);
        auction.commit(1, 0, 50);
        vm.expectRevert(IVickreyAuction.VickreyAuction_NoDeposit.selector);
        auction.commit(1, "seal", 0);
        auction.commit(1, "seal", 1);
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_Committed.selector, 1));
        auction.commit(1, "seal", 5);
        vm.stopPrank();
        vm.warp(START + COMMIT);
        vm.expectRevert(
            abi.encodeWithSelector(
                IVickreyAuction.VickreyAuction_WrongTime.selector,
                START + COMMIT,
                0,
                START + COMMIT
            )
        );
        vm.prank(owners[1]);
        auction.commit(2, "seal", 5);
    }

    function test_reveal_refusals() public {
        auction.open();
        _commit(1, 50, 50);
        _commit(2, 60, 50);
        vm.expectPartialRevert(IVickreyAuction.VickreyAuction_WrongTime.selector);
        _reveal(1, 50);
        skip(COMMIT);
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_WrongReveal.selector, 1));
        _reveal(1, 49);
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NothingToReveal.selector, 3));
        _reveal(3, 50);
        vm.expectRevert(
            abi.encodeWithSelector(IVickreyAuction.VickreyAuction_BidAboveDeposit.selector, 60, 50)
        );
        _reveal(2, 60);
        vm.expectEmit(true, true, true, true);
        emit IVickreyAuction.Revealed(1, 1, 50, "artifact");
        _reveal(1, 50);
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NothingToReveal.selector, 1));
        _reveal(1, 50);
        vm.warp(START + COMMIT + REVEAL);
        vm.expectPartialRevert(IVickreyAuction.VickreyAuction_WrongTime.selector);
        _reveal(2, 60);
    }

    function test_settle_theHighestPaysTheSecond_andThatIsBurnt() public {
        uint256 round = auction.open();
        uint96[3] memory bids = [uint96(40), 70, 55];
        for (uint96 i = 0; i < 3; ++i) _commit(i + 1, bids[i], bids[i]);
        skip(COMMIT);
        for (uint96 i = 0; i < 3; ++i) _reveal(i + 1, bids[i]);
        skip(REVEAL);
        uint256 supply = scrip.totalSupply();
        vm.expectEmit(true, true, true, true);
        emit IVickreyAuction.RoundSettled(round, 2, 55, INCOME, 500);
        auction.settle();
        assertEq(scrip.totalSupply(), supply - 55, "burnt");
        IVickreyAuction.Round memory state = auction.roundOf(round);
        assertEq(state.winner, 2, "winner");
        assertEq(state.price, 55, "price");
        assertTrue(state.isSettled, "settled");
        vm.expectEmit(true, true, true, true);
        emit IVickreyAuction.DepositWithdrawn(round, 2, 15);
        assertEq(auction.withdraw(round, 2), 15, "70 less 55");
        assertEq(auction.withdraw(round, 1), 40, "in full");
        assertEq(scrip.balanceOf(owners[0]), 1_000, "as before");
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NothingToWithdraw.selector, 1));
        auction.withdraw(round, 1);
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NothingToWithdraw.selector, 4));
        auction.withdraw(round, 4);
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NotSettled.selector, 9));
        auction.withdraw(9, 1);
    }

    function test_settle_times() public {
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NotSettled.selector, 0));
        auction.settle();
        auction.open();
        vm.warp(START + COMMIT + REVEAL - 1);
        vm.expectPartialRevert(IVickreyAuction.VickreyAuction_WrongTime.selector);
        auction.settle();
        vm.warp(START + COMMIT + REVEAL);
        auction.settle();
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NotSettled.selector, 1));
        auction.settle();
    }

    function test_settle_aSingleBidder_paysTheReserve() public {
        uint256 round = _round([uint96(0), 70, 0, 0, 0]);
        assertEq(auction.roundOf(round).price, 10, "reserve");
        round = _round([uint96(9), 0, 0, 0, 0]);
        assertEq(auction.roundOf(round).winner, 0, "below the reserve wins nothing");
        assertEq(auction.roundOf(round).price, 0, "and nobody pays");
        assertEq(auction.withdraw(round, 1), 9, "and costs nothing");
        round = _round([uint96(0), 0, 10, 0, 0]);
        assertEq(auction.roundOf(round).winner, 3, "the reserve itself wins");
        round = _round([uint96(0), 0, 30, 9, 0]);
        assertEq(auction.roundOf(round).price, 10, "a bid below the reserve raises no price");
    }

    function test_settle_withoutAReserve_isFreeForASingleBidder() public {
        registry.set("auctionReserve", 0);
        uint256 round = _round([uint96(0), 70, 0, 0, 0]);
        assertEq(auction.withdraw(round, 2), 70, "in full");
        assertEq(auction.roundOf(round).winner, 2, "winner");
    }

    function test_settle_ties_areTheEarliest() public {
        uint256 round = auction.open();
        _commit(4, 50, 50);
        _commit(2, 50, 50);
        _commit(3, 50, 50);
        skip(COMMIT);
        _reveal(2, 50);
        _reveal(4, 50);
        _reveal(3, 50);
        skip(REVEAL);
        auction.settle();
        assertEq(auction.roundOf(round).winner, 4, "committed first");
        assertEq(auction.roundOf(round).price, 50, "price");
    }

    function test_settle_whateverTheOrderOfReveals_isTheSame() public {
        uint8[3][6] memory orders = [[1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [uint8(3), 2, 1]];
        for (uint256 i = 0; i < 6; ++i) {
            uint256 round = auction.open();
            for (uint96 agent = 1; agent <= 3; ++agent) _commit(agent, 20 * agent, 20 * agent);
            skip(COMMIT);
            for (uint256 j = 0; j < 3; ++j) _reveal(orders[i][j], 20 * uint96(orders[i][j]));
            skip(REVEAL);
            auction.settle();
            assertEq(auction.roundOf(round).winner, 3, "winner");
            assertEq(auction.roundOf(round).price, 40, "price");
        }
    }

    function test_withdraw_ofWhatWasNotRevealed_losesItsPartOfTheDeposit() public {
        registry.set("auctionPenaltyBps", 7_500);
        uint256 round = auction.open();
        _commit(1, 50, 60);
        _commit(2, 20, 20);
        skip(COMMIT);
        _reveal(2, 20);
        skip(REVEAL);
        auction.settle();
        assertEq(auction.roundOf(round).price, 10, "it raises no price");
        uint256 supply = scrip.totalSupply();
        vm.expectEmit(true, true, true, true);
        emit IVickreyAuction.DepositWithdrawn(round, 1, 15);
        assertEq(auction.withdraw(round, 1), 15, "a quarter of 60");
        assertEq(scrip.totalSupply(), supply - 45, "three quarters are burnt");
    }

    function test_score_mintsForTheWinner_once() public {
        uint256 round = auction.open();
        bytes memory early = _score(round, 33);
        vm.expectRevert(
            abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NothingToScore.selector, round)
        );
        auction.score(round, 33, early);
        skip(COMMIT + REVEAL);
        auction.settle();
        round = _round([uint96(40), 70, 55, 0, 0]);
        bytes memory signature = _score(round, 33);
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_BadScore.selector, scorer));
        auction.score(round, 34, signature);
        vm.expectEmit(true, true, true, true);
        emit IVickreyAuction.Scored(round, 2, 33, 33);
        assertEq(auction.score(round, 33, signature), 33, "minted");
        assertEq(scrip.balanceOf(owners[1]), 963, "1,000 less the deposit and 33");
    }

    function test_score_whileTheWinnerIsOnlyLeading_isRefused() public {
        uint256 round = auction.open();
        _commit(1, 50, 50);
        skip(COMMIT);
        _reveal(1, 50);
        bytes memory signature = _score(round, 33);
        vm.expectRevert(
            abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NothingToScore.selector, round)
        );
        auction.score(round, 33, signature);
    }

    function test_score_isBounded() public {
        uint256 round = _round([uint96(40), 70, 55, 0, 0]);
        assertEq(auction.score(round, 81, _score(round, 81)), 80, "bounded");
        round = _round([uint96(0), 0, 0, 0, 0]);
        bytes memory signature = _score(round, 1);
        vm.expectRevert(
            abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NothingToScore.selector, round)
        );
        auction.score(round, 1, signature);
    }
}

/// @notice For every set of bids: who wins, what it pays, and that nothing is made or lost but what is said.
contract VickreyAuctionFuzzTest is AuctionFixture {
    function testFuzz_settle_priceIsTheSecondHighest(uint96[5] memory bids) public {
        (uint256 best, uint256 second, uint256 winner) = (0, 0, 0);
        for (uint256 i = 0; i < 5; ++i) {
            bids[i] = uint96(bound(bids[i], 0, 200));
            if (bids[i] < 10) continue;
            if (bids[i] > best) (best, second, winner) = (bids[i], best, i + 1);
            else if (bids[i] > second) second = bids[i];
        }
        uint256 supply = scrip.totalSupply();
        uint256 round = _round(bids);
        IVickreyAuction.Round memory state = auction.roundOf(round);
        assertEq(state.winner, winner, "winner");
        assertEq(state.price, winner == 0 ? 0 : (second < 10 ? 10 : second), "price");
        for (uint256 i = 1; i <= 5; ++i) if (bids[i - 1] != 0) auction.withdraw(round, i);
        for (uint256 i = 0; i < 5; ++i)
            assertEq(
                scrip.balanceOf(owners[i]),
                i + 1 == winner ? 1_000 - state.price : 1_000,
                "only the winner pays, and only the price"
            );
        assertEq(scrip.totalSupply(), supply - state.price, "which is burnt");
        assertEq(scrip.balanceOf(address(auction)), 500, "what is locked stays");
    }
}
