// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {AgentGovernor} from "../../../contracts/governance/AgentGovernor.sol";
import {ParameterRegistry} from "../../../contracts/governance/ParameterRegistry.sol";
import {StakingFixture} from "../support/StakingFixture.sol";

/// @notice A vote of holders and stakers changes a policy through the timelock, and nothing else does.
contract AgentGovernorTest is StakingFixture {
    uint48 private constant DELAY = 1 days;
    uint32 private constant PERIOD = 3 days;
    uint256 private constant TIMELOCK_DELAY = 2 days;

    TimelockController private timelock;
    AgentGovernor private governor;

    function setUp() public override {
        super.setUp();
        address[] memory none = new address[](0);
        address[] memory anyone = new address[](1);
        timelock = new TimelockController(TIMELOCK_DELAY, none, anyone, address(this));
        AgentGovernor.Settings memory settings = AgentGovernor.Settings(DELAY, PERIOD, 100 * AVT, 10);
        governor = new AgentGovernor(avt, staking, timelock, settings);
        timelock.grantRole(timelock.PROPOSER_ROLE(), address(governor));
        timelock.grantRole(timelock.CANCELLER_ROLE(), address(governor));
        timelock.renounceRole(timelock.DEFAULT_ADMIN_ROLE(), address(this));
        manager.grantRole(manager.ADMIN_ROLE(), address(timelock), 0);
        manager.renounceRole(manager.ADMIN_ROLE(), address(this));
    }

    function _call(
        uint256 value
    ) private view returns (address[] memory targets, uint256[] memory values, bytes[] memory data) {
        (targets, values, data) = (new address[](1), new uint256[](1), new bytes[](1));
        targets[0] = address(registry);
        data[0] = abi.encodeCall(ParameterRegistry.set, ("maxSlashBps", value));
    }

    function _propose(address proposer, uint256 value) private returns (uint256 id) {
        (address[] memory targets, uint256[] memory values, bytes[] memory data) = _call(value);
        vm.prank(proposer);
        id = governor.propose(targets, values, data, "why");
    }

    function _queueAndExecute(uint256 value) private {
        (address[] memory targets, uint256[] memory values, bytes[] memory data) = _call(value);
        governor.queue(targets, values, data, keccak256("why"));
        skip(TIMELOCK_DELAY + 1);
        governor.execute(targets, values, data, keccak256("why"));
    }

    function test_settings() public view {
        assertEq(governor.votingDelay(), DELAY, "delay");
        assertEq(governor.votingPeriod(), PERIOD, "period");
        assertEq(governor.proposalThreshold(), 100 * AVT, "threshold");
        assertEq(governor.quorumNumerator(), 10, "quorum");
        assertEq(address(governor.token()), address(avt), "token");
        assertEq(address(governor.staking()), address(staking), "staking");
        assertEq(governor.timelock(), address(timelock), "timelock");
        assertEq(governor.clock(), START, "clock");
    }

    function test_aVote_ofStakersAndHolders_changesAPolicy() public {
        _stake(alice, 200_000 * AVT);
        vm.prank(alice);
        staking.delegateVotes(validator, alice);
        vm.prank(bob);
        avt.delegate(bob);
        skip(1);
        uint256 id = _propose(alice, 1_234);
        assertTrue(governor.proposalNeedsQueuing(id), "goes through the timelock");
        skip(DELAY + 1);
        vm.prank(alice);
        assertEq(governor.castVote(id, 1), 200_000 * AVT, "staked votes");
        vm.prank(bob);
        assertEq(governor.castVote(id, 1), 1_000_000 * AVT, "held votes");
        skip(PERIOD);
        assertEq(uint256(governor.state(id)), uint256(IGovernor.ProposalState.Succeeded), "state");
        _queueAndExecute(1_234);
        assertEq(registry.valueOf("maxSlashBps"), 1_234, "changed");
    }

    function test_aTokenVotesOnce_stakedOrHeld() public {
        vm.prank(alice);
        avt.delegate(alice);
        _stake(alice, 400_000 * AVT);
        vm.prank(alice);
        staking.delegateVotes(validator, alice);
        skip(1);
        assertEq(governor.getVotes(alice, block.timestamp - 1), 1_000_000 * AVT, "600,000 and 400,000");
    }

    function test_belowTheThreshold_nobodyProposes() public {
        _stake(alice, 100 * AVT - 1);
        vm.prank(alice);
        staking.delegateVotes(validator, alice);
        skip(1);
        (address[] memory targets, uint256[] memory values, bytes[] memory data) = _call(1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IGovernor.GovernorInsufficientProposerVotes.selector,
                alice,
                100 * AVT - 1,
                100 * AVT
            )
        );
        vm.prank(alice);
        governor.propose(targets, values, data, "why");
    }

    function test_belowTheQuorum_nothingPasses() public {
        _stake(alice, 299_999 * AVT);
        vm.prank(alice);
        staking.delegateVotes(validator, alice);
        skip(1);
        uint256 id = _propose(alice, 1);
        skip(DELAY + 1);
        vm.prank(alice);
        governor.castVote(id, 1);
        skip(PERIOD);
        assertEq(uint256(governor.state(id)), uint256(IGovernor.ProposalState.Defeated), "state");
    }

    function test_theProposer_cancelsBeforeTheVote() public {
        _stake(alice, 200_000 * AVT);
        vm.prank(alice);
        staking.delegateVotes(validator, alice);
        skip(1);
        uint256 id = _propose(alice, 1);
        (address[] memory targets, uint256[] memory values, bytes[] memory data) = _call(1);
        vm.prank(alice);
        governor.cancel(targets, values, data, keccak256("why"));
        assertEq(uint256(governor.state(id)), uint256(IGovernor.ProposalState.Canceled), "state");
    }
}
