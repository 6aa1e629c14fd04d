// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Parameters
/// @notice The policies that governance sets, by name; every other contract reads its bounds here.
/// @dev ParameterRegistry implements it. A name is the ASCII text in a bytes32, as `bytes32("rewardRateBps")`;
///         each has
/// a floor and a ceiling fixed when it is declared, so that no vote can set what the contracts could not bear.
interface IParameters {
    /// @notice Nobody declared this parameter.
    error Parameters_Unknown(bytes32 name);

    /// @notice The parameter's present value, in the unit that its name ends with.
    function valueOf(bytes32 name) external view returns (uint256 value);
}
