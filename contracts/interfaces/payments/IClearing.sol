// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Clearing
/// @notice The hub of payment channels: one deposit of a payer pays any number of payees.
/// @dev Clearing is the *receiver* of channels, and its operator their receiver authorizer. The operator
///         credits payees
///      off-chain against vouchers, hands each a signed receipt of all it was ever credited, claims the vouchers into
///      Clearing, and posts for each token the root of all payees' cumulative credits, epoch by epoch.
///      The root is computed on-chain from the rows. They may not sum to more than Clearing has received, nor leave
///      out or lower a payee of the last root: so whatever a root promises is there.
///      A root waits out `CHALLENGE_WINDOW`. Within it a payee whose receipt says more can challenge: the operator
///      must show, within `ANSWER_WINDOW`, a leaf with at least the receipt's amount; if it cannot, the root is void
///      and the operator's bond is slashed, of which the challenger gets the part that Staking gives a reporter. So a
///      payee who was left out is heard too.
///      After the window payees claim by proof, or are paid out in a batch. If the operator disappears, the last root
///      that stands stays claimable for ever.
///      Parameters: `clearingMinBond` (the operator's own stake in Staking), `clearingSlash` (for a proven lie).
interface IClearing {
    /// @notice A root and where it stands.
    /// @param root Of leaves keccak256(keccak256(abi.encode(payee, cumulative))), pairs hashed in sorted order.
    /// @param rowsHash keccak256 of the packed rows (20 bytes payee, 12 bytes cumulative) that a payout hands in.
    /// @param total Sum of all cumulative credits.
    /// @param postedAt When it was posted, Unix seconds.
    /// @param openChallenges Challenges that wait for an answer.
    /// @param isVoid Whether a challenge was won against it.
    struct Root {
        bytes32 root;
        bytes32 rowsHash;
        uint128 total;
        uint40 postedAt;
        uint32 openChallenges;
        bool isVoid;
    }

    /// @notice What the operator signs for a payee: EIP-712
    ///         `CreditReceipt(address token,address payee,uint128 cumulative,uint64 epoch)`.
    /// @param token The ERC-20.
    /// @param payee Who was credited.
    /// @param cumulative All that it was ever credited, base units.
    /// @param epoch The first root that must contain it.
    struct CreditReceipt {
        address token;
        address payee;
        uint128 cumulative;
        uint64 epoch;
    }

    /// @notice A root was posted as number `epoch` of its token, from 1.
    event RootPosted(
        address indexed token,
        uint256 indexed epoch,
        bytes32 root,
        bytes32 rowsHash,
        uint256 total
    );
    /// @notice A payee was paid; `cumulative` is all that it has received.
    event Paid(address indexed token, address indexed payee, uint256 amount, uint256 cumulative);
    /// @notice Payees were paid in a batch; the rows are the root's.
    event PaidBatch(address indexed token, uint256 indexed epoch, uint256 amount);
    /// @notice A payout failed; the payee can claim it by itself.
    event PayoutFailed(address indexed token, address indexed payee, uint256 amount);
    /// @notice A payee says that the root owes it more.
    event Challenged(
        uint256 indexed challengeId,
        address indexed token,
        uint256 indexed epoch,
        address payee,
        uint256 cumulative,
        uint256 answerBy
    );
    /// @notice The operator showed the payee's leaf.
    event Answered(uint256 indexed challengeId);
    /// @notice The operator could not, and the root is void.
    event RootVoided(
        uint256 indexed challengeId,
        address indexed token,
        uint256 indexed epoch,
        uint256 slashed
    );

