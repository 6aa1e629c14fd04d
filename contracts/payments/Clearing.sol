// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IBatchSettlement} from "../interfaces/payments/IBatchSettlement.sol";
import {IClearing} from "../interfaces/payments/IClearing.sol";
import {IDepositCollector} from "../interfaces/payments/IDepositCollector.sol";
import {IBonds} from "../interfaces/staking/IBonds.sol";
import {IParameters} from "../interfaces/governance/IParameters.sol";
import {Signatures} from "../libraries/Signatures.sol";
import {CreditBook} from "./CreditBook.sol";

/// @notice See `IClearing`. What is credited stands in `CreditBook`; here is who may credit, who contradicts, and how
///         money leaves.
contract Clearing is CreditBook, AccessManaged, ReentrancyGuardTransient, IDepositCollector {
    using SafeERC20 for IERC20;

    bytes32 private constant MIN_BOND = "clearingMinBond";
    bytes32 private constant SLASH = "clearingSlash";
    bytes32 private constant CONTRADICTED = "clearing: epoch below receipt";
    bytes32 private constant NOT_HONOURED = "clearing: receipt not honoured";
    /// @notice How long after its appointment an operator takes over.
    uint256 public constant HANDOVER = 3 days;
    /// @notice How long a receipt is good after its operator has left office: as long as it is when it is new.
    uint256 public constant RECEIPT_LIFE = 21 days;
    /// @notice How long before its end a receipt can be demanded.
    uint256 public constant EXIT_WINDOW = 14 days;

    /// @notice Where the operators' bonds lie.
    IBonds public immutable bonds;
    /// @notice Where the bond's size is read.
    IParameters public immutable parameters;

    Office[] private _offices;

    /// @param authority The AccessManager whose admin lists tokens and appoints operators.
    /// @param operator_ Who runs the hub first.
    /// @param bonds_ Where its bond lies.
    /// @param settlement_ Where the channels are.
    /// @param parameters_ Where the bond's size is read.
    constructor(
        address authority,
        address operator_,
        IBonds bonds_,
        IBatchSettlement settlement_,
        IParameters parameters_
    ) CreditBook(settlement_) AccessManaged(authority) {
        (bonds, parameters) = (bonds_, parameters_);
        _offices.push(Office(operator_, uint40(block.timestamp), 0));
        emit OperatorAppointed(0, operator_, block.timestamp);
    }

    /// @inheritdoc IClearing
    /// @custom:role admin
    function listToken(address token, TokenTerms calldata terms) external restricted {
        _terms[token] = terms;
        emit TokenListed(token, terms.isListed, terms.leastCredit, terms.exitCap);
    }

    /// @inheritdoc IClearing
    /// @custom:role admin
    function appoint(address successor) external restricted {
        if (successor == address(0)) revert Clearing_NoOperator();
        uint256 last = _offices.length - 1;
        // One that has not begun never signed anything that counts.
        if (last != 0 && _offices[last].from > block.timestamp) {
            _offices.pop();
            --last;
        }
        bool isBonded = bonds.bondOf(_offices[last].operator) >= parameters.valueOf(MIN_BOND);
        uint256 from = isBonded ? block.timestamp + HANDOVER : block.timestamp;
        _offices[last].until = uint40(from);
        _offices.push(Office(successor, uint40(from), 0));
        emit OperatorAppointed(last + 1, successor, from);
    }

    /// @inheritdoc IClearing
    function credit(
        address token,
        uint256 epoch,
        uint256 from,
        bytes calldata rows,
        bool isLast
    ) external nonReentrant {
        uint256 office = _requireOperator();
        _requireBond();
        _fill(token, epoch, from, rows, office);
        if (isLast) _seal(token, epoch);
    }

    /// @inheritdoc IClearing
    function abandon(address token, uint256 epoch) external {
        _requireOperator();
        _giveUp(token, epoch);
        emit EpochVoided(token, epoch, address(0), 0);
    }

    /// @inheritdoc IClearing
    function claimPacked(bytes calldata rows) external {
        _requireOperator();
        settlement.claimPacked(rows);
    }

    /// @inheritdoc IClearing
    function challenge(
        uint256 epoch,
        CreditReceipt calldata receipt,
        bytes calldata signature
    ) external nonReentrant returns (uint256 slashed) {
        Epoch storage challenged = _challengeable(receipt.token, epoch);
        if (receipt.epoch > epoch) revert Clearing_ReceiptTooNew(receipt.epoch, epoch);
        // Whoever took over answers for its own word; an earlier operator's is paid by demand, from that one's bond.
        if (receipt.office != challenged.office)
            revert Clearing_WrongOffice(receipt.office, challenged.office);
        if (block.timestamp >= receipt.expiresAt)
            revert Clearing_NotDue(block.timestamp, 0, receipt.expiresAt);
        address liar = _requireSigned(receipt, signature);
        _requireShort(receipt);
        challenged.isVoid = true;
        slashed = bonds.slash(liar, parameters.valueOf(SLASH), msg.sender, CONTRADICTED);
        emit EpochVoided(receipt.token, epoch, receipt.payee, slashed);
    }

    /// @inheritdoc IClearing
    function demand(
        CreditReceipt calldata receipt,
        bytes calldata signature
    ) external nonReentrant returns (uint256 amount) {
        uint256 until = receipt.expiresAt;
        uint256 from = until > EXIT_WINDOW ? until - EXIT_WINDOW : 0;
        if (block.timestamp < from || block.timestamp >= until)
            revert Clearing_NotDue(block.timestamp, from, until);
        address debtor = _requireSigned(receipt, signature);
        amount = _assign(receipt.token, receipt.payee, _requireShort(receipt));
        uint256 slashed = bonds.slash(debtor, parameters.valueOf(SLASH), msg.sender, NOT_HONOURED);
        emit Demanded(receipt.token, receipt.payee, amount, slashed);
    }

    /// @inheritdoc IClearing
    function payOut(address token, address payee) external nonReentrant returns (uint256 amount) {
        uint256 paid;
        (amount, paid) = _take(token, payee, type(uint256).max);
        if (amount == 0) revert Clearing_NothingToPay(payee);
        settlement.settle(address(this), token);
        emit Paid(token, payee, amount, paid);
        IERC20(token).safeTransfer(payee, amount);
    }

    /// @inheritdoc IClearing
    function payOutAll(address token, address[] calldata payees) external nonReentrant {
        settlement.settle(address(this), token);
        uint256 sum;
        for (uint256 i = 0; i < payees.length; ++i) {
            (uint256 amount, ) = _take(token, payees[i], type(uint256).max);
            if (amount == 0) continue;
            if (IERC20(token).trySafeTransfer(payees[i], amount)) {
                sum += amount;
            } else {
                _giveBack(token, payees[i], amount);
                emit PayoutFailed(token, payees[i], amount);
            }
        }
        emit PaidBatch(token, sum);
    }

    /// @inheritdoc IDepositCollector
    /// @dev For BatchSettlement: a payee's credit becomes its own deposit. `data` is a nonce (32 bytes), a deadline (32
    ///      bytes, Unix seconds) and the payee's signature of `depositDigest`. What Clearing has claimed and not
    ///      settled must be settled before, since BatchSettlement takes no call meanwhile.
    function collect(
        address payer,
        address token,
        uint256 amount,
        bytes32 channelId,
        bytes calldata data
    ) external {
        if (msg.sender != address(settlement))
            revert DepositCollector_NotSettlement(msg.sender, address(settlement));
        if (data.length < 64) revert Clearing_DepositNotSigned(payer);
        (uint256 nonce, uint256 deadline) = (uint256(bytes32(data[:32])), uint256(bytes32(data[32:64])));
        bytes32 digest = depositDigest(token, channelId, amount, nonce, deadline);
        if (
            block.timestamp > deadline ||
            !_useNonce(payer, nonce) ||
            !Signatures.isSigned(payer, digest, data[64:])
        ) revert Clearing_DepositNotSigned(payer);
        (uint256 taken, uint256 paid) = _take(token, payer, amount);
        if (taken < amount) revert Clearing_CreditTooLow(payer, amount, taken);
        emit Deposited(token, payer, channelId, amount, paid);
        IERC20(token).safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc IClearing
    function officeOf(uint256 office) external view returns (Office memory) {
        return _offices[office];
    }

    /// @inheritdoc IClearing
    function operator() public view returns (address, uint256) {
        uint256 office = _offices.length - 1;
        if (_offices[office].from > block.timestamp) --office;
        return (_offices[office].operator, office);
    }

    function _requireOperator() private view returns (uint256 office) {
        address inOffice;
        (inOffice, office) = operator();
        if (msg.sender != inOffice) revert Clearing_NotOperator(msg.sender, inOffice);
    }

    function _requireBond() private view {
        uint256 bond = bonds.bondOf(msg.sender);
        uint256 wanted = parameters.valueOf(MIN_BOND);
        if (bond < wanted) revert Clearing_BondTooLow(bond, wanted);
    }

    /// @return signer The operator whose word it is.
    function _requireSigned(
        CreditReceipt calldata receipt,
        bytes calldata signature
    ) private view returns (address signer) {
        (, uint256 newest) = operator();
        if (receipt.office > newest) revert Clearing_WrongOffice(receipt.office, newest);
        Office memory office = _offices[receipt.office];
        signer = office.operator;
        // Whoever has left can sign still, and must not be able to sign for ever.
        uint256 latest = office.until == 0 ? type(uint256).max : office.until + RECEIPT_LIFE;
        if (receipt.expiresAt > latest) revert Clearing_ReceiptOutlivesOffice(receipt.expiresAt, latest);
        if (!Signatures.isSigned(signer, receiptDigest(receipt), signature))
            revert Clearing_BadReceipt(receipt.payee);
    }

    /// @return short What the receipt says beyond what its payee is credited.
    function _requireShort(CreditReceipt calldata receipt) private view returns (uint256 short) {
        Credit memory standing = creditOf(receipt.token, receipt.payee);
        uint256 credited = standing.settled + standing.pending;
        uint256 least = Math.max(_terms[receipt.token].leastCredit, 1);
        if (receipt.cumulative < credited + least)
            revert Clearing_ReceiptHonoured(receipt.cumulative, credited);
        short = receipt.cumulative - credited;
    }
}
