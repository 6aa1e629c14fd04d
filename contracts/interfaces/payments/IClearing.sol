// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBatchSettlement} from "./IBatchSettlement.sol";

/// @title Clearing
/// @notice The hub of payment channels: one deposit of a payer pays any number of payees.
/// @dev Clearing is the *receiver* of channels and their receiver authorizer, so no operator has any power over them
///      but to have vouchers claimed, as everybody has who has them. The operator credits payees off-chain against
///      vouchers, hands each a signed receipt of all that it was ever credited, and credits the payees here, epoch by
///      epoch: an epoch is filled in any number of calls and then sealed. It costs what changed in it, however many
///      payees there ever were. A row says, as a receipt does, what its payee is credited in all: in whatever order
///      rows and demands are mined, nothing is given twice.
///      Credits of one token may never exceed what Clearing has received of it, so whatever is credited is there.
///      A sealed epoch waits out `CHALLENGE_WINDOW`. Within it, whoever has a payee's receipt for more than the payee
///      was credited can void it, at once and by the receipt alone: what was credited stands here. The operator's
///      bond is slashed, most of it burned, so that a lie costs the liar whoever catches it. The least bond is held
///      from the appointment on until the last receipt of its office has ended.
///      A receipt that is not honoured in time is a demand: its payee is credited from what is not credited to
///      anybody, and the operator is slashed. What a demand was not given stays a debt, which anybody may demand
///      again without the receipt, and which contradicts epochs as the receipt does. All demands share the token's
///      `exitCap`, which a day refills: that, and as much each day until governance appoints another operator, is
///      what a stolen key can take. Demands of an earlier office reach only what had been received by its end.
///      Parameters: `clearingMinBond` (the operator's own stake in Staking), `clearingSlash` (for what is proved).
interface IClearing {
    /// @notice What the operator signs for a payee: EIP-712 `CreditReceipt`, with these fields in this order.
    /// @param token The ERC-20.
    /// @param payee Who was credited.
    /// @param cumulative All that it was ever credited, base units.
    /// @param epoch The first epoch that must contain it.
    /// @param office The operator's, see `officeOf`.
    /// @param expiresAt Unix seconds; from `EXIT_WINDOW` before until then it is also a demand, and afterwards
    ///        nothing.
    struct CreditReceipt {
        address token;
        address payee;
        uint128 cumulative;
        uint64 epoch;
        uint32 office;
        uint40 expiresAt;
    }

    /// @notice A token that Clearing credits.
    /// @param isListed Whether epochs may be filled for good; see `listedUntil`.
    /// @param leastCredit From how much on what is owed is due, base units: less is no lie, and no demand.
    /// @param exitCap What demands may take at once, base units; a day refills it.
    struct TokenTerms {
        bool isListed;
        uint96 leastCredit;
        uint96 exitCap;
    }

    /// @notice An epoch and where it stands.
    /// @param total What its rows add to credits, base units.
    /// @param rows How many rows it has.
    /// @param office Of the operator that fills it.
    /// @param sealedAt Unix seconds; 0 while it is filled.
    /// @param isVoid Whether a receipt contradicted it, or its operator gave it up.
    struct Epoch {
        uint128 total;
        uint32 rows;
        uint32 office;
        uint40 sealedAt;
        bool isVoid;
    }

    /// @notice A payee's credit of a token, base units.
    /// @param settled What nobody can take back.
    /// @param pending What the last sealed epoch adds, while it can be challenged.
    /// @param paid What of it has left Clearing, to the payee or into a channel of its own.
    struct Credit {
        uint256 settled;
        uint256 pending;
        uint256 paid;
    }

    /// @notice What a payee has demanded by receipts of an office.
    /// @param cumulative All that it was ever to be credited, base units.
    /// @param slashedAt In the first office of its operator: when it was slashed for this payee last, Unix seconds.
    struct Debt {
        uint128 cumulative;
        uint40 slashedAt;
    }

    /// @notice Who operates from when on. @param until 0: no successor is appointed.
    struct Office {
        address operator;
        uint40 from;
        uint40 until;
    }

