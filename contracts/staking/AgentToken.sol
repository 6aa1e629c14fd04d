// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC20Votes} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {Time} from "@openzeppelin/contracts/utils/types/Time.sol";
import {IAgentToken} from "../interfaces/staking/IAgentToken.sol";

/// @title AgentToken
/// @notice AVT: 18 decimals, EIP-2612 permits, ERC-3009 authorisations with random 32-byte nonces, ERC-5805
///         votes on a timestamp clock; minted by role up to a cap that nobody can raise.
contract AgentToken is IAgentToken, ERC20Permit, ERC3009, ERC20Votes, AccessManaged {
    /// @inheritdoc IAgentToken
    uint256 public constant CAP = 1_000_000_000e18;

    /// @param authority The AccessManager that says who may mint.
    constructor(
        address authority
    ) ERC20("AgentVault Token", "AVT") ERC20Permit("AgentVault Token") AccessManaged(authority) {}

    /// @inheritdoc IAgentToken
    /// @custom:role minter
    function mint(address to, uint256 amount) external restricted {
        _mint(to, amount);
    }

    /// @inheritdoc IAgentToken
    function burn(uint256 amount) external {
        _burn(msg.sender, amount);
    }

    /// @notice The clock of votes: Unix seconds (ERC-6372).
    function clock() public view override returns (uint48) {
        return Time.timestamp();
    }

    /// @notice How the clock counts, as ERC-6372 writes it.
    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }

    /// @notice The next nonce of the owner's permits and delegations.
    function nonces(address owner) public view override(ERC20Permit, Nonces) returns (uint256) {
        return super.nonces(owner);
    }

    function _update(address from, address to, uint256 value) internal override(ERC20, ERC20Votes) {
        super._update(from, to, value);
    }

    function _maxSupply() internal pure override returns (uint256) {
        return CAP;
    }
}
