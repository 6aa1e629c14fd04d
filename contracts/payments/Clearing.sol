// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IBatchSettlement} from "../interfaces/payments/IBatchSettlement.sol";
import {IBonds} from "../interfaces/staking/IBonds.sol";
import {IClearing} from "../interfaces/payments/IClearing.sol";
import {IParameters} from "../interfaces/governance/IParameters.sol";

/// @notice See `IClearing`.
contract Clearing is IClearing, EIP712, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    struct Challenge {
        address token;
        uint64 epoch;
        bool isOpen;
        address payee;
        uint40 answerBy;
        uint128 cumulative;
        address challenger;
    }

    bytes32 private constant RECEIPT_TYPEHASH = keccak256(
        "CreditReceipt(address token,address payee,uint128 cumulative,uint64 epoch)"
    );
    bytes32 private constant MIN_BOND = "clearingMinBond";
    bytes32 private constant SLASH = "clearingSlash";
    bytes32 private constant REASON = "clearing: root below receipt";
    /// @dev 20 bytes payee, 12 bytes cumulative.
    uint256 private constant ROW = 32;
    /// @notice How long a root can be challenged.
    uint256 public constant CHALLENGE_WINDOW = 1 days;
    /// @notice How long the operator has to answer.
    uint256 public constant ANSWER_WINDOW = 1 days;

    /// @notice Posts roots, signs receipts, and is the channels' receiver authorizer; a validator of Staking.
    address public immutable operator;
    /// @notice Where the operator's bond lies.
    IBonds public immutable bonds;
    /// @notice Where the channels are.
    IBatchSettlement public immutable settlement;
    /// @notice Where the bond's size is read.
    IParameters public immutable parameters;

    mapping(address token => Root[]) private _roots;
    mapping(address token => mapping(address payee => uint256)) private _paid;
    mapping(address token => uint256) private _paidTotal;
    mapping(uint256 challengeId => Challenge) private _challenges;
    mapping(bytes32 receipt => uint256 challengeId) private _challengeOf;
    /// @notice How many challenges there were; the last one's number.
    uint256 public challengeCount;

    /// @param operator_ Who runs the hub.
    /// @param bonds_ Where its bond lies.
    /// @param settlement_ Where the channels are.
    /// @param parameters_ Where the bond's size is read.
    constructor(
        address operator_,
        IBonds bonds_,
        IBatchSettlement settlement_,
        IParameters parameters_
    ) EIP712("Clearing", "1") {
        (operator, bonds, settlement, parameters) = (operator_, bonds_, settlement_, parameters_);
    }

    modifier onlyOperator() {
        if (msg.sender != operator) revert Clearing_NotOperator(msg.sender, operator);
        _;
    }

    /// @inheritdoc IClearing
    function postRoot(
        address token,
        uint256 epoch,
        bytes calldata rows,
        bytes calldata before
    ) external onlyOperator {
        _requireBond();
        _requireNext(token, epoch, before);
        (bytes32[] memory leaves, uint256 total) = _read(rows, before);
        uint256 received = receivedOf(token);
        if (total > received) revert Clearing_TotalTooHigh(total, received);
        Root memory root = Root({
            root: _rootOf(leaves),
            rowsHash: keccak256(rows),
            total: uint128(total),
            postedAt: uint40(block.timestamp),
            openChallenges: 0,
            isVoid: false
        });
        _roots[token].push(root);
        emit RootPosted(token, epoch, root.root, root.rowsHash, total);
    }

    /// @inheritdoc IClearing
    function payOut(address token, uint256 epoch, bytes calldata rows) external nonReentrant {
        if (keccak256(rows) != _finalRoot(token, epoch).rowsHash) revert Clearing_BadRows();
        settlement.settle(address(this), token);
        uint256 sum;
        for (uint256 at = 0; at < rows.length; at += ROW) {
            (address payee, uint256 cumulative) = _row(rows, at);
            uint256 before = _paid[token][payee];
            if (cumulative == before) continue;
            uint256 amount = cumulative - before;
            _paid[token][payee] = cumulative;
            if (IERC20(token).trySafeTransfer(payee, amount)) {
                sum += amount;
            } else {
                _paid[token][payee] = before;
                emit PayoutFailed(token, payee, amount);
            }
        }
        _paidTotal[token] += sum;
        emit PaidBatch(token, epoch, sum);
    }

    /// @inheritdoc IClearing
    function claim(
        address token,
        uint256 epoch,
        address payee,
        uint128 cumulative,
        bytes32[] calldata proof
    ) external nonReentrant returns (uint256 amount) {
        _requireLeaf(_finalRoot(token, epoch), payee, cumulative, proof);
        amount = cumulative - _paid[token][payee];
        if (amount == 0) revert Clearing_NothingToClaim(payee);
        _paid[token][payee] = cumulative;
        _paidTotal[token] += amount;
        settlement.settle(address(this), token);
        emit Paid(token, payee, amount, cumulative);
        IERC20(token).safeTransfer(payee, amount);
    }

    /// @inheritdoc IClearing
    function challenge(
        uint256 epoch,
        CreditReceipt calldata receipt,
        bytes calldata signature
    ) external returns (uint256 challengeId) {
        Root storage root = _known(receipt.token, epoch);
        uint256 until = root.postedAt + CHALLENGE_WINDOW;
        if (root.isVoid) revert Clearing_RootNotFinal(receipt.token, epoch);
        if (block.timestamp >= until) revert Clearing_ChallengeTooLate(block.timestamp, until);
        if (receipt.epoch > epoch) revert Clearing_ReceiptTooNew(receipt.epoch, epoch);
        if (!SignatureChecker.isValidSignatureNowCalldata(operator, receiptDigest(receipt), signature))
            revert Clearing_BadReceipt(receipt.payee);
        // One challenge for each payee and root with an amount: an answered one is not asked again.
        bytes32 key = keccak256(abi.encode(epoch, receipt.token, receipt.payee, receipt.cumulative));
        if (_challengeOf[key] != 0) revert Clearing_Challenged(_challengeOf[key]);
        challengeId = ++challengeCount;
        _challengeOf[key] = challengeId;
        uint256 answerBy = block.timestamp + ANSWER_WINDOW;
        _challenges[challengeId] = Challenge({
            token: receipt.token,
            epoch: uint64(epoch),
            isOpen: true,
            payee: receipt.payee,
            answerBy: uint40(answerBy),
            cumulative: receipt.cumulative,
            challenger: msg.sender
        });
        ++root.openChallenges;
        emit Challenged(challengeId, receipt.token, epoch, receipt.payee, receipt.cumulative, answerBy);
    }

    /// @inheritdoc IClearing
    function answer(uint256 challengeId, uint128 cumulative, bytes32[] calldata proof) external {
        Challenge storage open = _open(challengeId);
        if (block.timestamp >= open.answerBy) revert Clearing_AnswerTooLate(block.timestamp, open.answerBy);
        if (cumulative < open.cumulative) revert Clearing_BadProof(open.payee, cumulative);
        Root storage root = _known(open.token, open.epoch);
        _requireLeaf(root, open.payee, cumulative, proof);
        open.isOpen = false;
        --root.openChallenges;
        emit Answered(challengeId);
    }

    /// @inheritdoc IClearing
    function enforce(uint256 challengeId) external nonReentrant {
        Challenge storage open = _open(challengeId);
        if (block.timestamp < open.answerBy) revert Clearing_AnswerPending(block.timestamp, open.answerBy);
        open.isOpen = false;
        Root storage root = _known(open.token, open.epoch);
        --root.openChallenges;
        uint256 slashed;
        // A root is voided, and its lie paid for, once.
        if (!root.isVoid) {
            root.isVoid = true;
            slashed = bonds.slash(operator, parameters.valueOf(SLASH), open.challenger, REASON);
        }
        emit RootVoided(challengeId, open.token, open.epoch, slashed);
    }

    /// @inheritdoc IClearing
    function rootOf(address token, uint256 epoch) external view returns (Root memory) {
        return _known(token, epoch);
    }

    /// @inheritdoc IClearing
    function epochOf(address token) external view returns (uint256) {
        return _roots[token].length;
    }

    /// @inheritdoc IClearing
    function paidOf(address token, address payee) external view returns (uint256) {
        return _paid[token][payee];
    }

    /// @inheritdoc IClearing
    function finalEpochOf(address token) public view returns (uint256 epoch) {
        // A root waits for the one before it, so at most the last one is pending; void ones lie in between.
        for (epoch = _roots[token].length; epoch != 0; --epoch) {
            Root storage root = _roots[token][epoch - 1];
            if (!root.isVoid && !_isPending(root)) return epoch;
        }
    }

    /// @inheritdoc IClearing
    function receivedOf(address token) public view returns (uint256) {
        (uint128 claimed, uint128 settled) = settlement.receivers(address(this), token);
        return IERC20(token).balanceOf(address(this)) + claimed - settled + _paidTotal[token];
    }

    /// @inheritdoc IClearing
    function receiptDigest(CreditReceipt calldata receipt) public view returns (bytes32) {
        return
            _hashTypedDataV4(
                keccak256(
                    abi.encode(
                        RECEIPT_TYPEHASH,
                        receipt.token,
                        receipt.payee,
                        receipt.cumulative,
                        receipt.epoch
                    )
                )
            );
    }

    /// @dev The leaves of the rows, and their sum. Payees ascend, so none stands twice; all who stood in the
    ///         last root
    ///      stand here with at least as much, so whatever is paid out of any root is part of every later one.
    function _read(
        bytes calldata rows,
        bytes calldata before
    ) private pure returns (bytes32[] memory leaves, uint256 total) {
        if (rows.length == 0 || rows.length % ROW != 0) revert Clearing_BadRows();
        leaves = new bytes32[](rows.length / ROW);
        address last;
        uint256 next = 0;
        for (uint256 i = 0; i < leaves.length; ++i) {
            (address payee, uint256 cumulative) = _row(rows, i * ROW);
            if (payee <= last) revert Clearing_RowsNotAscending(last, payee);
            if (next < before.length) {
                (address expected, uint256 least) = _row(before, next);
                if (expected < payee) revert Clearing_PayeeMissing(expected);
                if (expected == payee) {
                    if (cumulative < least) revert Clearing_CreditLowered(payee, cumulative, least);
                    next += ROW;
                }
            }
            leaves[i] = _leaf(payee, cumulative);
            (last, total) = (payee, total + cumulative);
        }
        if (next < before.length) {
            (address missing, ) = _row(before, next);
            revert Clearing_PayeeMissing(missing);
        }
    }

    function _requireBond() private view {
        uint256 bond = bonds.bondOf(operator);
        uint256 wanted = parameters.valueOf(MIN_BOND);
        if (bond < wanted) revert Clearing_BondTooLow(bond, wanted);
    }

    /// @dev Nothing may be pending, and `before` must be the rows of the last root that stands.
    function _requireNext(address token, uint256 epoch, bytes calldata before) private view {
        uint256 last = _roots[token].length;
        if (epoch != last + 1) revert Clearing_WrongEpoch(epoch, last + 1);
        if (last != 0 && _isPending(_roots[token][last - 1])) revert Clearing_RootPending(last);
        uint256 standing = finalEpochOf(token);
        if (standing == 0 ? before.length != 0 : keccak256(before) != _roots[token][standing - 1].rowsHash)
            revert Clearing_BadRows();
    }

    function _finalRoot(address token, uint256 epoch) private view returns (Root storage root) {
        root = _known(token, epoch);
        if (epoch != finalEpochOf(token)) revert Clearing_RootNotFinal(token, epoch);
    }

    function _known(address token, uint256 epoch) private view returns (Root storage root) {
        if (epoch == 0 || epoch > _roots[token].length) revert Clearing_UnknownEpoch(token, epoch);
        root = _roots[token][epoch - 1];
    }

    function _open(uint256 challengeId) private view returns (Challenge storage open) {
        open = _challenges[challengeId];
        if (!open.isOpen) revert Clearing_UnknownChallenge(challengeId);
    }

    /// @dev Open to challenge, or to an answer.
    function _isPending(Root storage root) private view returns (bool) {
        if (root.isVoid) return false;
        return root.openChallenges != 0 || block.timestamp < root.postedAt + CHALLENGE_WINDOW;
    }

    function _requireLeaf(
        Root storage root,
        address payee,
        uint128 cumulative,
        bytes32[] calldata proof
    ) private view {
        if (!MerkleProof.verifyCalldata(proof, root.root, _leaf(payee, cumulative)))
            revert Clearing_BadProof(payee, cumulative);
    }

    /// @dev Level by level, pairs hashed in sorted order; a leaf without a partner goes up as it is.
    function _rootOf(bytes32[] memory nodes) private pure returns (bytes32) {
        for (uint256 count = nodes.length; count > 1; count = (count + 1) / 2) {
            for (uint256 i = 0; i < count / 2; ++i)
                nodes[i] = Hashes.commutativeKeccak256(nodes[2 * i], nodes[2 * i + 1]);
            if (count % 2 == 1) nodes[count / 2] = nodes[count - 1];
        }
        return nodes[0];
    }

    function _row(bytes calldata rows, uint256 at) private pure returns (address payee, uint256 cumulative) {
        bytes32 row = bytes32(rows[at:at + ROW]);
        (payee, cumulative) = (address(bytes20(row)), uint96(uint256(row)));
    }

    /// @dev keccak256(keccak256(abi.encode(payee, cumulative))), in scratch memory.
    function _leaf(address payee, uint256 cumulative) private pure returns (bytes32) {
        bytes32 inner = Hashes.efficientKeccak256(bytes32(uint256(uint160(payee))), bytes32(cumulative));
        return keccak256(bytes.concat(inner));
    }
}
