// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {Roles} from "../../../contracts/governance/Roles.sol";
import {IVickreyAuction} from "../../../contracts/interfaces/market/IVickreyAuction.sol";
import {Scrip} from "../../../contracts/market/Scrip.sol";
import {VickreyAuction} from "../../../contracts/market/VickreyAuction.sol";
import {AuctionFixture} from "../support/AuctionFixture.sol";

/// @notice What an attacker of the auction would try; `VickreyAuctionStrategies` searches what nobody thought of.
contract VickreyAuctionAttacks is AuctionFixture {
    function test_copyingACommitment_winsNothing() public {
        auction.open();
        bytes32 seal = auction.commitmentOf(1, 1, 50, "artifact", SALT);
        vm.prank(owners[0]);
        auction.commit(1, seal, 50);
        vm.prank(owners[1]);
        auction.commit(2, seal, 50);
        skip(COMMIT);
        _reveal(1, 50);
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_WrongReveal.selector, 2));
        _reveal(2, 50);
    }

    function test_aSealOfAnotherRoundHouseOrChain_doesNotOpen() public {
        auction.open();
        bytes32 seal = auction.commitmentOf(2, 1, 50, "artifact", SALT);
        vm.prank(owners[0]);
        auction.commit(1, seal, 50);
        VickreyAuction other = _house();
        bytes32 foreign = other.commitmentOf(1, 2, 50, "artifact", SALT);
        vm.prank(owners[1]);
        auction.commit(2, foreign, 50);
        vm.chainId(1);
        bytes32 elsewhere = auction.commitmentOf(1, 3, 50, "artifact", SALT);
        vm.chainId(31_337);
        vm.prank(owners[2]);
        auction.commit(3, elsewhere, 50);
        skip(COMMIT);
        for (uint256 agent = 1; agent <= 3; ++agent) {
            vm.expectRevert(
                abi.encodeWithSelector(IVickreyAuction.VickreyAuction_WrongReveal.selector, agent)
            );
            _reveal(agent, 50);
        }
    }

    function test_frontRunningAReveal_changesNothing() public {
        auction.open();
        _commit(1, 50, 50);
        skip(COMMIT);
        vm.prank(stranger);
        _reveal(1, 50);
        skip(REVEAL);
        auction.settle();
        assertEq(auction.roundOf(1).winner, 1, "whoever reveals it, it is agent 1's");
        assertEq(auction.bidOf(1, 1).bidder, owners[0], "and its deposit the owner's");
    }

    function test_joiningForIncomeOfPastRounds_isNotPossible() public {
        _round([uint96(40), 70, 55, 0, 0]);
        vm.prank(owners[0]);
        auction.quit(1, owners[0]);
        _join(1, 1_000_000);
        assertEq(auction.incomeOf(1), 0, "nothing of the past");
    }

    function test_freeIdentities_shareNothing() public {
        vm.startPrank(stranger);
        for (uint256 i = 0; i < 50; ++i) {
            uint256 agent = agents.register();
            vm.expectRevert(IVickreyAuction.VickreyAuction_NoWeight.selector);
            auction.join(agent, 0);
        }
        vm.stopPrank();
        _round([uint96(40), 70, 55, 0, 0]);
        for (uint256 agent = 6; agent <= 55; ++agent) assertEq(auction.incomeOf(agent), 0, "income");
        assertEq(auction.incomeOf(1), 11, "nobody's is less");
    }

    function test_twentyIdentities_haveNoMoreThanOneWithTheirWeight() public {
        vm.prank(owners[0]);
        auction.quit(1, owners[0]);
        vm.startPrank(owners[0]);
        for (uint256 i = 0; i < 20; ++i) auction.join(agents.register(), 5);
        vm.stopPrank();
        for (uint256 i = 0; i < 4; ++i) _round([uint96(0), 70, 55, 0, 0]);
        uint256 income;
        for (uint256 agent = 6; agent <= 25; ++agent) income += auction.incomeOf(agent);
        assertLe(income, auction.incomeOf(2), "100 locked by twenty, and by one");
    }

    /// @notice Five rungs of a ladder: what lies below the highest other bid is revealed, the rest withheld.
    function test_aLadderOfBids_costsWhatItWithholds() public {
        uint256 round = auction.open();
        uint96[4] memory rungs = [uint96(100), 500, 899, 950];
        for (uint96 i = 0; i < 4; ++i) _commit(i + 2, rungs[i], rungs[i]);
        _commit(1, 900, 900);
        skip(COMMIT);
        _reveal(1, 900);
        for (uint96 i = 0; i < 3; ++i) _reveal(i + 2, rungs[i]);
        skip(REVEAL);
        auction.settle();
        assertEq(auction.roundOf(round).price, 899, "the winner pays no more than it bid");
        uint256 wealth;
        for (uint256 agent = 2; agent <= 5; ++agent) {
            auction.withdraw(round, agent);
            wealth += scrip.balanceOf(owners[agent - 1]) + auction.incomeOf(agent);
        }
        assertEq(
            wealth,
            4_000 + 44 - 950,
            "the coalition loses all that it withheld, and has no more income"
        );
        assertEq(auction.incomeOf(1), 11, "nor has anybody");
    }

    function test_oneArtifact_isMintedForOnce_amongAllHousesAndRounds() public {
        uint256 one = _round([uint96(40), 70, 55, 0, 0]);
        auction.score(one, 50, _score(one, 50));
        uint256 two = _round([uint96(40), 70, 55, 0, 0]);
        bytes memory again = _score(two, 50);
        bytes memory minted = abi.encodeWithSelector(Scrip.Scrip_AlreadyMinted.selector, bytes32("artifact"));
        vm.expectRevert(minted);
        auction.score(two, 50, again);
        again = _score(one, 50);
        vm.expectRevert(minted);
        auction.score(one, 50, again);
        auction = _house();
        vm.prank(owners[1]);
        scrip.approve(address(auction), 70);
        uint256 elsewhere = auction.open();
        _commit(2, 70, 70);
        skip(COMMIT);
        _reveal(2, 70);
        skip(REVEAL);
        auction.settle();
        again = _score(elsewhere, 50);
        vm.expectRevert(minted);
        auction.score(elsewhere, 50, again);
    }

    /// @dev Was: a copy that the scorer gave nothing used its author's artifact up.
    function test_aCopyThatIsWorthNothing_usesUpNobodysArtifact() public {
        uint256 original = _round([uint96(40), 70, 55, 0, 0]);
        uint256 copy = _round([uint96(0), 0, 60, 0, 0]);
        assertEq(auction.score(copy, 0, _score(copy, 0)), 0, "worth nothing");
        assertFalse(scrip.isMinted("artifact"), "nothing was minted");
        assertEq(auction.score(original, 50, _score(original, 50)), 50, "its author's");
    }

    /// @dev The bound of docs/trust.md: who keeps others' reveals out of the chain for all of their time.
    function test_keepingAllOtherRevealsOut_winsAtTheReserve_andCostsThemThePenalty() public {
        registry.set("auctionPenaltyBps", 7_500);
        uint256 round = auction.open();
        _commit(1, 90, 100);
        _commit(2, 20, 20);
        skip(COMMIT);
        _reveal(2, 20);
        skip(REVEAL - 1);
        uint256 late = vm.snapshotState();
        _reveal(1, 90);
        vm.revertToState(late);
        skip(1);
        vm.expectPartialRevert(IVickreyAuction.VickreyAuction_WrongTime.selector);
        _reveal(1, 90);
        auction.settle();
        assertEq(auction.roundOf(round).winner, 2, "who was let in");
        assertEq(auction.roundOf(round).price, 10, "at the reserve");
        assertEq(auction.withdraw(round, 1), 25, "the others lose the penalty");
    }

    function test_aBidWithoutAnArtifact_mintsNothing() public {
        uint256 round = auction.open();
        bytes32 seal = auction.commitmentOf(round, 1, 50, 0, SALT);
        vm.prank(owners[0]);
        auction.commit(1, seal, 50);
        skip(COMMIT);
        auction.reveal(1, 50, 0, SALT);
        skip(REVEAL);
        auction.settle();
        bytes memory signature = _score(round, 50);
        vm.expectRevert(
            abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NothingToScore.selector, round)
        );
        auction.score(round, 50, signature);
    }

    function test_aScoreOfAnotherRound_mintsNothing() public {
        uint256 one = _round([uint96(40), 70, 55, 0, 0]);
        uint256 other = _round([uint96(40), 70, 55, 0, 0]);
        bytes memory signature = _score(one, 50);
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_BadScore.selector, scorer));
        auction.score(other, 50, signature);
    }

    function test_withdrawingAnUnrevealedBidBeforeTheEnd_isRefused() public {
        auction.open();
        _commit(1, 50, 50);
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NotSettled.selector, 1));
        auction.withdraw(1, 1);
    }

    /// @notice Whoever settles and opens in one transaction, round after round, keeps nobody's scrip from it.
    function test_openingAtOnceAfterSettling_keepsNobodyIn() public {
        for (uint256 i = 0; i < 3; ++i) {
            auction.open();
            skip(COMMIT + REVEAL);
            auction.settle();
        }
        auction.open();
        vm.prank(owners[0]);
        assertEq(auction.quit(1, owners[0]), 133, "100 and three rounds' income");
    }

    /// @dev Was: a house that may mint no more, as one that is retired, kept what its members had locked.
    function test_aHouseThatMayNotMint_givesBackWhatIsLocked_andOwesTheIncome() public {
        uint96[5] memory none;
        _round(none);
        manager.revokeRole(Roles.SCRIP_MINTER, address(auction));
        uint256 had = scrip.balanceOf(owners[0]);
        vm.startPrank(owners[0]);
        vm.expectRevert(
            abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, address(auction))
        );
        auction.claimIncome(1, owners[0]);
        assertEq(auction.quit(1, owners[0]), WEIGHT, "what it had locked");
        vm.stopPrank();
        assertEq(scrip.balanceOf(owners[0]), had + WEIGHT, "it has it");
        assertEq(auction.incomeOf(1), 11, "the rest is owed");
        assertEq(auction.memberOf(1).weight, 0, "to no member");
        manager.grantRole(Roles.SCRIP_MINTER, address(auction), 0);
        vm.startPrank(owners[0]);
        assertEq(auction.claimIncome(1, owners[0]), 11, "paid later");
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NothingToClaim.selector, 1));
        auction.claimIncome(1, owners[0]);
        vm.stopPrank();
        assertEq(scrip.balanceOf(owners[0]), had + WEIGHT + 11, "once");
    }

    function test_whatIsOwed_standsBesideALaterMembership() public {
        uint96[5] memory none;
        _round(none);
        manager.revokeRole(Roles.SCRIP_MINTER, address(auction));
        vm.prank(owners[0]);
        auction.quit(1, owners[0]);
        _join(1, WEIGHT);
        assertEq(auction.incomeOf(1), 11, "owed still");
        _round(none);
        assertEq(auction.incomeOf(1), 22, "and a round more");
        vm.prank(owners[0]);
        auction.quit(1, owners[0]);
        assertEq(auction.incomeOf(1), 22, "owed together");
        _join(1, WEIGHT);
        manager.grantRole(Roles.SCRIP_MINTER, address(auction), 0);
        _round(none);
        vm.prank(owners[0]);
        assertEq(auction.quit(1, owners[0]), WEIGHT + 33, "all of it");
        assertEq(auction.incomeOf(1), 0, "once");
    }
}
