// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {Treasury} from "./Treasury.sol";

/// @title TreasuryFactory
/// @notice Makes Treasuries for agents: small clones (ERC-1167) of one implementation, each at an address that
///         follows
///         from its owners, threshold and salt alone.
/// @dev The address binds the owners, so whoever deploys it first, it is the same Treasury with the same owners, and
///      money may be sent there before it exists. Clones are not upgradeable: the implementation is fixed in
///      their code.
contract TreasuryFactory {
    /// @notice What all Treasuries of this factory are clones of; not usable itself.
    address public immutable implementation;

    /// @notice A Treasury was made.
    event TreasuryCreated(
        address indexed treasury,
        address indexed creator,
        address[] owners,
        uint256 threshold,
        bytes32 salt
    );

    /// @param implementation_ A Treasury that was made without owners.
    constructor(address implementation_) {
        implementation = implementation_;
    }

    /// @notice Makes the Treasury of these owners and salt, or gives the one that stands there already. Anyone
    ///         may call.
    /// @param owners Its first owners.
    /// @param threshold How many of them decide together.
    /// @param salt Tells Treasuries of the same owners apart.
    /// @return treasury Where it stands.
    function createTreasury(
        address[] calldata owners,
        uint256 threshold,
        bytes32 salt
    ) external returns (address treasury) {
        bytes32 bound = _bind(owners, threshold, salt);
        treasury = Clones.predictDeterministicAddress(implementation, bound);
        if (treasury.code.length != 0) return treasury;
        Clones.cloneDeterministic(implementation, bound);
        emit TreasuryCreated(treasury, msg.sender, owners, threshold, salt);
        Treasury(payable(treasury)).initialize(owners, threshold);
    }

    /// @notice Where the Treasury of these owners and salt stands, or would.
    /// @return treasury Its address.
    function treasuryOf(
        address[] calldata owners,
        uint256 threshold,
        bytes32 salt
    ) external view returns (address treasury) {
        return Clones.predictDeterministicAddress(implementation, _bind(owners, threshold, salt));
    }

    function _bind(
        address[] calldata owners,
        uint256 threshold,
        bytes32 salt
    ) private pure returns (bytes32) {
        return keccak256(abi.encode(owners, threshold, salt));
    }
}
