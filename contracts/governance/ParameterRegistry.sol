// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IParameterRegistry} from "../interfaces/governance/IParameterRegistry.sol";
import {IParameters} from "../interfaces/governance/IParameters.sol";

/// @notice See `IParameterRegistry`.
contract ParameterRegistry is IParameterRegistry, AccessManaged {
    mapping(bytes32 name => Declaration) private _parameters;
    mapping(bytes32 id => Policy) private _policies;
    bytes32[] private _names;

    /// @param authority The AccessManager whose admin sets the policies.
    /// @param declarations The parameters that exist from the start.
    constructor(address authority, Declaration[] memory declarations) AccessManaged(authority) {
        for (uint256 i = 0; i < declarations.length; ++i) _declare(declarations[i]);
    }

    /// @inheritdoc IParameterRegistry
    function declare(Declaration calldata declaration) external restricted {
        _declare(declaration);
    }

    /// @inheritdoc IParameterRegistry
    function set(bytes32 name, uint256 value) external restricted {
        Declaration storage declared = _known(name);
        _requireWithin(name, value, declared.floor, declared.ceiling);
        emit ParameterSet(name, declared.value, value);
        declared.value = value;
    }

    /// @inheritdoc IParameterRegistry
    function setPolicy(bytes32 id, bytes32 contentHash, string calldata uri) external restricted {
        if (id == 0) revert ParameterRegistry_PolicyIdEmpty();
        _policies[id] = Policy(contentHash, uri, uint40(block.timestamp));
        emit PolicySet(id, contentHash, uri);
    }

    /// @inheritdoc IParameters
    function valueOf(bytes32 name) external view returns (uint256) {
        return _known(name).value;
    }

    /// @inheritdoc IParameterRegistry
    function parameter(bytes32 name) external view returns (Declaration memory) {
        return _known(name);
    }

    /// @inheritdoc IParameterRegistry
    function policy(bytes32 id) external view returns (Policy memory) {
        return _policies[id];
    }

    /// @inheritdoc IParameterRegistry
    function parameterCount() external view returns (uint256) {
        return _names.length;
    }

    /// @inheritdoc IParameterRegistry
    function nameAt(uint256 index) external view returns (bytes32) {
        return _names[index];
    }

    function _declare(Declaration memory declaration) private {
        bytes32 name = declaration.name;
        (uint256 floor, uint256 ceiling) = (declaration.floor, declaration.ceiling);
        if (name == 0 || floor > ceiling) revert ParameterRegistry_BadDeclaration(name, floor, ceiling);
        if (_parameters[name].name != 0) revert ParameterRegistry_Declared(name);
        _requireWithin(name, declaration.value, floor, ceiling);
        _parameters[name] = declaration;
        _names.push(name);
        emit ParameterDeclared(name, floor, ceiling, declaration.value);
    }

    function _known(bytes32 name) private view returns (Declaration storage declared) {
        declared = _parameters[name];
        if (declared.name == 0) revert Parameters_Unknown(name);
    }

    function _requireWithin(bytes32 name, uint256 value, uint256 floor, uint256 ceiling) private pure {
        if (value < floor || value > ceiling)
            revert ParameterRegistry_OutOfBounds(name, value, floor, ceiling);
    }
}
