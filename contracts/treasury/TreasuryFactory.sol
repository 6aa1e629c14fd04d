// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {ITreasury} from "../interfaces/treasury/ITreasury.sol";
import {Treasury} from "./Treasury.sol";

/// @title TreasuryFactory
/// @notice Makes Treasuries for agents: small clones of one implementation, each at an address that follows from its
///         owners, threshold and salt alone.
/// @dev The address binds the owners, so whoever deploys it first, it is the same Treasury with the same owners, and
///      money may be sent there before it exists. Clones are not upgradeable: the implementation is fixed in
///      their code.
///
///      A clone is an ERC-1167 proxy that takes coin by itself: a call without data emits {ITreasury.NativeReceived}
///      and asks the implementation nothing, which alone would cost more (2,600 gas) than `transfer()` gives (2,300).
contract TreasuryFactory {
    /// @dev calldatasize push1(0x2e) jumpi: with data, on to the proxy. Else
    ///      mstore(0, callvalue), log2(0, 32, NativeReceived's topic, caller), stop.
    bytes private constant RECEIVE = hex"36602e57345f52337f";
    bytes private constant RECEIVED = hex"60205fa200";
    /// @dev jumpdest calldatacopy(0, 0, calldatasize) delegatecall(gas, implementation, 0, calldatasize, 0, 0)
    bytes private constant FORWARD = hex"5b365f5f375f5f365f73";
    /// @dev returndatacopy(0, 0, returndatasize), and return or revert with it.
    bytes private constant RETURN = hex"5af43d5f5f3e5f3d91605957fd5bf3";
    /// @dev Copies the 91 bytes that follow and returns them.
    bytes private constant DEPLOY = hex"605b8060095f395ff3";

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
        bytes memory code = _creationCode();
        treasury = Create2.computeAddress(bound, keccak256(code));
        if (treasury.code.length != 0) return treasury;
        Create2.deploy(0, bound, code);
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
        return Create2.computeAddress(_bind(owners, threshold, salt), keccak256(_creationCode()));
    }

    function _creationCode() private view returns (bytes memory) {
        bytes32 topic = ITreasury.NativeReceived.selector;
        return bytes.concat(DEPLOY, RECEIVE, topic, RECEIVED, FORWARD, bytes20(implementation), RETURN);
    }

    function _bind(
        address[] calldata owners,
        uint256 threshold,
        bytes32 salt
    ) private pure returns (bytes32) {
        return keccak256(abi.encode(owners, threshold, salt));
    }
}
