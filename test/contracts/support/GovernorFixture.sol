// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {AgentGovernor} from "../../../contracts/governance/AgentGovernor.sol";
import {ParameterRegistry} from "../../../contracts/governance/ParameterRegistry.sol";
import {Roles} from "../../../contracts/governance/Roles.sol";
import {Staking} from "../../../contracts/staking/Staking.sol";
import {StakingFixture} from "./StakingFixture.sol";

/// @notice The governor over its timelock, which is the only admin; with a guardian.
abstract contract GovernorFixture is StakingFixture {
    /// @dev What a proposal does.
    struct Act {
        address target;
        bytes data;
    }

    uint48 internal constant DELAY = 1 days;
    uint32 internal constant PERIOD = 3 days;
    uint48 internal constant LATE_QUORUM = 1 days;
    uint256 internal constant TIMELOCK_DELAY = 2 days;

    TimelockController internal timelock;
    AgentGovernor internal governor;
    address internal guardian;

    function setUp() public virtual override {
        super.setUp();
        guardian = makeAddr("guardian");
        address[] memory none = new address[](0);
        timelock = new TimelockController(TIMELOCK_DELAY, none, none, address(this));
        governor = new AgentGovernor(
            avt,
            staking,
            timelock,
            AgentGovernor.Settings(DELAY, PERIOD, LATE_QUORUM, 100 * AVT, 10, guardian)
        );
        timelock.grantRole(timelock.PROPOSER_ROLE(), address(governor));
        timelock.grantRole(timelock.CANCELLER_ROLE(), address(governor));
        timelock.grantRole(timelock.EXECUTOR_ROLE(), address(governor));
        timelock.renounceRole(timelock.DEFAULT_ADMIN_ROLE(), address(this));
        _allow(address(staking), Staking.lengthenUnbonding.selector, Roles.GOVERNOR);
        manager.grantRole(Roles.GOVERNOR, address(governor), 0);
        // As it is deployed: stake unbonds no faster than a vote takes.
        manager.grantRole(Roles.GOVERNOR, address(this), 0);
        staking.lengthenUnbonding(governor.voteSeconds());
        manager.revokeRole(Roles.GOVERNOR, address(this));
        manager.grantRole(manager.ADMIN_ROLE(), address(timelock), 0);
        manager.renounceRole(manager.ADMIN_ROLE(), address(this));
    }

    function _policy(uint256 value) internal view returns (Act memory) {
        return Act(address(registry), abi.encodeCall(ParameterRegistry.set, ("maxSlashBps", value)));
    }

    function _of(
        Act memory act
    ) internal pure returns (address[] memory targets, uint256[] memory values, bytes[] memory data) {
        (targets, values, data) = (new address[](1), new uint256[](1), new bytes[](1));
        (targets[0], data[0]) = (act.target, act.data);
    }

    function _stakeAndVote(address who, uint256 assets) internal {
        _stake(who, assets);
        vm.prank(who);
        staking.delegateVotes(validator, who);
    }

    function _propose(address proposer, Act memory act) internal returns (uint256 id) {
        (address[] memory targets, uint256[] memory values, bytes[] memory data) = _of(act);
        vm.prank(proposer);
        id = governor.propose(targets, values, data, "why");
    }

    function _queue(Act memory act) internal {
        (address[] memory targets, uint256[] memory values, bytes[] memory data) = _of(act);
        governor.queue(targets, values, data, keccak256("why"));
    }

    function _execute(Act memory act) internal {
        (address[] memory targets, uint256[] memory values, bytes[] memory data) = _of(act);
        governor.execute(targets, values, data, keccak256("why"));
    }

    /// @dev From the proposal to the timelock, by alice's votes alone.
    function _decide(Act memory act) internal returns (uint256 id) {
        skip(1);
        id = _propose(alice, act);
        skip(DELAY + 1);
        vm.prank(alice);
        governor.castVote(id, 1);
        skip(governor.votingPeriod());
        _queue(act);
    }
}
