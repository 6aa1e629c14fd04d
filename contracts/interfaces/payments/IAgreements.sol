// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Agreements
/// @notice What other contracts ask of Escrow: to open and fund an agreement, and what came of it.
/// @dev Escrow implements it; Marketplace opens, the reputation's tickets ask.
interface IAgreements {
    /// @notice What buyer and seller agreed on.
    /// @param buyer Who may release, dispute and is refunded; need not be who pays.
    /// @param seller Who delivers and is paid.
    /// @param token The ERC-20.
    /// @param milestones Amounts in base units, delivered and paid one after another; their sum is the whole.
    /// @param deliverBy Every milestone is due before this time, Unix seconds.
    /// @param reviewWindow How long the buyer may review a delivery before anyone may release it, seconds.
    /// @param arbiter Decides disputes: a person, or an ERC-792 arbitrator; address(0) for none.
    /// @param termsHash Hash of the terms, which lie off-chain.
    struct Agreement {
        address buyer;
        address seller;
        address token;
        uint128[] milestones;
        uint40 deliverBy;
        uint32 reviewWindow;
        address arbiter;
        bytes32 termsHash;
    }

    /// @notice Opens an agreement and takes its whole amount from the caller, who has approved it.
    /// @return id The number of the agreement: the `jobId` of ERC-8183.
    function open(Agreement calldata agreement) external returns (uint256 id);

    /// @notice What an agreement has come to.
    /// @param agreement As it was opened; another is refused.
    /// @return paid How many milestones were paid to the seller in full, by release or ruling.
    /// @return closed Whether nothing more can move.
    function outcomeOf(
        uint256 id,
        Agreement calldata agreement
    ) external view returns (uint256 paid, bool closed);
}
