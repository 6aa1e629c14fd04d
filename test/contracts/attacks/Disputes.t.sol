// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IDisputes} from "../../../contracts/interfaces/trust/IDisputes.sol";
import {IStaking} from "../../../contracts/interfaces/staking/IStaking.sol";
import {DisputesFixture} from "../support/DisputesFixture.sol";

/// @notice What an attacker of Disputes, with seats of its own or as the arbitrable, would try.
contract DisputesAttacks is DisputesFixture {
    bool private burns;
    bool private isHostile;
    uint256 private other;

    /// @dev Whoever is paid calls back; that it is refused does not make the payment fail.
    receive() external payable {
        if (other == 0) return;
        (bool ok, ) = address(disputes).call(abi.encodeCall(IDisputes.execute, (other)));
        if (ok) other = 0;
    }

    /// @dev An arbitrable that burns all the gas it is given, or rules again.
    function rule(uint256 disputeID, uint256 ruling) external override {
        while (burns) {}
        if (isHostile) disputes.execute(other == 0 ? disputeID : other);
        ruled = ruling;
    }

    function createAndRevert(uint256 least) external {
        uint256 id = _create();
        if (disputes.panelOf(id, 0).length < least) revert("another panel, please");
    }

    function _ruled() private returns (uint256 id) {
        id = _tallied(1, 1, 1);
        skip(2 days);
    }

    function _settle(uint256 id) private {
        disputes.settleSeats(id);
    }

    // Seats

    /// @dev One bond goes from name to name, each of which takes a seat before it moves on.
    function test_oneBond_isOneSeat() public {
        uint256 names;
        avt.mint(alice, BOND);
        for (uint256 i = 0; i < 9; ++i) {
            address name = vm.addr(5_000 + i);
            vm.prank(alice);
            avt.transfer(name, BOND);
            vm.startPrank(name);
            avt.approve(address(staking), BOND);
            staking.registerValidator(0);
            staking.stake(name, BOND);
            disputes.joinPool(1);
            ++names;
            vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_InsufficientStake.selector, BOND, 0));
            staking.unstake(name, BOND);
            vm.stopPrank();
        }
        assertEq(_freeSeats(), POOL + names, "a bond each");
    }

    function test_leavingWithTheBond_leavesWithTheSeat() public {
        vm.startPrank(pool[0]);
        disputes.leavePool();
        staking.unstake(pool[0], BOND);
        vm.stopPrank();
        _leave(1, 3);
        uint256 id = _drawn();
        for (uint256 i = 0; i < 3; ++i) assertFalse(_panel(id)[i] == pool[0], "without a bond");
    }

    function test_oneSeat_sitsOnOnePanelAtATime() public {
        uint256 first = _create();
        uint256 second = _create();
        _draw("one");
        _draw("two");
        for (uint256 i = 0; i < 3; ++i)
            for (uint256 j = 0; j < 3; ++j)
                assertFalse(disputes.panelOf(first, 0)[i] == disputes.panelOf(second, 0)[j], "twice");
    }

    /// @dev Four seats of one against four of four names, among 150 draws.
    function test_splittingStakeOverNames_changesNoChances() public {
        _leave(0, POOL);
        address whole = _panelist(vm.addr(6_000), 4 * BOND, 4);
        for (uint256 i = 1; i <= 4; ++i) _panelist(vm.addr(6_000 + i), BOND, 1);
        uint256 id = _create();
        uint256 before = vm.snapshotState();
        uint256 ofTheWhole;
        for (uint256 i = 0; i < 150; ++i) {
            _draw(keccak256(abi.encode(i)));
            address[] memory panel = _panel(id);
            for (uint256 j = 0; j < 3; ++j) if (panel[j] == whole) ++ofTheWhole;
            vm.revertToState(before);
            before = vm.snapshotState();
        }
        // Half of 450, and three standard deviations of drawing without replacement.
        assertLe(225 - 27, ofTheWhole, "seats of the whole");
        assertLe(ofTheWhole, 225 + 27, "seats of the whole");
    }

    // Draws

    function test_redrawingByReverting_isNotPossible() public {
        vm.expectRevert(bytes("another panel, please"));
        this.createAndRevert(1);
        _create();
        vm.expectRevert(
            abi.encodeWithSelector(IDisputes.Disputes_SeedUnknown.selector, block.number, block.number + 64)
        );
        disputes.draw(_headerOf("a block of my choice"));
    }

    /// @dev Whoever knows the seed, or soon does, can change nothing that the draw depends on.
    function test_theSeedIsKnown_nobodyMovesThePool() public {
        uint256 settling = _ruled();
        address rich = _panelist(alice, 2 * BOND, 1);
        skip(7 days);
        uint256 id = _create();
        (, uint256 seedBlock) = disputes.nextDraw();
        vm.roll(seedBlock - 9);
        vm.prank(rich);
        disputes.leavePool();
        staking.slash(pool[0], 1, stranger, "elsewhere");
        bytes memory frozen = abi.encodeWithSelector(IDisputes.Disputes_PoolFrozen.selector, id, seedBlock);
        uint256[4] memory blocks = [seedBlock - 8, seedBlock, seedBlock + 1, seedBlock + 9_000];
        for (uint256 i = 0; i < 4; ++i) {
            vm.roll(blocks[i]);
            vm.expectRevert(frozen);
            vm.prank(rich);
            disputes.joinPool(2);
            vm.expectRevert(frozen);
            vm.prank(pool[1]);
            disputes.leavePool();
            vm.expectRevert(frozen);
            disputes.evict(pool[0]);
            vm.expectRevert(frozen);
            disputes.settleSeats(settling);
        }
        // Anybody thaws it; without the seed's hash by asking for another one, which nobody knows.
        disputes.draw("");
        vm.prank(rich);
        disputes.joinPool(2);
        _settle(settling);
        _draw("random");
    }

    /// @dev A party that does not like the panel lets the block's hash pass away; the other need not let it.
    function test_lettingTheHashPass_needsEverybodysSilence() public {
        uint256 id = _create();
        bytes memory header = _reachSeed("random");
        vm.prank(stranger);
        disputes.draw(header);
        assertEq(_panel(id).length, 3, "drawn by the first who cares");
    }

    // Votes

    function test_oneCorruptPanelist_cannotPullTheRuling() public {
        assertEq(disputes.currentRuling(_tallied(10_001, 4_000, 4_100)), 4_100, "the honest ones' range");
    }

    function test_copyingACommitment_isNoVote() public {
        uint256 id = _drawn();
        address[] memory panel = _panel(id);
        bytes32 seen = disputes.commitmentOf(id, 0, panel[0], 5, "salt");
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(panel[i]);
            disputes.commit(id, seen);
        }
        _reveal(id, panel[0], 5);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_NoVote.selector, panel[1]));
        vm.prank(panel[1]);
        disputes.reveal(id, 5, "salt");
    }

    /// @dev A panelist who waits to see where the others go has seen nothing when it is too late to vote.
    function test_votingAfterTheOthersRevealed_isNotPossible() public {
        uint256 id = _drawn();
        address[] memory panel = _panel(id);
        _commit(id, panel[0], 5);
        _commit(id, panel[1], 5);
        skip(2 days);
        _reveal(id, panel[0], 5);
        vm.expectRevert(
            abi.encodeWithSelector(IDisputes.Disputes_WrongStage.selector, id, IDisputes.Stage.Revealing)
        );
        vm.prank(panel[2]);
        disputes.commit(id, "late");
    }

    /// @dev Four keep to what they find, give or take four per cent; one votes at random. Sixty disputes.
    function test_votingAtRandom_earnsLessThanHonestly() public {
        address gambler = pool[0];
        _leave(5, POOL);
        for (uint256 i = 0; i < 5; ++i) _panelist(pool[i], 49 * BOND, i == 0 ? 0 : 2);
        uint256[2] memory seats;
        for (uint256 i = 0; i < 60; ++i) {
            uint256 id = _create();
            _draw(keccak256(abi.encode("seed", i)));
            address[] memory panel = _panel(id);
            uint256[] memory votes = new uint256[](3);
            uint256 truth = 1 + (uint256(keccak256(abi.encode("truth", i))) % CHOICES);
            for (uint256 j = 0; j < 3; ++j) {
                ++seats[panel[j] == gambler ? 0 : 1];
                votes[j] = _voteOf(panel[j] == gambler, panel[j], truth, i);
            }
            _voteBySeat(id, panel, votes);
            disputes.tally(id);
            skip(2 days);
            disputes.settleSeats(id);
            for (uint256 j = 0; j < 3; ++j) {
                if (_freeOf(panel[j]) >= (panel[j] == gambler ? 1 : 3)) continue;
                vm.prank(panel[j]);
                disputes.joinPool(1);
            }
        }
        uint256 honest;
        uint256 lost;
        for (uint256 i = 1; i < 5; ++i) {
            honest += disputes.feesOf(pool[i]);
            lost += 50 * BOND - staking.bondOf(pool[i]);
        }
        assertLe(10, seats[0], "the gambler's seats");
        assertLe(3 * (disputes.feesOf(gambler) / seats[0]), honest / seats[1], "a third of what is earned");
        assertLe(3 * (lost / seats[1]), (50 * BOND - staking.bondOf(gambler)) / seats[0], "and more is lost");
    }

    function _voteOf(bool isGambler, address who, uint256 truth, uint256 i) private pure returns (uint256) {
        uint256 random = uint256(keccak256(abi.encode(who, i)));
        if (isGambler) return 1 + (random % CHOICES);
        uint256 vote = truth + (random % 800);
        return
            vote < 401
                ? 1
                : vote - 400 > CHOICES
                    ? CHOICES
                    : vote - 400;
    }

    /// @dev Whoever has several seats votes once for all of them.
    function _voteBySeat(uint256 id, address[] memory panel, uint256[] memory votes) private {
        for (uint256 pass = 0; pass < 2; ++pass)
            for (uint256 i = 0; i < 3; ++i) {
                bool isFirst = true;
                for (uint256 j = 0; j < i; ++j) if (panel[j] == panel[i]) isFirst = false;
                if (!isFirst) continue;
                if (pass == 0) _commit(id, panel[i], votes[i]);
                else _reveal(id, panel[i], votes[i]);
            }
    }

    /// @dev A panelist's delegators have staked with it; it is absent.
    function test_anAbsentPanelist_paysItself_notItsDelegators() public {
        uint256 id = _drawn();
        address panelist = _panel(id)[0];
        vm.prank(alice);
        staking.stake(panelist, 5 * BOND);
        skip(3 days);
        disputes.tally(id);
        disputes.ruleByGovernance(id, 1);
        _settle(id);
        assertEq(staking.stakeOf(panelist, alice), 5 * BOND, "the delegator's");
        assertEq(staking.bondOf(panelist), BOND - SLASH, "its own");
    }

    function test_leavingThePool_doesNotEscapeASeat() public {
        uint256 id = _drawn();
        address panelist = _panel(id)[0];
        vm.startPrank(panelist);
        disputes.leavePool();
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_InsufficientStake.selector, 1, 0));
        staking.unstake(panelist, 1);
        vm.stopPrank();
        skip(3 days);
        disputes.tally(id);
        disputes.ruleByGovernance(id, 1);
        _settle(id);
        assertEq(staking.bondOf(panelist), BOND - SLASH, "slashed all the same");
    }

    /// @dev Who is to be slashed settles with just so much gas that the slash fails and the rest succeeds.
    function test_starvingTheSlash_settlesNothing() public {
        uint256 id = _tallied(1, 1, 9_000);
        address odd = _panel(id)[2];
        skip(2 days);
        for (uint256 gas = 300_000; gas < 1_500_000; gas += 25_000) {
            uint256 before = vm.snapshotState();
            (bool ok, ) = address(disputes).call{gas: gas}(abi.encodeCall(IDisputes.settleSeats, (id)));
            if (ok) assertEq(staking.bondOf(odd), BOND - SLASH, "slashed");
            vm.revertToState(before);
        }
        disputes.settleSeats(id);
        assertEq(staking.bondOf(odd), BOND - SLASH, "slashed in the end");
    }

    // Appeals

    /// @dev Who lost appeals, and sees to it that the larger panel does not vote, or is not drawn.
    function test_anAppealThatFails_leavesTheRuling() public {
        for (uint256 i = 0; i < 5; ++i) _panelist(vm.addr(2_000 + i), BOND, 1);
        uint256 id = _tallied(2_000, 2_000, 2_000);
        disputes.appeal{value: APPEAL_COST}(id, "");
        uint256 before = vm.snapshotState();
        _draw("appeal");
        skip(3 days);
        disputes.tally(id);
        disputes.execute(id);
        assertEq(ruled, 2_000, "not refused");
        disputes.settleSeats(id);
        assertEq(disputes.feesOf(address(this)), APPEAL_COST, "nobody earned the appeal's fee");
        vm.revertToState(before);
        skip(60 days);
        disputes.tally(id);
        disputes.execute(id);
        assertEq(ruled, 2_000, "nor when it was never drawn");
    }

    function test_anAppealWithoutEnoughSeats_leavesTheRuling() public {
        uint256 id = _tallied(2_000, 2_000, 2_000);
        disputes.appeal{value: APPEAL_COST}(id, "");
        for (uint256 i = 0; _freeSeats() > 4; ++i) if (_freeOf(pool[i]) == 1) _leave(i, i + 1);
        _draw("appeal");
        _assertStage(id, IDisputes.Stage.Drawing);
        skip(7 days);
        disputes.tally(id);
        disputes.execute(id);
        assertEq(ruled, 2_000, "the last valid one");
        disputes.settleSeats(id);
        assertEq(
            disputes.feesOf(address(this)),
            APPEAL_COST,
            "whoever else had appealed would not have been heard"
        );
    }

    // Rulings

    function test_executingAnotherCaseFromWithinARuling_isRefused() public {
        isHostile = true;
        uint256 id = _ruled();
        other = _tallied(1, 1, 1);
        skip(2 days);
        disputes.execute(id);
        assertFalse(disputes.caseOf(id).isExecuted, "who calls back did not obey");
        assertFalse(disputes.caseOf(other).isExecuted, "and reached nothing else");
    }

    function test_executingACaseFromWithinAPayment_isRefused() public {
        other = _ruled();
        address panelist = _panel(other)[0];
        _settle(other);
        vm.prank(panelist);
        disputes.withdrawFees(payable(this));
        assertFalse(other == 0, "the call back was refused");
        assertEq(disputes.feesOf(panelist), 0, "the fee was paid");
    }

    function test_aGasBomb_orReentry_leavesTheRulingToBeObeyedLater() public {
        isHostile = true;
        uint256 id = _ruled();
        disputes.execute(id);
        assertFalse(disputes.caseOf(id).isExecuted, "its reentry failed");
        burns = true;
        disputes.execute(id);
        assertFalse(disputes.caseOf(id).isExecuted, "its gas was bounded");
        assertEq(disputes.currentRuling(id), 1, "the ruling stands");
    }

    function test_rulingWithoutBeingGovernance_isRefused() public {
        uint256 id = _drawn();
        skip(3 days);
        disputes.tally(id);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, alice));
        vm.prank(alice);
        disputes.ruleByGovernance(id, 2);
    }
}
