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
/// @dev No ERC-1271: a contract that answered for its operator's key would sign transfers of its tokens and refunds of
///      its channels by it.
contract Clearing is CreditBook, AccessManaged, ReentrancyGuardTransient, IDepositCollector {
    using SafeERC20 for IERC20;

    bytes32 private constant MIN_BOND = "clearingMinBond";
    bytes32 private constant SLASH = "clearingSlash";
    bytes32 private constant CONTRADICTED = "clearing: epoch below receipt";
    bytes32 private constant NOT_HONOURED = "clearing: receipt not honoured";
    /// @notice How long after its appointment an operator takes over from another.
    uint256 public constant HANDOVER = 3 days;
    /// @notice How long before its end a receipt can be demanded.
    uint256 public constant EXIT_WINDOW = 14 days;
    /// @notice The gas that has to be left for a slash, more than it ever needs.
    uint256 public constant SLASH_GAS = 500_000;

    /// @notice Where the operators' bonds lie.
    IBonds public immutable bonds;
    /// @notice Where the bond's size is read.
    IParameters public immutable parameters;

    Office[] private _offices;

    /// @param authority The AccessManager whose admin lists tokens and appoints operators.
    /// @param bonds_ Where the operators' bonds lie.
    /// @param settlement_ Where the channels are.
    /// @param parameters_ Where the bond's size is read.
    constructor(
        address authority,
        IBonds bonds_,
        IBatchSettlement settlement_,
        IParameters parameters_
    ) CreditBook(settlement_) AccessManaged(authority) {
        (bonds, parameters) = (bonds_, parameters_);
    }

    /// @inheritdoc IClearing
    /// @custom:role admin
    function listToken(address token, TokenTerms calldata terms) external restricted {
        _list(token, terms);
    }

    /// @inheritdoc IClearing
    /// @custom:role admin
    function appoint(address successor) external restricted {
        if (successor == address(0)) revert Clearing_NoOperator();
        uint256 office = _offices.length;
        uint256 from = block.timestamp;
        if (office != 0) {
            // One that has not begun never signed anything that counts. The first begins at once.
            if (_offices[office - 1].from > block.timestamp) {
                _offices.pop();
                --office;
            }
            from += HANDOVER;
            _offices[office - 1].until = uint40(from);
        }
        _offices.push(Office(successor, uint40(from), 0));
        emit OperatorAppointed(office, successor, from);
        _bind(successor);
    }

    /// @inheritdoc IClearing
    function release(address operator_) external returns (uint256 amount) {
        for (uint256 i = 0; i < _offices.length; ++i) {
            if (_offices[i].operator != operator_) continue;
            uint256 until = _answersUntil(i);
            if (block.timestamp < until) revert Clearing_StillBound(operator_, until);
        }
        amount = bonds.lockedBy(operator_, address(this));
        bonds.unlock(operator_, amount);
    }

    /// @inheritdoc IClearing
    function recordHandover(address token) external nonReentrant {
        (, uint256 office) = operator();
        _record(token, office);
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
        _record(token, office);
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
    function claim(IBatchSettlement.VoucherClaim[] calldata claims) external {
        settlement.claim(claims);
    }

    /// @inheritdoc IClearing
    function claimPacked(bytes calldata rows) external {
        settlement.claimPacked(rows);
    }

    /// @inheritdoc IClearing
    function challenge(
        uint256 epoch,
        CreditReceipt calldata receipt,
        bytes calldata signature
    ) external nonReentrant returns (uint256 slashed) {
        if (receipt.epoch > epoch) revert Clearing_ReceiptTooNew(receipt.epoch, epoch);
        // The last epoch of a token that was taken off the list has its day, too.
        uint256 until = Math.min(receipt.expiresAt, listedUntil(receipt.token) + CHALLENGE_WINDOW);
        if (block.timestamp >= until) revert Clearing_NotDue(block.timestamp, 0, until);
        _requireSigned(receipt, signature);
        slashed = _void(receipt.token, epoch, receipt.payee, receipt.office, receipt.cumulative);
    }

    /// @inheritdoc IClearing
    function challengeByDebt(
        address token,
        uint256 epoch,
        address payee,
        uint256 office
    ) external nonReentrant returns (uint256 slashed) {
        slashed = _void(token, epoch, payee, office, _debts[token][payee][office].cumulative);
    }

    /// @inheritdoc IClearing
    function demand(
        CreditReceipt calldata receipt,
        bytes calldata signature
    ) external nonReentrant returns (uint256 amount) {
        uint256 until = Math.min(receipt.expiresAt, listedUntil(receipt.token));
        uint256 from = until > EXIT_WINDOW ? until - EXIT_WINDOW : 0;
        if (block.timestamp < from || block.timestamp >= until)
            revert Clearing_NotDue(block.timestamp, from, until);
        _requireSigned(receipt, signature);
        amount = _demand(receipt.token, receipt.payee, receipt.office, receipt.cumulative);
    }

    /// @inheritdoc IClearing
    function demandDebt(
        address token,
        address payee,
        uint256 office
    ) external nonReentrant returns (uint256 amount) {
        amount = _demand(token, payee, office, _debts[token][payee][office].cumulative);
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
        uint256 office = _offices.length;
        if (office == 0) return (address(0), 0);
        --office;
        if (_offices[office].from > block.timestamp) --office;
        return (_offices[office].operator, office);
    }

    function _requireOperator() private view returns (uint256 office) {
        address inOffice;
        (inOffice, office) = operator();
        if (msg.sender != inOffice) revert Clearing_NotOperator(msg.sender, inOffice);
    }

    /// @dev What others have locked of it, as Disputes for seats, stands behind no epoch.
    function _requireBond() private view {
        uint256 bond = bonds.bondFor(msg.sender, address(this));
        uint256 wanted = parameters.valueOf(MIN_BOND);
        if (bond < wanted) revert Clearing_BondTooLow(bond, wanted);
    }

    /// @dev Holds so much of an operator's own stake that the least bond is held, whatever it has held before.
    function _bind(address successor) private {
        uint256 wanted = parameters.valueOf(MIN_BOND);
        uint256 bond = bonds.bondFor(successor, address(this));
        if (bond < wanted) revert Clearing_BondTooLow(bond, wanted);
        uint256 held = bonds.lockedBy(successor, address(this));
        if (held < wanted) bonds.lock(successor, wanted - held);
    }

    /// @dev A key's word alone: a contract could take it back.
    function _requireSigned(CreditReceipt calldata receipt, bytes calldata signature) private view {
        (, uint256 newest) = operator();
        if (_offices.length == 0 || receipt.office > newest)
            revert Clearing_WrongOffice(receipt.office, newest);
        // Whoever has left can sign still, and must not be able to sign for ever.
        uint256 latest = _answersUntil(receipt.office);
        if (receipt.expiresAt > latest) revert Clearing_ReceiptOutlivesOffice(receipt.expiresAt, latest);
        if (Signatures.recover(receiptDigest(receipt), signature) != _offices[receipt.office].operator)
            revert Clearing_BadReceipt(receipt.payee);
    }

    /// @dev Until when an office's operator answers for its word.
    function _answersUntil(uint256 office) private view returns (uint256) {
        uint256 until = _offices[office].until;
        return until == 0 ? type(uint256).max : until + RECEIPT_LIFE;
    }

    /// @dev Whoever took over answers for its own word; an earlier operator's is paid by demand, from that one's bond.
    function _void(
        address token,
        uint256 number,
        address payee,
        uint256 office,
        uint256 cumulative
    ) private returns (uint256 slashed) {
        Epoch storage epoch = _challengeable(token, number);
        address liar = _offices[epoch.office].operator;
        if (office >= _offices.length || _offices[office].operator != liar)
            revert Clearing_WrongOffice(office, epoch.office);
        (uint256 short, uint256 credited) = _shortOf(token, payee, cumulative);
        if (short == 0) revert Clearing_ReceiptHonoured(cumulative, credited);
        epoch.isVoid = true;
        slashed = _slash(liar, CONTRADICTED);
        emit EpochVoided(token, number, payee, slashed);
    }

    /// @dev A payee that is credited by an epoch that can be challenged yet is given nothing, but its debt is noted: if
    ///      that epoch falls, its receipt may have ended.
    function _demand(
        address token,
        address payee,
        uint256 office,
        uint256 cumulative
    ) private returns (uint256 amount) {
        (, uint256 inOffice) = operator();
        _record(token, inOffice);
        Debt storage debt = _debts[token][payee][office];
        bool isNew = cumulative > debt.cumulative;
        if (isNew) debt.cumulative = uint128(cumulative);
        (uint256 short, uint256 credited) = _shortOf(token, payee, cumulative);
        uint256 slashed;
        if (short != 0) {
            amount = _assign(token, payee, office, short);
            // Once a day for a payee, by whichever of the operator's offices.
            Debt storage first = _debts[token][payee][_firstOf(office)];
            bool isSlashed = block.timestamp >= first.slashedAt + 1 days && _isAnswered(token, office);
            if (isSlashed) {
                first.slashedAt = uint40(block.timestamp);
                slashed = _slash(_offices[office].operator, NOT_HONOURED);
            }
            if (amount == 0 && !isSlashed && !isNew) {
                (, uint256 left) = _exits(token);
                revert Clearing_NothingToGive(_unassigned(token, office), left);
            }
        } else if (!isNew || cumulative < creditOf(token, payee).settled + _leastShort(token)) {
            revert Clearing_ReceiptHonoured(cumulative, credited);
        }
        emit Demanded(token, payee, office, amount, slashed);
    }

    /// @dev The first office of an office's operator.
    function _firstOf(uint256 office) private view returns (uint256 first) {
        address operator_ = _offices[office].operator;
        while (_offices[first].operator != operator_) ++first;
    }

    /// @dev Nobody pays for what it can credit no more.
    function _isAnswered(address token, uint256 office) private view returns (bool) {
        return block.timestamp < Math.min(_answersUntil(office), listedUntil(token));
    }

    /// @dev Whatever becomes of the slash, who was wronged is heard; and whoever brings the proof cannot let it fail
    ///      for want of gas.
    function _slash(address liar, bytes32 reason) private returns (uint256 slashed) {
        uint256 amount = parameters.valueOf(SLASH);
        if (gasleft() < SLASH_GAS) revert Clearing_TooLittleGas(gasleft(), SLASH_GAS);
        try bonds.slash(liar, amount, msg.sender, reason) returns (uint256 taken) {
            slashed = taken;
        } catch {
            slashed = 0;
        }
    }

    /// @return short What the operator's word says beyond what its payee is credited; 0 if that is not due yet.
    function _shortOf(
        address token,
        address payee,
        uint256 cumulative
    ) private view returns (uint256 short, uint256 credited) {
        Credit memory standing = creditOf(token, payee);
        credited = standing.settled + standing.pending;
        if (cumulative >= credited + _leastShort(token)) short = cumulative - credited;
    }
}
