// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title ERC-8183 job kernel
/// @notice Agentic commerce: a client funds a job, a provider submits it, an evaluator completes or rejects it.
/// @dev Source: ERC-8183 (2026, draft), without its optional hooks.
interface IERC8183 {
    /// @notice Where a job stands. The first six are the standard's; `Disputed` is Escrow's.
    enum Status {
        Open,
        Funded,
        Submitted,
        Completed,
        Rejected,
        Expired,
        Disputed
    }

    /// @notice A job as the standard has it.
    struct Job {
        address client;
        address provider;
        address evaluator;
        string description;
        uint256 budget;
        uint256 expiredAt;
        Status status;
        address hook;
    }

    /// @notice A job was created.
    event JobCreated(
        uint256 indexed jobId,
        address indexed client,
        address indexed provider,
        address evaluator,
        uint256 expiredAt
    );
    /// @notice The job's provider was set after its creation.
    event ProviderSet(uint256 indexed jobId, address indexed provider);
    /// @notice The job's price was set or changed.
    event BudgetSet(uint256 indexed jobId, uint256 amount);
    /// @notice The job's budget is in escrow.
    event JobFunded(uint256 indexed jobId, address indexed client, uint256 amount);
    /// @notice The provider delivered.
    event JobSubmitted(uint256 indexed jobId, address indexed provider, bytes32 deliverable);
    /// @notice The job is completed: the provider was paid at least a part of its last milestone.
    event JobCompleted(uint256 indexed jobId, address indexed evaluator, bytes32 reason);
    /// @notice The job was rejected, and what was left in escrow is the client's.
    event JobRejected(uint256 indexed jobId, address indexed rejector, bytes32 reason);
    /// @notice Nothing was delivered in time, and what was in escrow is the client's.
    event JobExpired(uint256 indexed jobId);
    /// @notice The provider was paid.
    event PaymentReleased(uint256 indexed jobId, address indexed provider, uint256 amount);
    /// @notice The client was refunded.
    event Refunded(uint256 indexed jobId, address indexed client, uint256 amount);

    /// @notice Creates a job of the caller's.
    /// @param provider May be address(0) until `setProvider`.
    /// @param evaluator Who alone completes or rejects what was submitted; may be the client.
    /// @param expiredAt Until when it can be submitted, Unix seconds.
    /// @param description What is to be done.
    /// @param hook Must be address(0): hooks are not supported.
    /// @return jobId Its number.
    function createJob(
        address provider,
        address evaluator,
        uint256 expiredAt,
        string calldata description,
        address hook
    ) external returns (uint256 jobId);

    /// @notice Sets the provider of a job that has none. For the client.
    /// @param optParams Not used here.
    function setProvider(uint256 jobId, address provider, bytes calldata optParams) external;

    /// @notice Sets the price of an open job. For the client or the provider.
    /// @param optParams Not used here.
    function setBudget(uint256 jobId, uint256 amount, bytes calldata optParams) external;

    /// @notice Takes the budget from the client into escrow.
    /// @param expectedBudget Must be the budget, so that nobody changes the price in between.
    /// @param optParams Not used here.
    function fund(uint256 jobId, uint256 expectedBudget, bytes calldata optParams) external;

    /// @notice Delivers the job, or the milestone that is due. For the provider, before the deadline.
    /// @param deliverable Hash of what was delivered.
    /// @param optParams The ABI-encoded agreement, if it was opened as one; else ignored.
    function submit(uint256 jobId, bytes32 deliverable, bytes calldata optParams) external;

    /// @notice Accepts what was submitted and pays the provider. For the evaluator.
    /// @param reason Hash of an attestation; may be zero.
    /// @param optParams The ABI-encoded agreement, if it was opened as one; else ignored.
    function complete(uint256 jobId, bytes32 reason, bytes calldata optParams) external;

    /// @notice Rejects the job and refunds the client. For the client while it is open, then for the evaluator.
    /// @param reason Hash of an attestation; may be zero.
    /// @param optParams The ABI-encoded agreement, if it was opened as one; else ignored.
    function reject(uint256 jobId, bytes32 reason, bytes calldata optParams) external;

    /// @notice Refunds the client of a job that was not submitted before its deadline, or that its evaluator has not
    ///         judged for `ARBITRATION_LIMIT`. Anyone may call.
    function claimRefund(uint256 jobId) external;
}
