// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IVickreyAuction} from "../../../contracts/interfaces/market/IVickreyAuction.sol";
import {Scrip} from "../../../contracts/market/Scrip.sol";
import {AuctionFixture} from "../support/AuctionFixture.sol";
import {ContractWallet} from "../support/ContractWallet.sol";

/// @notice Who shares the income, and who scores.
contract VickreyAuctionMembersTest is AuctionFixture {
    uint96[5] private none;

    function test_join_locksScrip_onceByTheAgentsOwn() public {
        vm.prank(stranger);
        uint256 agent = agents.register();
        scrip.mint(stranger, 30);
        vm.expectRevert(
            abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NotAuthorized.selector, owners[0], agent)
        );
        vm.prank(owners[0]);
        auction.join(agent, 1);
        vm.startPrank(stranger);
        scrip.approve(address(auction), 30);
        vm.expectRevert(IVickreyAuction.VickreyAuction_NoWeight.selector);
        auction.join(agent, 0);
        vm.expectEmit(true, true, true, true);
        emit IVickreyAuction.Joined(agent, 30, 1);
        auction.join(agent, 30);
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_Member.selector, agent));
        auction.join(agent, 1);
        vm.stopPrank();
        assertEq(scrip.balanceOf(stranger), 0, "locked");
        assertEq(auction.totalWeight(), 530, "weight");
        IVickreyAuction.Member memory member = auction.memberOf(agent);
        assertEq(member.weight, 30, "its weight");
        assertEq(member.fromRound, 1, "from the first round");
    }

    function test_join_whileARoundIsOpen_countsFromTheNext() public {
        vm.prank(owners[0]);
        auction.quit(1, owners[0]);
        auction.open();
        _join(1, 600);
        assertEq(auction.roundOf(1).weight, 400, "counted at opening");
        skip(COMMIT + REVEAL);
        auction.settle();
        assertEq(auction.incomeOf(1), 0, "no part of that round");
        assertEq(auction.incomeOf(2), 13, "a quarter of 55");
        _round(none);
        assertEq(auction.roundOf(2).weight, 1_000, "in the next");
        assertEq(auction.incomeOf(1), 33, "six tenths of 55");
        assertEq(auction.incomeOf(2), 19, "13.75 and 5.5");
    }

    function test_quit_givesBackWhatIsLocked_andTheIncome() public {
        _round(none);
        vm.expectRevert(
            abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NotAuthorized.selector, stranger, 4)
        );
        vm.prank(stranger);
        auction.quit(4, stranger);
        vm.expectEmit(true, true, true, true);
        emit IVickreyAuction.Left(4, stranger, 100);
        vm.startPrank(owners[3]);
        assertEq(auction.quit(4, stranger), 111, "100 and a fifth of 55");
        assertEq(scrip.balanceOf(stranger), 111, "paid");
        assertEq(auction.totalWeight(), 400, "weight");
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NotMember.selector, 4));
        auction.quit(4, stranger);
        vm.stopPrank();
        assertEq(auction.incomeOf(4), 0, "nothing is left");
        _join(4, 100);
        _round(none);
        assertEq(auction.incomeOf(4), 11, "it may come again");
    }

    function test_quit_paysAnIncomeOfOneUnitToo() public {
        registry.set("auctionIncome", 5);
        _round(none);
        vm.prank(owners[0]);
        assertEq(auction.quit(1, owners[0]), 101, "100 and one");
        assertEq(scrip.balanceOf(owners[0]), 1_101, "paid");
    }

    function test_quit_whileARoundIsOpen_leavesItsPartToTheOthers() public {
        auction.open();
        vm.prank(owners[0]);
        assertEq(auction.quit(1, owners[0]), 100, "no part of the round");
        skip(COMMIT + REVEAL);
        auction.settle();
        assertEq(auction.incomeOf(2), 13, "a quarter of 55");
        auction.open();
        vm.prank(owners[1]);
        assertEq(auction.quit(2, owners[1]), 113, "with the round before");
        for (uint256 agent = 3; agent <= 5; ++agent) {
            vm.prank(owners[agent - 1]);
            auction.quit(agent, owners[agent - 1]);
        }
        skip(COMMIT + REVEAL);
        vm.expectEmit(true, true, true, true);
        emit IVickreyAuction.RoundSettled(2, 0, 0, 0, 0);
        auction.settle();
        assertEq(scrip.balanceOf(address(auction)), 0, "nothing stays");
    }

    function test_quit_ofWhoJoinedWhileTheRoundIsOpen_changesNothing() public {
        vm.prank(owners[0]);
        auction.quit(1, owners[0]);
        auction.open();
        _join(1, 100);
        vm.prank(owners[0]);
        auction.quit(1, owners[0]);
        assertEq(auction.roundOf(1).weight, 400, "the round's weight");
        assertEq(auction.totalWeight(), 400, "all weight");
    }

    function test_claimIncome() public {
        _round([uint96(40), 70, 55, 0, 0]);
        vm.expectRevert(
            abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NotAuthorized.selector, stranger, 4)
        );
        vm.prank(stranger);
        auction.claimIncome(4, stranger);
        vm.expectEmit(true, true, true, true);
        emit IVickreyAuction.IncomeClaimed(4, stranger, 11);
        vm.prank(owners[3]);
        assertEq(auction.claimIncome(4, stranger), 11, "amount");
        assertEq(scrip.balanceOf(stranger), 11, "minted");
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NothingToClaim.selector, 4));
        vm.prank(owners[3]);
        auction.claimIncome(4, stranger);
        _round([uint96(40), 70, 50, 0, 0]);
        assertEq(auction.incomeOf(4), 11, "the next round's");
        assertEq(auction.incomeOf(5), 22, "both rounds'");
        auction.open();
        assertEq(auction.incomeOf(5), 22, "an open round changes nothing");
        vm.prank(owners[4]);
        assertEq(auction.claimIncome(5, stranger), 22, "claimed while it is open");
        skip(COMMIT + REVEAL);
        auction.settle();
        assertEq(auction.incomeOf(5), 11, "the open round's comes when it is settled");
    }

    function test_claimIncome_afterEachRoundOrOnce_isTheSame() public {
        registry.set("auctionIncome", 8);
        uint256 often;
        for (uint256 i = 0; i < 5; ++i) {
            _round(none);
            if (auction.incomeOf(1) == 0) continue;
            vm.prank(owners[0]);
            often += auction.claimIncome(1, owners[0]);
        }
        assertEq(often, 8, "a fifth of 8, five times");
        assertEq(auction.incomeOf(2), 8, "the same");
    }

    function test_claimIncome_goesWithTheAgent() public {
        _round(none);
        vm.prank(owners[0]);
        agents.transferFrom(owners[0], stranger, 1);
        vm.prank(stranger);
        assertEq(auction.quit(1, stranger), 111, "what is locked, too");
    }

    function testFuzz_incomes_neverExceedWhatIsShared(uint64[5] memory weights, uint8 rounds) public {
        uint256 total;
        for (uint256 i = 0; i < 5; ++i) {
            weights[i] = uint64(bound(weights[i], 1, type(uint64).max / 8));
            vm.prank(owners[i]);
            auction.quit(i + 1, owners[i]);
            _join(i + 1, weights[i]);
            total += weights[i];
        }
        uint256 count = 1 + (rounds % 4);
        for (uint256 i = 0; i < count; ++i) _round(none);
        uint256 sum;
        for (uint256 i = 0; i < 5; ++i) {
            uint256 income = auction.incomeOf(i + 1);
            uint256 exact = (count * INCOME * weights[i]) / total;
            assertLe(income, exact + 1, "by weight");
            assertLe(exact, income, "rounded down once");
            sum += income;
        }
        assertLe(sum, count * INCOME, "together");
    }

    // The artifact's score

    function test_score_ofAScorerWithCode_isItsKeysOrItsCodes() public {
        uint256 round = _round([uint96(40), 70, 55, 0, 0]);
        bytes memory signature = _score(round, 33);
        // EIP-7702: this code takes nobody's word but another key's.
        (address other, uint256 otherKey) = makeAddrAndKey("other");
        vm.etch(scorer, abi.encodePacked(hex"ef0100", address(new ContractWallet(other))));
        uint256 before = vm.snapshotState();
        assertEq(auction.score(round, 33, signature), 33, "by its key");
        vm.revertToState(before);
        scorerKey = otherKey;
        assertEq(auction.score(round, 20, _score(round, 20)), 20, "by its code");
    }

    function test_setScorer_byTheAdmin() public {
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        vm.prank(stranger);
        auction.setScorer(stranger);
        auction.setScorer(stranger);
        assertEq(auction.scorer(), stranger, "scorer");
        uint256 round = _round([uint96(40), 70, 55, 0, 0]);
        bytes memory signature = _score(round, 1);
        auction.setScorer(address(0));
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_BadScore.selector, address(0)));
        auction.score(round, 1, signature);
    }

    function test_scrip_isMintedByTheRoleOnly_andForAnArtifactOnce() public {
        vm.startPrank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        scrip.mint(stranger, 1);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        scrip.mintFor("artifact", stranger, 1);
        vm.stopPrank();
        scrip.mintFor("artifact", stranger, 7);
        assertEq(scrip.balanceOf(stranger), 7, "minted");
        assertTrue(scrip.isMinted("artifact"), "noted");
        vm.expectRevert(abi.encodeWithSelector(Scrip.Scrip_AlreadyMinted.selector, bytes32("artifact")));
        scrip.mintFor("artifact", stranger, 7);
    }
}
