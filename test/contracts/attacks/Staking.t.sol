// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Roles} from "../../../contracts/governance/Roles.sol";
import {IStaking} from "../../../contracts/interfaces/staking/IStaking.sol";
import {Staking} from "../../../contracts/staking/Staking.sol";
import {StakingFixture} from "../support/StakingFixture.sol";
import {Hooked} from "../support/tokens/Hooked.sol";

/// @notice What an attacker of Staking would try.
contract StakingAttacks is StakingFixture {
    Staking private other;

    /// @dev The token tells this contract of its transfers, and it stakes again.
    function onTokenTransfer(address, address to, uint256) external {
        if (to == address(other)) other.stake(address(this), 1);
    }

    // Slashing

    /// @dev An operator with next to nothing of its own challenges itself, and has its delegators pay.
    function test_challengingOneself_takesNothingFromDelegators() public {
        _stake(validator, 100 * AVT);
        _stake(alice, 900_000 * AVT);
        uint256 leaving = _unstake(alice, 100_000 * AVT);
        address accomplice = makeAddr("accomplice");
        for (uint256 i = 0; i < 10; ++i) staking.slash(validator, type(uint256).max, accomplice, "mine");
        assertEq(avt.balanceOf(accomplice), 5 * AVT, "a tenth of what its operator lost");
        assertEq(staking.bondOf(validator), 50 * AVT, "the operator's loss");
        assertEq(_assetsOf(alice), 800_000 * AVT, "alice's stake");
        skip(UNBONDING);
        assertEq(_withdraw(alice, leaving), 100_000 * AVT, "alice's unbonding stake");
    }

    /// @dev Even at the highest reward: what comes back is a fifth of what was given up.
    function test_challengingOneself_losesFourFifthsAtLeast() public {
        registry.set("slashRewardBps", 2_000);
        _stake(validator, 1_000 * AVT);
        uint256 before = avt.balanceOf(validator);
        assertEq(staking.slash(validator, 500 * AVT, validator, "mine"), 500 * AVT, "slashed");
        assertEq(avt.balanceOf(validator) - before, 100 * AVT, "reward");
    }

    function test_leavingBeforeTheSlash_doesNotEscapeIt() public {
        _stake(validator, 1_000 * AVT);
        _unstake(validator, 1_000 * AVT);
        skip(UNBONDING - 1);
        assertEq(_slash(400 * AVT), 400 * AVT, "caught");
        skip(1);
        assertEq(_withdraw(validator, _ownId()), 600 * AVT, "slashed on the way out");
    }

    function test_leavingInPieces_doesNotEscapeTheSlash() public {
        _stake(validator, 1_000 * AVT);
        for (uint256 i = 0; i < 100; ++i) {
            _unstake(validator, 10 * AVT);
            skip(1 minutes);
        }
        assertEq(_slash(type(uint256).max), 500 * AVT, "of all that is on its way out");
    }

    function test_restakingBeforeTheSlash_isNoWayOut() public {
        vm.prank(bob);
        staking.registerValidator(0);
        _stake(validator, 1_000 * AVT);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_OwnStake.selector, validator));
        vm.prank(validator);
        staking.restake(validator, bob, 1_000 * AVT);
    }

    /// @dev A period that began when little was there must not shelter what is staked after it.
    function test_usingUpASmallBound_isNoShelter() public {
        _stake(validator, 2);
        _slash(1);
        _stake(validator, 1_000 * AVT);
        assertEq(_slash(type(uint256).max), 500 * AVT, "the bound grows with the stake");
    }

    function test_waitingForMaturedStake_reachesNone() public {
        _stake(validator, 1_000 * AVT);
        _unstake(validator, 1_000 * AVT);
        skip(UNBONDING);
        assertEq(_slash(type(uint256).max), 0, "what has unbonded is out of reach");
        skip(365 days);
        assertEq(_withdraw(validator, _ownId()), 1_000 * AVT, "for ever");
    }

    /// @dev Slashes of dust, by proofs against itself or votes that it missed, made every later one cheaper, for ever.
    function test_slashesOfDust_makeNoLaterLieCheaper() public {
        _stake(validator, 10_000 * AVT);
        assertEq(_slash(5_000 * AVT), 5_000 * AVT, "the first lie");
        _stake(validator, 5_000 * AVT);
        for (uint256 week = 0; week < 26; ++week) {
            skip(UNBONDING - 1);
            _stake(validator, 2);
            _slash(1);
        }
        assertEq(_slash(5_000 * AVT), 5_000 * AVT, "the second costs as much");
    }

    /// @dev The bound of docs/trust.md: with dust before a lie and just before that ends, the lie counts into its second
    ///      unbonding time, in which another costs what it would have cost within the first.
    function test_dustAroundALie_makesAnotherCheaper_forASecondUnbondingTimeAtMost() public {
        _stake(validator, 10_000 * AVT);
        uint256 before = vm.snapshotState();
        _slash(5_000 * AVT);
        _stake(validator, 5_000 * AVT);
        uint256 within = _slash(5_000 * AVT);
        assertEq(within, 2_500 * AVT, "within the first, without dust");
        vm.revertToState(before);
        _slash(1);
        skip(1);
        _slash(5_000 * AVT);
        _stake(validator, 5_000 * AVT);
        skip(UNBONDING - 2);
        _stake(validator, 2);
        _slash(1);
        skip(UNBONDING - 1);
        uint256 last = vm.snapshotState();
        assertLe(_slash(5_000 * AVT), within + 3, "in the last second of the second");
        vm.revertToState(last);
        skip(1);
        assertEq(_slash(5_000 * AVT), 5_000 * AVT, "and after it, in full");
    }

    function test_slashingWithoutTheRole_isRefused() public {
        _stake(alice, 1_000 * AVT);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, validator));
        vm.prank(validator);
        staking.slash(validator, 1, validator, "mine");
    }

    // Captured governance

    /// @dev It grants itself the slasher, raises every bound, and slashes as often as it likes in one block.
    function test_governanceAsSlasher_inOneBlock_takesNoMoreThanTheBound() public {
        address captor = _capture();
        _stake(validator, 1_000 * AVT);
        _stake(alice, 1_000 * AVT);
        vm.startPrank(captor);
        for (uint256 i = 0; i < 50; ++i) staking.slash(validator, type(uint256).max, captor, "");
        vm.stopPrank();
        assertEq(staking.bondOf(validator), 100 * AVT, "a tenth stays, at the highest bound there is");
        assertEq(avt.balanceOf(captor), 180 * AVT, "and a fifth of the rest is all it gets");
        assertEq(_assetsOf(alice), 1_000 * AVT, "delegators keep all");
    }

    /// @dev Who begins to leave when the vote is proposed has left after the unbonding time, and loses the bound once.
    function test_governanceAsSlasher_overTime_losesWhoLeavesTheBoundOnce() public {
        _stake(validator, 1_000 * AVT);
        _unstake(validator, 1_000 * AVT);
        skip(MIN_UNBONDING);
        address captor = _capture();
        registry.set("unbondingSeconds", MIN_UNBONDING);
        vm.startPrank(captor);
        for (; block.timestamp < START + UNBONDING; skip(1 hours))
            staking.slash(validator, type(uint256).max, captor, "");
        vm.stopPrank();
        assertEq(_withdraw(validator, _ownId()), 100 * AVT, "a tenth, at the highest bound there is");
    }

    /// @dev Who leaves only after the first slash is met by two bounds at most.
    function test_governanceAsSlasher_whoLeavesAfterTheFirstSlash_losesTheBoundTwiceAtMost() public {
        _stake(validator, 1_000 * AVT);
        _slash(type(uint256).max);
        skip(1 days);
        _unstake(validator, type(uint256).max);
        for (uint256 i = 0; i < 7 days / 1 hours; ++i) {
            _slash(type(uint256).max);
            skip(1 hours);
        }
        assertEq(_withdraw(validator, _ownId()), 250 * AVT, "half of a half");
    }

    function test_governanceAsBonder_holdsNobodyWhoHasLeft() public {
        _stake(validator, 1_000 * AVT);
        _unstake(validator, 1_000 * AVT);
        skip(MIN_UNBONDING);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_InsufficientStake.selector, 1, 0));
        staking.lock(validator, 1);
        skip(UNBONDING - MIN_UNBONDING);
        assertEq(_withdraw(validator, _ownId()), 1_000 * AVT, "out");
    }

    function _capture() private returns (address captor) {
        captor = makeAddr("captor");
        manager.grantRole(Roles.SLASHER, captor, 0);
        registry.set("maxSlashBps", 9_000);
        registry.set("slashRewardBps", 2_000);
    }

    // Votes

    function test_votingWithSlashedStake_isNotPossible() public {
        _stake(validator, 1_000 * AVT);
        vm.prank(validator);
        staking.delegateVotes(validator, bob);
        _slash(500 * AVT);
        assertEq(staking.getVotes(bob), 500 * AVT, "votes end with the stake");
        skip(1);
        assertEq(staking.getPastVotes(bob, block.timestamp - 1), 500 * AVT, "for the Governor too");
    }

    function test_votingTwiceWithOneStake_isNotPossible() public {
        vm.prank(bob);
        staking.registerValidator(0);
        _stake(alice, 1_000 * AVT);
        vm.startPrank(alice);
        staking.delegateVotes(validator, alice);
        staking.delegateVotes(validator, bob);
        staking.delegateVotes(bob, alice);
        staking.restake(validator, bob, 400 * AVT);
        vm.stopPrank();
        assertEq(staking.getVotes(alice) + staking.getVotes(bob), 1_000 * AVT, "one stake, one vote");
    }

    /// @dev A policy below the length of a vote does not let voters leave before what they decided happens.
    function test_votingAndLeavingBeforeTheDecision_isNotPossible() public {
        registry.set("unbondingSeconds", 1 days);
        _stake(alice, 1_000 * AVT);
        uint256 id = _unstake(alice, 1_000 * AVT);
        skip(MIN_UNBONDING - 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IStaking.Staking_StillUnbonding.selector,
                block.timestamp,
                START + MIN_UNBONDING
            )
        );
        _withdraw(alice, id);
    }

    // Commission and rewards

    /// @dev Announced once, kept in the drawer, and begun when delegators no longer look.
    function test_beginningAnOldAnnouncement_isNotPossible() public {
        vm.startPrank(validator);
        staking.announceCommission(0);
        staking.beginCommission(validator);
        staking.announceCommission(SHARE_BPS);
        vm.stopPrank();
        skip(UNBONDING + 7 days);
        _stake(alice, 1_000 * AVT);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_NoCommissionDue.selector, validator, 0));
        staking.beginCommission(validator);
    }

    function test_raisingTheCommissionOverOldRewards_isNotPossible() public {
        _fund(1_000_000 * AVT);
        vm.prank(validator);
        staking.announceCommission(0);
        staking.beginCommission(validator);
        _stake(alice, 1_000 * AVT);
        vm.prank(validator);
        staking.announceCommission(SHARE_BPS);
        skip(UNBONDING);
        uint256 earned = staking.rewardOf(validator, alice);
        staking.beginCommission(validator);
        assertEq(staking.rewardOf(validator, alice), earned, "what was earned is earned");
        assertEq(staking.commissionOf(validator), 0, "no commission on it");
    }

    function test_keepingACommissionAboveALoweredBound_isNotPossible() public {
        vm.prank(validator);
        staking.announceCommission(SHARE_BPS);
        registry.set("validatorShareBps", SHARE_BPS - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IStaking.Staking_CommissionTooHigh.selector, SHARE_BPS, SHARE_BPS - 1)
        );
        staking.beginCommission(validator);
    }

    function test_stakingJustBeforeARewardIsFunded_earnsNothingOfThePast() public {
        _stake(alice, 1_000 * AVT);
        skip(CYCLE);
        _stake(bob, 900_000 * AVT);
        _fund(1_000 * AVT);
        assertEq(staking.rewardOf(validator, bob), 0, "a reward streams, it does not drop");
        vm.expectRevert(IStaking.Staking_NothingToClaim.selector);
        _claim(bob);
    }

    function test_restakingBackAndForth_earnsNoMore() public {
        vm.prank(bob);
        staking.registerValidator(SHARE_BPS);
        _fund(1_000_000 * AVT);
        _stake(alice, 1_000 * AVT);
        vm.startPrank(alice);
        for (uint256 i = 0; i < 10; ++i) {
            skip(CYCLE / 10);
            (address from, address to) = i % 2 == 0 ? (validator, bob) : (bob, validator);
            staking.restake(from, to, type(uint256).max);
        }
        vm.stopPrank();
        assertEq(avt.balanceOf(alice), 999_045 * AVT, "as if it had stayed");
    }

    // Tokens and other people's stake

    function test_takingSomebodyElsesUnbonding_isRefused() public {
        _stake(alice, 1_000 * AVT);
        uint256 id = _unstake(alice, 1_000 * AVT);
        _stake(validator, 1);
        _unstake(validator, 1);
        skip(UNBONDING);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_NotOwner.selector, bob, alice));
        _withdraw(bob, id);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_NotOwner.selector, bob, validator));
        _withdraw(bob, _ownId());
    }

    function test_permitOfAnotherChain_isRefused() public {
        (address owner, uint256 key) = makeAddrAndKey("owner");
        avt.mint(owner, 5);
        vm.chainId(1);
        bytes32 domain = avt.DOMAIN_SEPARATOR();
        vm.chainId(31_337);
        bytes32 typehash = keccak256(
            "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
        );
        bytes32 message = keccak256(abi.encode(typehash, owner, address(staking), 5, 0, START));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(
            key,
            keccak256(abi.encodePacked(hex"1901", domain, message))
        );
        vm.expectPartialRevert(ERC20Permit.ERC2612InvalidSigner.selector);
        avt.permit(owner, address(staking), 5, START, v, r, s);
    }

    function test_reenteringFromTheToken_isRefused() public {
        Hooked token = new Hooked();
        other = new Staking(address(manager), token, registry, MIN_UNBONDING);
        other.registerValidator(0);
        token.mint(address(this), 10);
        token.approve(address(other), 10);
        vm.expectRevert(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        other.stake(address(this), 5);
    }
}
