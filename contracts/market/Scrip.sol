// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title Scrip
/// @notice The society's medium of exchange: whole units, minted by its auction houses only, burnt by whoever
///         holds it.
contract Scrip is ERC20Permit, ERC20Burnable, AccessManaged {
    /// @notice Whether scrip was minted for an artifact.
    mapping(bytes32 artifactHash => bool) public isMinted;

    /// @notice Scrip was minted for this artifact already, by whichever house.
    error Scrip_AlreadyMinted(bytes32 artifactHash);

    /// @param authority The AccessManager that says who may mint.
    constructor(address authority) ERC20("Scrip", "SCRIP") ERC20Permit("Scrip") AccessManaged(authority) {}

    /// @notice Makes new scrip.
    /// @param to Who receives it.
    /// @param amount Whole units.
    /// @custom:role scripMinter
    function mint(address to, uint256 amount) external restricted {
        _mint(to, amount);
    }

    /// @notice Makes new scrip for an artifact, once among all houses.
    /// @param artifactHash What it is minted for.
    /// @param to Who receives it.
    /// @param amount Whole units.
    /// @custom:role scripMinter
    function mintFor(bytes32 artifactHash, address to, uint256 amount) external restricted {
        if (isMinted[artifactHash]) revert Scrip_AlreadyMinted(artifactHash);
        isMinted[artifactHash] = true;
        _mint(to, amount);
    }

    /// @notice Scrip has no smaller unit.
    function decimals() public pure override returns (uint8) {
        return 0;
    }
}
