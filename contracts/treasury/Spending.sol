// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {ITreasury} from "../interfaces/treasury/ITreasury.sol";
import {Bitmap} from "./Bitmap.sol";
import {Budgets} from "./Budgets.sol";
import {Proposals} from "./Proposals.sol";
import {Signatures} from "../libraries/Signatures.sol";

/// @title Spending
/// @dev How money leaves: by a spender inside its budget, or by the owners. See {ITreasury}.
abstract contract Spending is Budgets, Proposals {
    using Bitmap for mapping(uint256 word => uint256);
    using SafeERC20 for IERC20;

    /// @dev How long a proposal that {pay} opens may be executed.
    uint256 private constant PROPOSAL_LIFETIME = 7 days;
    bytes32 private constant SPEND_TYPEHASH = keccak256(
        "Spend(address agent,address token,address to,uint256 amount,"
        "bytes32 reference,uint256 nonce,uint256 validBefore)"
    );

    mapping(address spender => mapping(uint256 word => uint256)) private _references;
    mapping(address agent => mapping(uint256 word => uint256)) private _spendNonces;

    /// @inheritdoc ITreasury
    function pay(
        address token,
        address to,
        uint256 amount,
        bytes32 ref
    ) external nonReentrant returns (bytes32 proposalId) {
        return _pay(msg.sender, token, to, amount, ref);
    }

    /// @inheritdoc ITreasury
    function payBatch(
        Payment[] calldata payments
    ) external nonReentrant returns (bytes32[] memory proposalIds) {
        proposalIds = new bytes32[](payments.length);
        for (uint256 i; i < payments.length; ++i) {
            Payment calldata payment = payments[i];
            proposalIds[i] = _pay(msg.sender, payment.token, payment.to, payment.amount, payment.ref);
        }
    }

    /// @inheritdoc ITreasury
    function paySigned(
        Spend calldata spend,
        bytes calldata signature
    ) external nonReentrant returns (bytes32 proposalId) {
        if (block.timestamp >= spend.validBefore) {
            revert Treasury_Expired(block.timestamp, spend.validBefore);
        }
        _useSpendNonce(spend.agent, spend.nonce);
        bytes32 digest = hashSpend(spend);
        if (!Signatures.isSigned(spend.agent, digest, signature)) {
            revert Treasury_SignatureInvalid(spend.agent, digest);
        }
        return _pay(spend.agent, spend.token, spend.to, spend.amount, spend.ref);
    }

    /// @inheritdoc ITreasury
    function cancelSpend(uint256 nonce) external {
        _useSpendNonce(msg.sender, nonce);
    }

    /// @inheritdoc ITreasury
    function disburse(
        address spender,
        address token,
        address to,
        uint256 amount,
        bytes32 ref
    ) external onlySelf {
        // What owners approved before one of them stopped the spender waits until all of them say so again.
        if (spender != address(0)) _requireNotStopped(spender, amount);
        emit Disbursed(spender, token, to, amount, ref);
        _send(token, to, amount);
    }

    /// @inheritdoc ITreasury
    function isReferenceUsed(address spender, bytes32 ref) external view returns (bool) {
        return _references[spender].isUsed(uint256(ref));
    }

    /// @inheritdoc ITreasury
    function isSpendNonceUsed(address agent, uint256 nonce) external view returns (bool) {
        return _spendNonces[agent].isUsed(nonce);
    }

    /// @inheritdoc ITreasury
    function hashSpend(Spend calldata spend) public view returns (bytes32) {
        // All members are single words, so the struct's ABI encoding is its EIP-712 encoding.
        return _hashTypedDataV4(keccak256(abi.encode(SPEND_TYPEHASH, spend)));
    }

    /// @inheritdoc ITreasury
    function proposalNonceOf(address spender, bytes32 ref) public pure returns (uint256) {
        return uint256(keccak256(abi.encode(spender, ref)));
    }

    function _pay(
        address spender,
        address token,
        address to,
        uint256 amount,
        bytes32 ref
    ) private returns (bytes32 proposalId) {
        if (!_references[spender].use(uint256(ref))) revert Treasury_ReferenceUsed(spender, ref);
        if (!_charge(spender, token, to, amount)) return _openPayment(spender, token, to, amount, ref);
        emit Paid(spender, token, to, amount, ref);
        _send(token, to, amount);
    }

    /// @dev Opens the proposal by which the owners can make the payment; it runs the same checked transfer.
    function _openPayment(
        address spender,
        address token,
        address to,
        uint256 amount,
        bytes32 ref
    ) private returns (bytes32 id) {
        Call[] memory calls = new Call[](1);
        calls[0] = Call(address(this), 0, abi.encodeCall(this.disburse, (spender, token, to, amount, ref)));
        uint256 nonce = proposalNonceOf(spender, ref);
        uint256 deadline = block.timestamp + PROPOSAL_LIFETIME;
        bytes32[] memory hashes = new bytes32[](1);
        hashes[0] = _hashCall(address(this), 0, keccak256(calls[0].data));
        id = _hashProposal(hashes, nonce, deadline);
        emit ProposalOpened(id, spender, nonce, calls, deadline, threshold(), ref);
    }

    function _send(address token, address to, uint256 amount) private {
        if (token != address(0)) {
            IERC20(token).safeTransfer(to, amount);
            return;
        }
        emit NativeSent(to, amount);
        if (!LowLevelCall.callNoReturn(to, amount, "")) revert Treasury_NativeTransferFailed(to, amount);
    }

    function _useSpendNonce(address agent, uint256 nonce) private {
        if (!_spendNonces[agent].use(nonce)) revert Treasury_SpendNonceUsed(agent, nonce);
        emit SpendNonceUsed(agent, nonce);
    }
}
