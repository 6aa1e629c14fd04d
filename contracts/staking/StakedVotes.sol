// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {Time} from "@openzeppelin/contracts/utils/types/Time.sol";
import {IStaking} from "../interfaces/staking/IStaking.sol";
import {Signatures} from "../libraries/Signatures.sol";

/// @notice The votes of staked AVT: what a staker has with a validator is delegated by itself, as AVT is (ERC-5805).
/// @dev A delegate's votes are at any time the stake that was delegated to it: whatever moves stake moves them.
abstract contract StakedVotes is IStaking, EIP712, Nonces {
    using Checkpoints for Checkpoints.Trace208;

    bytes32 private constant DELEGATION_TYPEHASH = keccak256(
        "Delegation(address staker,address validator,address delegatee,uint256 nonce,uint256 expiry)"
    );

    mapping(address validator => mapping(address staker => address)) private _delegatees;
    mapping(address delegatee => Checkpoints.Trace208) private _votes;

    constructor() EIP712("Staking", "1") {}

    /// @inheritdoc IStaking
    function delegateVotes(address validator, address delegatee) external {
        _delegate(validator, msg.sender, delegatee);
    }

    /// @inheritdoc IStaking
    function delegateBySig(Delegation calldata delegation, bytes calldata signature) external {
        address staker = delegation.staker;
        if (block.timestamp > delegation.expiry)
            revert Staking_DelegationExpired(block.timestamp, delegation.expiry);
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(DELEGATION_TYPEHASH, delegation)));
        if (!Signatures.isSigned(staker, digest, signature)) revert Staking_BadSignature(staker);
        _useCheckedNonce(staker, delegation.nonce);
        _delegate(delegation.validator, staker, delegation.delegatee);
    }

    /// @inheritdoc IStaking
    function votesOf(address validator, address staker) external view returns (address, uint256) {
        address delegatee = _delegatees[validator][staker];
        return (delegatee, delegatee == address(0) ? 0 : stakeOf(validator, staker));
    }

    /// @inheritdoc IStaking
    function getVotes(address account) external view returns (uint256) {
        return _votes[account].latest();
    }

    /// @notice Voting power of `account` from staked AVT at a past time, in base units of AVT.
    function getPastVotes(address account, uint256 timepoint) external view returns (uint256) {
        uint48 time = clock();
        if (timepoint >= time) revert Staking_FutureLookup(timepoint, time);
        return _votes[account].upperLookupRecent(uint48(timepoint));
    }

    /// @notice How the clock counts, as ERC-6372 writes it.
    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() external pure returns (string memory) {
        return "mode=timestamp";
    }

    /// @notice The clock of votes: Unix seconds (ERC-6372).
    function clock() public view returns (uint48) {
        return Time.timestamp();
    }

    /// @inheritdoc IStaking
    function stakeOf(address validator, address staker) public view virtual returns (uint256 assets);

    /// @dev Notes whether the stake has a delegate, and gives the stake. Refuses an unknown validator.
    function _noteDelegate(
        address validator,
        address staker,
        bool hasDelegate
    ) internal virtual returns (uint256 assets);

    /// @dev What a staker has with a validator, and has a delegate, is now `assets` and was `before`.
    function _followStake(address validator, address staker, uint256 before, uint256 assets) internal {
        if (before == assets) return;
        address delegatee = _delegatees[validator][staker];
        emit VotesDelegated(validator, staker, delegatee, assets);
        _move(delegatee, before, assets);
    }

    function _delegate(address validator, address staker, address delegatee) private {
        uint256 assets = _noteDelegate(validator, staker, delegatee != address(0));
        address before = _delegatees[validator][staker];
        _delegatees[validator][staker] = delegatee;
        emit VotesDelegated(validator, staker, delegatee, delegatee == address(0) ? 0 : assets);
        if (before == delegatee) return;
        _move(before, assets, 0);
        _move(delegatee, 0, assets);
    }

    function _move(address delegatee, uint256 taken, uint256 given) private {
        if (delegatee == address(0) || taken == given) return;
        Checkpoints.Trace208 storage trace = _votes[delegatee];
        uint256 before = trace.latest();
        uint256 votes = before - taken + given;
        trace.push(clock(), uint208(votes));
        emit DelegateVotesChanged(delegatee, before, votes);
    }
}
