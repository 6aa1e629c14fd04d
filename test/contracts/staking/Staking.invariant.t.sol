// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ParameterRegistry} from "../../../contracts/governance/ParameterRegistry.sol";
import {Roles} from "../../../contracts/governance/Roles.sol";
import {IStaking} from "../../../contracts/interfaces/staking/IStaking.sol";
import {Staking} from "../../../contracts/staking/Staking.sol";
import {StakingFixture} from "../support/StakingFixture.sol";
import {Walk} from "../support/Walk.sol";
import {StakingHandler} from "./StakingHandler.sol";

/// @dev In this file because the runner targets only contracts of the test files themselves.
contract Coalition is StakingHandler {
    constructor(
        Staking staking_,
        ParameterRegistry registry_,
        address[6] memory stakers_,
        address reporter_
    ) StakingHandler(staking_, registry_, stakers_, reporter_) {}
}

/// @notice Whatever a coalition of operators, slasher, bonder, reporter, delegators and policies does.
contract StakingInvariantTest is StakingFixture, Walk {
    /// @dev What rounding may take from somebody in a run: a base unit, and a part in 1e18 of each that is staked.
    uint256 private constant DUST = 1e10;
    uint256 private constant FUNDED = 50_000_000 * AVT;

    StakingHandler private handler;
    uint256 private coalitionHad;
    uint256[6] private had;

    function setUp() public override {
        super.setUp();
        address[6] memory stakers = [
            validator,
            _funded("mallory"),
            _funded("carol"),
            alice,
            bob,
            _funded("honest validator")
        ];
        for (uint256 i = 1; i < 6; i += 4) {
            vm.prank(stakers[i]);
            staking.registerValidator(500);
        }
        handler = new Coalition(staking, registry, stakers, makeAddr("reporter"));
        manager.grantRole(manager.ADMIN_ROLE(), address(handler), 0);
        manager.grantRole(Roles.SLASHER, address(handler), 0);
        manager.grantRole(Roles.BONDER, address(handler), 0);
        // Enough for every run, so that all that is earned is paid.
        _fund(FUNDED);
        coalitionHad = _coalition();
        for (uint256 i = 0; i < 6; ++i) had[i] = handler.wealthOf(stakers[i]);
        targetContract(address(handler));
    }

    /// @dev One campaign asks all of them after each call: a campaign of its own for each would walk the same ways.
    function invariant_allHold() public view {
        check_holdsWhatItOwes();
        check_theCoalitionGainsNothing();
        check_honestDelegatorsHaveAllOfTheirs();
        check_votesAreStake();
        check_nothingForbiddenHappened();
    }

    /// @notice Staking holds at least what it owes: stake, unbonding stake, rewards earned and not yet earned.
    function check_holdsWhatItOwes() public view {
        (uint256 staked, uint256 owed) = staking.totals();
        uint256 positions;
        uint256 ofValidators;
        for (uint256 pool = 0; pool < handler.VALIDATORS(); ++pool) {
            address at = handler.validators(pool);
            ofValidators += staking.validatorOf(at).assets;
            owed += staking.commissionOf(at);
            for (uint256 i = 0; i < handler.STAKERS(); ++i) {
                owed += staking.rewardOf(at, handler.stakers(i));
                positions += staking.stakeOf(at, handler.stakers(i));
            }
        }
        for (uint256 i = 0; i < handler.unbondingCount(); ++i)
            owed += staking.unbondingOf(handler.unbondings(i)).assets;
        assertEq(ofValidators, staked, "the validators' stake");
        assertEq(positions, staked, "the stakers' stake");
        assertLe(owed + staked, avt.balanceOf(address(staking)), "owed and held");
    }

    /// @notice The coalition has no more than it brought and earned, less what was burned of its own; beyond that a
    ///         fifth at most of what the honest validator lost.
    function check_theCoalitionGainsNothing() public view {
        assertLe(
            _coalition() + handler.burnedOwn(),
            coalitionHad + handler.earnedMost() + handler.bounties() + DUST,
            "the coalition"
        );
    }

    /// @notice An honest delegator has all that it brought and all that it earned.
    function check_honestDelegatorsHaveAllOfTheirs() public view {
        for (uint256 i = handler.HONEST(); i < 5; ++i)
            assertLe(
                had[i] + handler.earnedLeast(i),
                handler.wealthOf(handler.stakers(i)) + DUST,
                "an honest delegator"
            );
    }

    /// @notice A delegate's votes are the stake that is delegated to it, at any time.
    function check_votesAreStake() public view {
        uint256[6] memory votes;
        for (uint256 pool = 0; pool < handler.VALIDATORS(); ++pool)
            for (uint256 i = 0; i < 6; ++i) {
                (address at, address staker) = (handler.validators(pool), handler.stakers(i));
                (address delegatee, uint256 given) = staking.votesOf(at, staker);
                if (delegatee == address(0)) continue;
                assertEq(given, staking.stakeOf(at, staker), "votes and stake");
                for (uint256 j = 0; j < 6; ++j) if (handler.stakers(j) == delegatee) votes[j] += given;
            }
        for (uint256 j = 0; j < 6; ++j)
            assertEq(staking.getVotes(handler.stakers(j)), votes[j], "a delegate's votes");
    }

    function check_nothingForbiddenHappened() public view {
        assertEq(bytes(handler.forbidden()), "", handler.forbidden());
    }

    function test_aWalk_reachesEveryPath_andAllCanLeave() public {
        for (uint256 seed = 0; seed < 4; ++seed) {
            _walk(address(handler), _selectors(), seed, 250);
            invariant_allHold();
        }
        string[18] memory paths = [
            "stake",
            "stake own",
            "unstake",
            "unstake own",
            "restake",
            "withdraw",
            "withdraw too early",
            "claim",
            "claim commission",
            "slash",
            "slash of nothing",
            "lock",
            "unlock",
            "announce commission",
            "begin commission",
            "delegate votes",
            "policies",
            "time passes"
        ];
        for (uint256 i = 0; i < paths.length; ++i) {
            _print(paths[i], handler.reached(paths[i]));
            assertTrue(handler.reached(paths[i]) != 0, paths[i]);
        }
        _allLeave();
        (uint256 staked, ) = staking.totals();
        assertEq(staked, 0, "nobody is kept in");
        invariant_allHold();
    }

    function _allLeave() private {
        for (uint256 pool = 0; pool < 3; ++pool) {
            handler.unlock(pool, type(uint256).max);
            address at = handler.validators(pool);
            uint256 locked = staking.lockedBy(at, address(handler));
            vm.prank(address(handler));
            staking.unlock(at, locked);
            for (uint256 i = 0; i < 6; ++i) {
                if (staking.stakeOf(at, handler.stakers(i)) == 0) continue;
                handler.unstake(i, pool, staking.stakeOf(at, handler.stakers(i)));
            }
        }
        skip(60 days);
        for (uint256 i = 0; i < handler.unbondingCount(); ++i) handler.withdraw(i);
        for (uint256 i = 0; i < handler.unbondingCount(); ++i) {
            IStaking.Unbonding memory unbonding = staking.unbondingOf(handler.unbondings(i));
            assertEq(unbonding.owner, address(0), "nothing is left behind");
        }
    }

    function _coalition() private view returns (uint256 wealth) {
        wealth = avt.balanceOf(handler.reporter());
        for (uint256 i = 0; i < handler.HONEST(); ++i) wealth += handler.wealthOf(handler.stakers(i));
    }

    function _selectors() private pure returns (bytes4[] memory all) {
        all = new bytes4[](15);
        all[0] = StakingHandler.stake.selector;
        all[1] = StakingHandler.unstake.selector;
        all[2] = StakingHandler.restake.selector;
        all[3] = StakingHandler.withdraw.selector;
        all[4] = StakingHandler.claim.selector;
        all[5] = StakingHandler.claimCommission.selector;
        all[6] = StakingHandler.slash.selector;
        all[7] = StakingHandler.lock.selector;
        all[8] = StakingHandler.unlock.selector;
        all[9] = StakingHandler.commission.selector;
        all[10] = StakingHandler.beginCommission.selector;
        all[11] = StakingHandler.delegateVotes.selector;
        all[12] = StakingHandler.policies.selector;
        all[13] = StakingHandler.pass.selector;
        all[14] = StakingHandler.stakeOwn.selector;
    }

    /// @dev The runner shows what is sent to the console's address.
    function _print(string memory what, uint256 times) private view {
        (bool ok, ) = 0x000000000000000000636F6e736F6c652e6c6f67.staticcall(
            abi.encodeWithSignature("log(string,uint256)", what, times)
        );
        ok;
    }
}