    /// @notice Governance lists a token, changes its terms, or ends it; `until` is as `listedUntil`.
    event TokenListed(
        address indexed token,
        bool isListed,
        uint256 leastCredit,
        uint256 exitCap,
        uint256 until
    );
    /// @notice It is recorded what had been received when `office` followed the last one: `received`.
    event HandedOver(address indexed token, uint256 indexed office, uint256 received);
    /// @notice Governance has appointed an operator, who takes over at `from`.
    event OperatorAppointed(uint256 indexed office, address indexed operator, uint256 from);
    /// @notice Rows were added to an epoch; they are in the call. `rows` and `total` are the epoch's, so far.
    event EpochFilled(address indexed token, uint256 indexed epoch, uint256 rows, uint256 total);
    /// @notice An epoch is complete, and open to challenge from now on.
    event EpochSealed(address indexed token, uint256 indexed epoch, uint256 total);
    /// @notice A receipt contradicted a sealed epoch (`payee`), or its operator gave it up while it filled it
    ///         (nobody).
    event EpochVoided(address indexed token, uint256 indexed epoch, address payee, uint256 slashed);
    /// @notice A payee's receipt was not honoured in time: it is credited, and the office's operator slashed.
    event Demanded(
        address indexed token,
        address indexed payee,
        uint256 indexed office,
        uint256 amount,
        uint256 slashed
    );
    /// @notice A payee was paid; `paid` is all that it has received.
    event Paid(address indexed token, address indexed payee, uint256 amount, uint256 paid);
    /// @notice Payees were paid together; they are in the call.
    event PaidBatch(address indexed token, uint256 amount);
    /// @notice A payout failed; the payee can be paid by itself.
    event PayoutFailed(address indexed token, address indexed payee, uint256 amount);
    /// @notice A payee's credit went into a channel of its own; `paid` is all that has left.
    event Deposited(
        address indexed token,
        address indexed payee,
        bytes32 indexed channelId,
        uint256 amount,
        uint256 paid
    );

    /// @notice Only the operator in office fills epochs.
    error Clearing_NotOperator(address caller, address operator);
    /// @notice The operator has not the least bond.
    error Clearing_BondTooLow(uint256 bond, uint256 wanted);
    /// @notice The operator answers until then, for its last office.
    error Clearing_StillBound(address operator, uint256 until);
    /// @notice Too little gas is left for the slash.
    error Clearing_TooLittleGas(uint256 got, uint256 wanted);
    /// @notice The token is not listed.
    error Clearing_TokenNotListed(address token);
    /// @notice The epoch that can be filled now is another.
    error Clearing_WrongEpoch(uint256 got, uint256 wanted);
    /// @notice The epoch has this many rows, not as many as the caller thinks: the call was repeated, or one is
    ///         missing.
    error Clearing_WrongRow(uint256 got, uint256 wanted);
    /// @notice The last epoch is still open to challenge: a new one waits for it.
    error Clearing_EpochPending(uint256 epoch);
    /// @notice The rows are not whole rows, or none.
    error Clearing_BadRows();
    /// @notice Credits would exceed what was received.
    error Clearing_TotalTooHigh(uint256 total, uint256 received);
    /// @notice There is no such epoch, or it is not sealed, or is void.
    error Clearing_NotChallengeable(address token, uint256 epoch);
    /// @notice The challenge window has passed.
    error Clearing_ChallengeTooLate(uint256 time, uint256 until);
    /// @notice The receipt is for a later epoch.
    error Clearing_ReceiptTooNew(uint256 receiptEpoch, uint256 epoch);
    /// @notice The receipt is of another operator than the epoch, or of an office that has not begun.
    error Clearing_WrongOffice(uint256 got, uint256 wanted);
    /// @notice The receipt is not signed by the operator's key.
    error Clearing_BadReceipt(address payee);
    /// @notice The receipt has expired, or cannot be demanded yet.
    error Clearing_NotDue(uint256 time, uint256 from, uint256 until);
    /// @notice The receipt's operator has left office, and no receipt of that office is good so long.
    error Clearing_ReceiptOutlivesOffice(uint256 expiresAt, uint256 latest);
    /// @notice The payee was credited what the receipt says, up to the token's least credit.
    error Clearing_ReceiptHonoured(uint256 cumulative, uint256 credited);
    /// @notice Nothing can be given now: nothing is unassigned that the office's demands reach, or the cap is taken;
    ///         and its operator was slashed for this payee within a day, or answers no more.
    error Clearing_NothingToGive(uint256 unassigned, uint256 exitsLeft);
    /// @notice The payee has received all of it.
    error Clearing_NothingToPay(address payee);
    /// @notice The payee has less credit than the deposit takes.
    error Clearing_CreditTooLow(address payee, uint256 amount, uint256 available);
    /// @notice The payee did not sign for this deposit, or its time is over.
    error Clearing_DepositNotSigned(address payee);
    /// @notice Nobody can be appointed who is nobody.
    error Clearing_NoOperator();

    /// @notice Lists a token or changes its terms. One that is taken off the list can be credited for `RECEIPT_LIFE`
    ///         yet, and no receipt is demanded beyond that; its last epoch can be challenged for its day. A least
    ///         credit that is lowered counts against receipts for `LEAST_NOTICE` yet. For governance.
    function listToken(address token, TokenTerms calldata terms) external;

    /// @notice Appoints the next operator, who takes over after `HANDOVER`; the first one at once. Its least bond is
    ///         held from now on. An appointment that has not begun is replaced. For governance.
    function appoint(address operator) external;

    /// @notice Lets go of the bond of an operator whose last office ended `RECEIPT_LIFE` ago, or whose only
    ///         appointment was replaced. Anyone may call.
    /// @return amount What was held of its own stake.
    function release(address operator) external returns (uint256 amount);

    /// @notice Records what has been received of a token, if it is the first time since an office ended: its demands
    ///         reach no more. Every `credit` and demand does so; what arrives before is within reach. Anyone may call.
    function recordHandover(address token) external;

