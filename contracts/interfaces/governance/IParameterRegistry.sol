// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IParameters} from "./IParameters.sol";

/// @title ParameterRegistry
/// @notice The policies that governance sets: numbers within bounds, and documents by their hash.
/// @dev A number's bounds are fixed when it is declared, so that no vote can set what the contracts could not bear.
///      The policies are Bursar's own: fees, least transfer, rewards, attestations, auditor.
interface IParameterRegistry is IParameters {
    /// @notice A number that governance sets.
    /// @param name ASCII text in a bytes32; it ends with the unit, as `rewardRateBps`.
    /// @param floor Least value that may ever be set.
    /// @param ceiling Highest value that may ever be set.
    /// @param value The present value.
    struct Declaration {
        bytes32 name;
        uint256 floor;
        uint256 ceiling;
        uint256 value;
    }

    /// @notice A rule in words or code, such as an attestation policy.
    /// @param contentHash Keccak-256 of the document; zero: withdrawn or never set.
    /// @param uri Where the document lies.
    /// @param setAt When it was last set, Unix seconds.
    struct Policy {
        bytes32 contentHash;
        string uri;
        uint40 setAt;
    }

    /// @notice A parameter exists from now on.
    event ParameterDeclared(bytes32 indexed name, uint256 floor, uint256 ceiling, uint256 value);
    /// @notice A parameter's value changed.
    event ParameterSet(bytes32 indexed name, uint256 before, uint256 value);
    /// @notice A policy document was set, replaced or (with a zero hash) withdrawn.
    event PolicySet(bytes32 indexed id, bytes32 contentHash, string uri);

    /// @notice The name is declared already.
    error ParameterRegistry_Declared(bytes32 name);
    /// @notice The name is empty, or the floor is above the ceiling.
    error ParameterRegistry_BadDeclaration(bytes32 name, uint256 floor, uint256 ceiling);
    /// @notice The value is outside of the parameter's bounds.
    error ParameterRegistry_OutOfBounds(bytes32 name, uint256 value, uint256 floor, uint256 ceiling);
    /// @notice A policy needs an id.
    error ParameterRegistry_PolicyIdEmpty();

    /// @notice Adds a parameter, for good.
    /// @custom:role admin
    function declare(Declaration calldata declaration) external;

    /// @notice Sets a parameter within its bounds.
    /// @custom:role admin
    function set(bytes32 name, uint256 value) external;

    /// @notice Sets, replaces or (with a zero hash) withdraws a policy document.
    /// @custom:role admin
    function setPolicy(bytes32 id, bytes32 contentHash, string calldata uri) external;

    /// @notice A parameter with its bounds.
    function parameter(bytes32 name) external view returns (Declaration memory declaration);

    /// @notice A policy document; all zero when there is none.
    function policy(bytes32 id) external view returns (Policy memory document);

    /// @notice How many parameters are declared.
    function parameterCount() external view returns (uint256 count);

    /// @notice The name of the parameter that was declared as number `index`, from 0.
    function nameAt(uint256 index) external view returns (bytes32 name);
}
