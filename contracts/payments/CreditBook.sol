// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IBatchSettlement} from "../interfaces/payments/IBatchSettlement.sol";
import {IClearing} from "../interfaces/payments/IClearing.sol";

/// @notice What payees are credited: the epochs, each payee's one word, and the sums that keep every credit funded.
/// @dev At most one epoch of a token is undecided: being filled, or sealed and open to challenge. A payee's word holds
///      what is settled beside the amount and number of the last epoch that touched it; whether that counts follows
///      from the epoch, so voiding and settling an epoch cost the same however many rows it has.
abstract contract CreditBook is IClearing, EIP712 {
    /// @dev One slot.
    struct Line {
        uint96 settled;
        uint96 added;
        uint64 epoch;
    }

    struct Token {
        // Without the last epoch, which is added when the next one is opened.
        uint128 settled;
        uint64 lastEpoch;
        uint40 exitsAt;
        // All that has left Clearing.
        uint128 paid;
        // What demands had taken at `exitsAt`, less what had been refilled by then.
        uint96 exits;
        // Up to this one it is recorded what had been received when the office ended.
        uint32 office;
    }

    /// @dev One slot. `until`: LISTED, or when its last receipts end, or 0 if it never was listed.
    struct Terms {
        uint96 leastCredit;
        uint96 exitCap;
        uint40 until;
    }

    /// @dev A least credit that was higher, and counts until then.
    struct FormerLeast {
        uint96 amount;
        uint40 until;
    }

    bytes32 private constant RECEIPT_TYPEHASH = keccak256(
        "CreditReceipt(address token,address payee,uint128 cumulative,uint64 epoch,uint32 office,uint40 expiresAt)"
    );
    bytes32 private constant DEPOSIT_TYPEHASH = keccak256(
        "CreditDeposit(address token,bytes32 channelId,uint256 amount,uint256 nonce,uint256 deadline)"
    );
    /// @dev 20 bytes payee, 12 bytes what it is credited in all.
    uint256 private constant ROW = 32;
    uint40 private constant LISTED = type(uint40).max;
    /// @notice How long a sealed epoch can be challenged.
    uint256 public constant CHALLENGE_WINDOW = 1 days;
    /// @notice How long a receipt is good after its operator has left office, or its token was taken off the list: as
    ///         long as it is when it is new.
    uint256 public constant RECEIPT_LIFE = 21 days;
    /// @notice How long a least credit that was lowered counts on against receipts: enough for two epochs.
    uint256 public constant LEAST_NOTICE = 3 days;

    /// @notice Where the channels are.
    IBatchSettlement public immutable settlement;

    mapping(address token => Terms) private _terms;
    mapping(address token => FormerLeast) private _formerLeasts;
    mapping(address token => Token) private _tokens;
    mapping(address token => mapping(uint256 number => Epoch)) private _epochs;
    mapping(address token => mapping(address payee => Line)) private _lines;
    mapping(address token => mapping(address payee => uint256)) private _paid;
    mapping(address payee => mapping(uint256 nonce => bool)) private _usedNonces;
    mapping(address token => mapping(address payee => mapping(uint256 office => Debt))) internal _debts;
    /// @dev What had been received when it was recorded that the office had ended.
    mapping(address token => mapping(uint256 office => uint256)) private _receivedUpTo;

    constructor(IBatchSettlement settlement_) EIP712("Clearing", "1") {
        settlement = settlement_;
    }

    /// @inheritdoc IClearing
    function termsOf(address token) external view returns (TokenTerms memory) {
        Terms memory terms = _terms[token];
        return TokenTerms(terms.until == LISTED, terms.leastCredit, terms.exitCap);
    }

    /// @inheritdoc IClearing
    function debtOf(address token, address payee, uint256 office) external view returns (Debt memory) {
        return _debts[token][payee][office];
    }

    /// @inheritdoc IClearing
    function exitsLeft(address token) external view returns (uint256 left) {
        (, left) = _exits(token);
    }

    /// @inheritdoc IClearing
    function epochOf(address token, uint256 epoch) external view returns (Epoch memory) {
        return _epochs[token][epoch];
    }

    /// @inheritdoc IClearing
    function lastEpochOf(address token) external view returns (uint256) {
        return _tokens[token].lastEpoch;
    }

    /// @inheritdoc IClearing
    function creditOf(address token, address payee) public view returns (Credit memory standing) {
        Line memory line = _lines[token][payee];
        standing.settled = line.settled;
        standing.paid = _paid[token][payee];
        if (line.added == 0) return standing;
        Epoch storage epoch = _epochs[token][line.epoch];
        if (_isSettled(epoch)) standing.settled += line.added;
        else if (epoch.sealedAt != 0 && !epoch.isVoid) standing.pending = line.added;
    }

    /// @inheritdoc IClearing
    function creditedOf(address token) public view returns (uint256 settled, uint256 pending) {
        Token storage book = _tokens[token];
        settled = book.settled;
        Epoch storage last = _epochs[token][book.lastEpoch];
        if (_isSettled(last)) settled += last.total;
        else if (last.sealedAt != 0 && !last.isVoid) pending = last.total;
    }

    /// @inheritdoc IClearing
    function receivedOf(address token) public view returns (uint256) {
        (uint128 claimed, uint128 settled) = settlement.receivers(address(this), token);
        return IERC20(token).balanceOf(address(this)) + claimed - settled + _tokens[token].paid;
    }

    /// @inheritdoc IClearing
    function listedUntil(address token) public view returns (uint256) {
        return _terms[token].until;
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
                        receipt.epoch,
                        receipt.office,
                        receipt.expiresAt
                    )
                )
            );
    }

    /// @inheritdoc IClearing
    function depositDigest(
        address token,
        bytes32 channelId,
        uint256 amount,
        uint256 nonce,
        uint256 deadline
    ) public view returns (bytes32) {
        return
            _hashTypedDataV4(
                keccak256(abi.encode(DEPOSIT_TYPEHASH, token, channelId, amount, nonce, deadline))
            );
    }

    /// @dev A token that is taken off the list is credited until the last receipt that can be out now has ended.
    function _list(address token, TokenTerms calldata terms) internal {
        Terms memory before = _terms[token];
        uint40 until = LISTED;
        if (!terms.isListed)
            until = before.until == LISTED ? uint40(block.timestamp + RECEIPT_LIFE) : before.until;
        if (terms.leastCredit < before.leastCredit)
            _formerLeasts[token] = FormerLeast(
                uint96(_leastShort(token)),
                uint40(block.timestamp + LEAST_NOTICE)
            );
        _terms[token] = Terms(terms.leastCredit, terms.exitCap, until);
        emit TokenListed(token, terms.isListed, terms.leastCredit, terms.exitCap, until);
    }

    /// @dev Records what there was when the offices before this one ended: their receipts reach no more.
    function _record(address token, uint256 office) internal {
        Token storage book = _tokens[token];
        uint256 recorded = book.office;
        if (recorded >= office) return;
        uint256 received = receivedOf(token);
        for (; recorded < office; ++recorded) _receivedUpTo[token][recorded] = received;
        book.office = uint32(office);
        emit HandedOver(token, office, received);
    }

    /// @dev Adds rows to the epoch that is open, or to the next one if that may be opened.
    function _fill(
        address token,
        uint256 number,
        uint256 from,
        bytes calldata rows,
        uint256 office
    ) internal {
        Epoch storage epoch = _opened(token, number, office);
        if (from != epoch.rows) revert Clearing_WrongRow(from, epoch.rows);
        if (rows.length == 0 || rows.length % ROW != 0) revert Clearing_BadRows();
        uint256 sum;
        for (uint256 at = 0; at < rows.length; at += ROW)
            sum += _addRow(token, number, bytes32(rows[at:at + ROW]));
        epoch.total += uint128(sum);
        epoch.rows += uint32(rows.length / ROW);
        emit EpochFilled(token, number, epoch.rows, epoch.total);
    }

    /// @dev Nothing is credited that was not received.
    function _seal(address token, uint256 number) internal {
        Epoch storage epoch = _epochs[token][number];
        uint256 total = _tokens[token].settled + epoch.total;
        uint256 received = receivedOf(token);
        if (total > received) revert Clearing_TotalTooHigh(total, received);
        epoch.sealedAt = uint40(block.timestamp);
        emit EpochSealed(token, number, epoch.total);
    }

    function _giveUp(address token, uint256 number) internal {
        Epoch storage epoch = _epochs[token][number];
        if (epoch.rows == 0 || epoch.sealedAt != 0 || epoch.isVoid)
            revert Clearing_NotChallengeable(token, number);
        epoch.isVoid = true;
    }

    /// @dev Credits a payee at once, out of what its operator's office had received and nobody is credited; all demands
    ///      share the token's cap. Zero: nothing can be given now.
    function _assign(
        address token,
        address payee,
        uint256 office,
        uint256 wanted
    ) internal returns (uint256 amount) {
        Token storage book = _tokens[token];
        (uint256 used, uint256 left) = _exits(token);
        amount = Math.min(wanted, Math.min(_unassigned(token, office), left));
        if (amount == 0) return 0;
        (book.exits, book.exitsAt) = (uint96(used + amount), uint40(block.timestamp));
        book.settled += uint128(amount);
        Line storage line = _lines[token][payee];
        line.settled += uint96(amount);
        // A row that is not sealed yet would give it once more: of the two, the payee has what the higher says.
        Epoch storage epoch = _epochs[token][line.epoch];
        if (line.added != 0 && epoch.sealedAt == 0 && !epoch.isVoid) {
            uint96 given = uint96(Math.min(line.added, amount));
            epoch.total -= given;
            line.added -= given;
        }
    }

    /// @dev Takes at most `most` of a payee's settled credit out of the books, to be paid.
    function _take(
        address token,
        address payee,
        uint256 most
    ) internal returns (uint256 amount, uint256 paid) {
        Credit memory standing = creditOf(token, payee);
        // What Clearing would pay to itself it would have received once more.
        if (payee == address(this)) return (0, standing.paid);
        amount = Math.min(standing.settled - standing.paid, most);
        paid = standing.paid + amount;
        if (amount == 0) return (0, paid);
        _paid[token][payee] = paid;
        _tokens[token].paid += uint128(amount);
    }

    function _giveBack(address token, address payee, uint256 amount) internal {
        _paid[token][payee] -= amount;
        _tokens[token].paid -= uint128(amount);
    }

    function _useNonce(address payee, uint256 nonce) internal returns (bool) {
        if (_usedNonces[payee][nonce]) return false;
        return _usedNonces[payee][nonce] = true;
    }

    /// @dev What a demand of an office may be given, but for the cap. An earlier one's reaches what had been received
    ///      by its end, and of that what nobody was credited since: none of its successors' money.
    function _unassigned(address token, uint256 office) internal view returns (uint256) {
        (uint256 settled, uint256 pending) = creditedOf(token);
        uint256 received = receivedOf(token);
        if (office < _tokens[token].office) received = Math.min(received, _receivedUpTo[token][office]);
        return Math.saturatingSub(received, settled + pending);
    }

    /// @dev What the cap leaves is refilled evenly over a day.
    function _exits(address token) internal view returns (uint256 used, uint256 left) {
        Token storage book = _tokens[token];
        uint256 cap = _terms[token].exitCap;
        used = Math.saturatingSub(book.exits, (cap * (block.timestamp - book.exitsAt)) / 1 days);
        left = Math.saturatingSub(cap, used);
    }

    /// @dev A payee that is credited less than its receipt says, but not by as much as this, is not due yet.
    function _leastShort(address token) internal view returns (uint256 least) {
        least = Math.max(_terms[token].leastCredit, 1);
        FormerLeast memory former = _formerLeasts[token];
        if (block.timestamp < former.until) least = Math.max(least, former.amount);
    }

    /// @dev The last epoch of its token, sealed and within its window.
    function _challengeable(address token, uint256 number) internal view returns (Epoch storage epoch) {
        epoch = _epochs[token][number];
        if (epoch.sealedAt == 0 || epoch.isVoid) revert Clearing_NotChallengeable(token, number);
        uint256 until = epoch.sealedAt + CHALLENGE_WINDOW;
        if (block.timestamp >= until) revert Clearing_ChallengeTooLate(block.timestamp, until);
    }

    /// @dev Adds what the payee's total says beyond its credit: nothing where a demand came first, so that no order of
    ///      transactions gives anything twice, or lets the operator's fail. What an earlier epoch added becomes
    ///      settled, if that one was not voided.
    function _addRow(address token, uint256 number, bytes32 row) private returns (uint256 rise) {
        Line storage line = _lines[token][address(bytes20(row))];
        (uint256 settled, uint256 added, uint256 last) = (line.settled, line.added, line.epoch);
        // Numbers of 96 bits, whose sums are far from 2^256; what is written adds up to the total, so each fits. Checks
        // would cost 670 gas for each row.
        unchecked {
            if (last != number) {
                if (added != 0 && !_epochs[token][last].isVoid) settled += added;
                added = 0;
            }
            uint256 total = uint96(uint256(row));
            if (total <= settled + added) return 0;
            rise = total - settled - added;
            (line.settled, line.added, line.epoch) = (
                uint96(settled),
                uint96(total - settled),
                uint64(number)
            );
        }
    }

    /// @dev Opens the next epoch when the last one is decided, whose total is then settled.
    function _opened(address token, uint256 number, uint256 office) private returns (Epoch storage epoch) {
        Token storage book = _tokens[token];
        uint256 lastNumber = book.lastEpoch;
        Epoch storage last = _epochs[token][lastNumber];
        bool isOpen = lastNumber != 0 && last.sealedAt == 0 && !last.isVoid;
        uint256 wanted = isOpen ? lastNumber : lastNumber + 1;
        if (number != wanted) revert Clearing_WrongEpoch(number, wanted);
        if (block.timestamp >= _terms[token].until) revert Clearing_TokenNotListed(token);
        if (isOpen) {
            // Whoever seals it answers for it.
            last.office = uint32(office);
            return last;
        }
        bool isSettled = _isSettled(last);
        if (lastNumber != 0 && !last.isVoid && !isSettled) revert Clearing_EpochPending(lastNumber);
        if (isSettled) book.settled += last.total;
        book.lastEpoch = uint64(number);
        epoch = _epochs[token][number];
        epoch.office = uint32(office);
    }

    /// @dev Sealed, and past its window unchallenged.
    function _isSettled(Epoch storage epoch) private view returns (bool) {
        uint256 sealedAt = epoch.sealedAt;
        return sealedAt != 0 && !epoch.isVoid && block.timestamp >= sealedAt + CHALLENGE_WINDOW;
    }
}
