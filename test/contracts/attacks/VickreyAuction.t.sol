// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVickreyAuction} from "../../../contracts/interfaces/market/IVickreyAuction.sol";
import {VickreyAuction} from "../../../contracts/market/VickreyAuction.sol";
import {AuctionFixture} from "../market/VickreyAuction.t.sol";

/// @notice What an attacker of the auction would try.
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
        VickreyAuction other = _house(IVickreyAuction.Rule.Equal);
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
        vm.startPrank(stranger);
        uint256 agent = agents.register();
        auction.join(agent);
        assertEq(auction.incomeOf(agent), 0, "nothing of the past");
        vm.expectRevert(
            abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NothingToClaim.selector, agent)
        );
        auction.claimIncome(agent, stranger);
        vm.stopPrank();
    }

    function test_aScoreOfAnotherRound_mintsNothing() public {
        uint256 one = _round([uint96(40), 70, 55, 0, 0]);
        uint256 other = _round([uint96(40), 70, 55, 0, 0]);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(scorerKey, auction.scoreDigest(one, 50));
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_BadScore.selector, scorer));
        auction.score(other, 50, abi.encodePacked(r, s, v));
    }

    function test_withdrawingAnUnrevealedBidBeforeTheEnd_isRefused() public {
        auction.open();
        _commit(1, 50, 50);
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NotSettled.selector, 1));
        auction.withdraw(1, 1);
    }
}
