// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {Roles} from "../../../contracts/governance/Roles.sol";
import {ParameterRegistry} from "../../../contracts/governance/ParameterRegistry.sol";
import {IParameterRegistry} from "../../../contracts/interfaces/governance/IParameterRegistry.sol";
import {AgentToken} from "../../../contracts/staking/AgentToken.sol";
import {Staking} from "../../../contracts/staking/Staking.sol";
import {Test} from "./Test.sol";

/// @notice AVT, its parameters and Staking, with this contract as the AccessManager's admin, minter, slasher and
///         bonder.
abstract contract StakingFixture is Test {
    uint256 internal constant AVT = 1e18;
    uint256 internal constant START = 1_700_000_000;
    uint256 internal constant CYCLE = 30 days;
    uint256 internal constant UNBONDING = 7 days;
    /// @dev A vote: a day to look, three to vote, two before anything happens.
    uint256 internal constant MIN_UNBONDING = 6 days;
    uint256 internal constant RATE_BPS = 500;
    uint256 internal constant SHARE_BPS = 1_000;
    uint256 internal constant MAX_SLASH_BPS = 5_000;
    uint256 internal constant SLASH_REWARD_BPS = 1_000;

    AccessManager internal manager;
    ParameterRegistry internal registry;
    AgentToken internal avt;
    Staking internal staking;
    address internal validator;
    address internal alice;
    address internal bob;
    address internal stranger;

    function setUp() public virtual {
        vm.warp(START);
        manager = new AccessManager(address(this));
        registry = new ParameterRegistry(address(manager), _declarations());
        avt = new AgentToken(address(manager));
        staking = new Staking(address(manager), avt, registry, MIN_UNBONDING);
        _allow(address(avt), AgentToken.mint.selector, Roles.MINTER);
        _allow(address(staking), Staking.slash.selector, Roles.SLASHER);
        _allow(address(staking), Staking.lock.selector, Roles.BONDER);
        manager.grantRole(Roles.MINTER, address(this), 0);
        manager.grantRole(Roles.SLASHER, address(this), 0);
        manager.grantRole(Roles.BONDER, address(this), 0);
        validator = _funded("validator");
        alice = _funded("alice");
        bob = _funded("bob");
        stranger = makeAddr("stranger");
        vm.prank(validator);
        staking.registerValidator(SHARE_BPS);
    }

    function _declarations() internal pure returns (IParameterRegistry.Declaration[] memory all) {
        all = new IParameterRegistry.Declaration[](6);
        all[0] = IParameterRegistry.Declaration("rewardRateBps", 0, 2_000, RATE_BPS);
        all[1] = IParameterRegistry.Declaration("rewardCycleSeconds", 1 days, 366 days, CYCLE);
        all[2] = IParameterRegistry.Declaration("validatorShareBps", 0, 5_000, SHARE_BPS);
        all[3] = IParameterRegistry.Declaration("unbondingSeconds", 1 days, 60 days, UNBONDING);
        all[4] = IParameterRegistry.Declaration("maxSlashBps", 0, 9_000, MAX_SLASH_BPS);
        all[5] = IParameterRegistry.Declaration("slashRewardBps", 0, 2_000, SLASH_REWARD_BPS);
    }

    function _allow(address target, bytes4 selector, uint64 role) internal {
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = selector;
        manager.setTargetFunctionRole(target, selectors, role);
    }

    /// @dev Somebody with 1,000,000 AVT that Staking may take.
    function _funded(string memory name) internal returns (address account) {
        account = makeAddr(name);
        avt.mint(account, 1_000_000 * AVT);
        vm.prank(account);
        avt.approve(address(staking), type(uint256).max);
    }

    function _fund(uint256 amount) internal {
        avt.mint(address(this), amount);
        avt.approve(address(staking), amount);
        staking.fund(amount);
    }

    function _stake(address staker, uint256 assets) internal {
        vm.prank(staker);
        staking.stake(validator, assets);
    }

    function _unstake(address staker, uint256 assets) internal returns (uint256 id) {
        vm.prank(staker);
        id = staking.unstake(validator, assets);
    }

    function _claim(address staker) internal returns (uint256 amount) {
        vm.prank(staker);
        amount = staking.claim(validator);
    }

    function _withdraw(address staker, uint256 id) internal returns (uint256 assets) {
        vm.prank(staker);
        assets = staking.withdraw(id);
    }

    function _slash(uint256 amount) internal returns (uint256 slashed) {
        slashed = staking.slash(validator, amount, stranger, "why");
    }

    /// @dev By which the validator's own unbonding stake is withdrawn.
    function _ownId() internal view returns (uint256) {
        return uint160(validator);
    }

    function _assetsOf(address staker) internal view returns (uint256) {
        return staking.stakeOf(validator, staker);
    }
}