    /// @notice Adds rows to the next epoch of a token, and opens it if none is open. For the operator, with its bond.
    /// @param epoch Must be the one that is open, or the next.
    /// @param from How many rows the epoch has so far, so that none is missing when it is sealed.
    /// @param rows Packed: 20 bytes payee, 12 bytes what it is credited in all after this row, base units: by epochs
    ///        and demands, whatever the office, as receipts say it. A row adds what is missing of that; nothing where
    ///        the payee has as much, as after a demand.
    /// @param isLast Whether this completes the epoch, which is then sealed.
    function credit(address token, uint256 epoch, uint256 from, bytes calldata rows, bool isLast) external;

    /// @notice Gives up the epoch that is being filled. For the operator.
    function abandon(address token, uint256 epoch) external;

    /// @notice Has Clearing claim vouchers of its channels, as `BatchSettlement.claim`: also those without a voucher
    ///         key. Anyone may call who has them; what is claimed already changes nothing, so nobody is in another's
    ///         way.
    function claim(IBatchSettlement.VoucherClaim[] calldata claims) external;

    /// @notice The same. @param rows As `BatchSettlement.claimPacked` takes them.
    function claimPacked(bytes calldata rows) external;

    /// @notice Voids the last epoch by a receipt that says more than the payee is credited. Anyone may bring it, and
    ///         is rewarded from the slash.
    /// @return slashed What the operator lost.
    function challenge(
        uint256 epoch,
        CreditReceipt calldata receipt,
        bytes calldata signature
    ) external returns (uint256 slashed);

    /// @notice Voids the last epoch by a debt of its operator that it ignores, as a receipt does.
    /// @param office Of which the debt is.
    /// @return slashed What the operator lost.
    function challengeByDebt(
        address token,
        uint256 epoch,
        address payee,
        uint256 office
    ) external returns (uint256 slashed);

    /// @notice Credits a payee what its receipt says and no epoch has: within `exitCap`, and what is unassigned. The
    ///         operator that signed it is slashed, also when nothing can be given; once a day for a payee, and as
    ///         long as it answers for its office. What the receipt says is a debt from now on, which outlives it,
    ///         also where an epoch credits the payee that can be challenged yet. Anyone may bring it.
    /// @return amount What was credited; 0: nothing could be given, or an epoch that is not settled has it.
    function demand(
        CreditReceipt calldata receipt,
        bytes calldata signature
    ) external returns (uint256 amount);

    /// @notice Demands a debt again, without its receipt. Anyone may call.
    /// @return amount What was credited; 0: nothing could be given.
    function demandDebt(address token, address payee, uint256 office) external returns (uint256 amount);

    /// @notice Pays a payee all its settled credit. Anyone may call.
    /// @return amount What was paid.
    function payOut(address token, address payee) external returns (uint256 amount);

    /// @notice Pays payees together, and passes over those who cannot receive or have nothing. Anyone may call.
    function payOutAll(address token, address[] calldata payees) external;

    /// @notice What a token's terms are.
    function termsOf(address token) external view returns (TokenTerms memory terms);

    /// @notice Until when a token is credited, Unix seconds: the greatest uint40 while it is listed, 0 if it never
    ///         was.
    function listedUntil(address token) external view returns (uint256 until);

    /// @notice What demands can take of a token now, if as much is unassigned.
    function exitsLeft(address token) external view returns (uint256 left);

    /// @notice What a payee has demanded by receipts of an office; it is owed what exceeds its credit.
    function debtOf(address token, address payee, uint256 office) external view returns (Debt memory);

    /// @notice An epoch of a token.
    function epochOf(address token, uint256 epoch) external view returns (Epoch memory);

    /// @notice The number of the token's last epoch; 0 for none.
    function lastEpochOf(address token) external view returns (uint256 epoch);

    /// @notice A payee's credit, as it stands now.
    function creditOf(address token, address payee) external view returns (Credit memory);

    /// @notice All settled credit of a token, and what its last sealed epoch adds while it can be challenged.
    function creditedOf(address token) external view returns (uint256 settled, uint256 pending);

    /// @notice What Clearing has received of a token: what it holds, what waits in BatchSettlement, and what it paid.
    function receivedOf(address token) external view returns (uint256 received);

    /// @notice Who is in office, and its number; nobody before the first appointment.
    function operator() external view returns (address operator, uint256 office);

    /// @notice An office, from 0.
    function officeOf(uint256 office) external view returns (Office memory);

    /// @notice What the operator signs for a payee.
    function receiptDigest(CreditReceipt calldata receipt) external view returns (bytes32 digest);

    /// @notice What a payee signs to put credit into a channel of its own: EIP-712
    ///         `CreditDeposit(address token,bytes32 channelId,uint256 amount,uint256 nonce,uint256 deadline)`.
    function depositDigest(
        address token,
        bytes32 channelId,
        uint256 amount,
        uint256 nonce,
        uint256 deadline
    ) external view returns (bytes32 digest);
}