    /// @notice Only the operator posts and answers.
    error Clearing_NotOperator(address caller, address operator);
    /// @notice The operator's bond does not stand behind a new root.
    error Clearing_BondTooLow(uint256 bond, uint256 wanted);
    /// @notice The next epoch is another.
    error Clearing_WrongEpoch(uint256 got, uint256 wanted);
    /// @notice The rows sum to more than was received.
    error Clearing_TotalTooHigh(uint256 total, uint256 received);
    /// @notice Payees ascend by address.
    error Clearing_RowsNotAscending(address before, address payee);
    /// @notice A payee's row is below the last root's.
    error Clearing_CreditLowered(address payee, uint256 cumulative, uint256 before);
    /// @notice A payee of the last root is not in the rows.
    error Clearing_PayeeMissing(address payee);
    /// @notice The last root is still open to challenge: a new one waits for it.
    error Clearing_RootPending(uint256 epoch);
    /// @notice There is no such root.
    error Clearing_UnknownEpoch(address token, uint256 epoch);
    /// @notice The root is void, is still open to challenge, or was replaced.
    error Clearing_RootNotFinal(address token, uint256 epoch);
    /// @notice The challenge window has passed.
    error Clearing_ChallengeTooLate(uint256 time, uint256 until);
    /// @notice The receipt is for a later root.
    error Clearing_ReceiptTooNew(uint256 receiptEpoch, uint256 epoch);
    /// @notice The receipt is not signed by the operator.
    error Clearing_BadReceipt(address payee);
    /// @notice This receipt is being challenged with already, or was answered.
    error Clearing_Challenged(uint256 challengeId);
    /// @notice There is no such challenge, or it is closed.
    error Clearing_UnknownChallenge(uint256 challengeId);
    /// @notice The operator may still answer.
    error Clearing_AnswerPending(uint256 time, uint256 until);
    /// @notice The time to answer has passed.
    error Clearing_AnswerTooLate(uint256 time, uint256 until);
    /// @notice The proof does not lead to the root, or the leaf says less than the receipt.
    error Clearing_BadProof(address payee, uint256 cumulative);
    /// @notice The rows are not whole rows, or not those of the root.
    error Clearing_BadRows();
    /// @notice The payee has received all of it.
    error Clearing_NothingToClaim(address payee);

    /// @notice Posts the next root of a token, computed here from its rows. For the operator, with its bond in place.
    /// @param epoch Must be the next, so that a repeated transaction posts nothing twice.
    /// @param rows Packed: 20 bytes payee, 12 bytes cumulative, for each payee that was ever credited, ascending.
    /// @param before The rows of the last root that stands; empty when there is none.
    function postRoot(address token, uint256 epoch, bytes calldata rows, bytes calldata before) external;

    /// @notice Pays the payees of the token's last final root: all that they have not received. What a payee can't
    ///         receive is skipped. Anyone may call.
    /// @param rows Packed: 20 bytes payee, 12 bytes cumulative, for each; all rows of the root.
    function payOut(address token, uint256 epoch, bytes calldata rows) external;

    /// @notice Pays one payee of the token's last final root by proof. Anyone may call.
    /// @return amount What was paid.
    function claim(
        address token,
        uint256 epoch,
        address payee,
        uint128 cumulative,
        bytes32[] calldata proof
    ) external returns (uint256 amount);

    /// @notice Challenges a root with an operator's receipt. Anyone may bring a payee's receipt.
    /// @return challengeId By which it is answered or enforced.
    function challenge(
        uint256 epoch,
        CreditReceipt calldata receipt,
        bytes calldata signature
    ) external returns (uint256 challengeId);

    /// @notice Shows that the root has a leaf of the challenge's payee with at least its amount. Anyone may.
    function answer(uint256 challengeId, uint128 cumulative, bytes32[] calldata proof) external;

    /// @notice Voids the root of a challenge that was not answered in time, and slashes the operator for who
    ///         challenged.
    function enforce(uint256 challengeId) external;

    /// @notice A root of a token.
    function rootOf(address token, uint256 epoch) external view returns (Root memory root);

    /// @notice How many roots of a token were posted.
    function epochOf(address token) external view returns (uint256 epoch);

    /// @notice The number of the token's last root that can be claimed from now; 0 for none.
    function finalEpochOf(address token) external view returns (uint256 epoch);

    /// @notice What a payee has received of a token in all.
    function paidOf(address token, address payee) external view returns (uint256 paid);

    /// @notice What Clearing has received of a token: what it holds, what waits in BatchSettlement, and what it paid.
    function receivedOf(address token) external view returns (uint256 received);

    /// @notice What the operator signs for a payee.
    function receiptDigest(CreditReceipt calldata receipt) external view returns (bytes32 digest);
}
