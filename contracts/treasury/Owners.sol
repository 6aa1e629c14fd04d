// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import {ITreasury} from "../interfaces/treasury/ITreasury.sol";

/// @title Owners
/// @dev Who holds the Treasury, and who may call what: see {ITreasury}.
abstract contract Owners is ITreasury {
    using EnumerableSet for EnumerableSet.AddressSet;

    uint256 private constant MAX_OWNERS = 32;

    uint16 private _threshold;
    EnumerableSet.AddressSet private _owners;

    modifier onlySelf() {
        _requireSelf();
        _;
    }

    modifier onlyOwner() {
        _requireOwner(msg.sender);
        _;
    }

    /// @dev For what only tightens.
    modifier onlyOwnerOrSelf() {
        _requireOwnerOrSelf();
        _;
    }

    /// @inheritdoc ITreasury
    function addOwner(address owner) external onlySelf {
        _addOwner(owner);
    }

    /// @inheritdoc ITreasury
    function removeOwner(address owner) external onlySelf {
        _removeOwner(owner);
        _requireThreshold(_threshold);
    }

    /// @inheritdoc ITreasury
    function replaceOwner(address owner, address successor) external onlySelf {
        _removeOwner(owner);
        _addOwner(successor);
    }

    /// @inheritdoc ITreasury
    function setThreshold(uint256 threshold_) external onlySelf {
        _setThreshold(threshold_);
    }

    /// @inheritdoc ITreasury
    function owners() external view returns (address[] memory) {
        return _owners.values();
    }

    /// @inheritdoc ITreasury
    function isOwner(address account) external view returns (bool) {
        return _owners.contains(account);
    }

    /// @inheritdoc ITreasury
    function threshold() public view returns (uint256) {
        return _threshold;
    }

    function _initialize(address[] memory owners_, uint256 threshold_) internal {
        for (uint256 i; i < owners_.length; ++i) {
            _addOwner(owners_[i]);
        }
        _setThreshold(threshold_);
    }

    /// @dev Nothing is left but an unreachable threshold, so no one can ever initialise it either.
    function _makeUnusable() internal {
        _threshold = type(uint16).max;
    }

    function _requireOwner(address account) internal view {
        if (!_owners.contains(account)) revert Treasury_NotOwner(account);
    }

    function _requireOwnerOrSelf() internal view {
        if (msg.sender != address(this)) _requireOwner(msg.sender);
    }

    /// @dev Whether a function of this contract changes who owns the Treasury, or how many of them decide.
    function _changesOwners(bytes4 selector) internal pure returns (bool) {
        return
            selector == this.addOwner.selector ||
            selector == this.removeOwner.selector ||
            selector == this.replaceOwner.selector ||
            selector == this.setThreshold.selector;
    }

    function _requireSelf() internal view {
        if (msg.sender != address(this)) revert Treasury_NotSelf(msg.sender);
    }

    function _addOwner(address owner) private {
        if (owner == address(0) || owner == address(this)) revert Treasury_OwnerInvalid(owner);
        if (!_owners.add(owner)) revert Treasury_OwnerExists(owner);
        if (_owners.length() > MAX_OWNERS) revert Treasury_TooManyOwners(_owners.length(), MAX_OWNERS);
        emit OwnerAdded(owner);
    }

    function _removeOwner(address owner) private {
        if (!_owners.remove(owner)) revert Treasury_NotOwner(owner);
        emit OwnerRemoved(owner);
    }

    function _requireThreshold(uint256 threshold_) private view {
        uint256 count = _owners.length();
        if (threshold_ == 0 || threshold_ > count) revert Treasury_ThresholdOutOfRange(threshold_, count);
    }

    function _setThreshold(uint256 threshold_) private {
        _requireThreshold(threshold_);
        _threshold = uint16(threshold_);
        emit ThresholdSet(threshold_);
    }
}
