// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Agreements
/// @notice What other contracts ask of Escrow: to open and fund an agreement, and what came of it.
/// @dev Escrow implements it; Marketplace opens, the reputation's tickets ask.
interface IAgreements {
    /// @notice A part that is delivered and paid by itself.
    /// @param amount In base units.
    /// @param deliverBy It is due before this time, Unix seconds; not before that of an earlier milestone. What reviews
    ///        and disputes of earlier ones took, and what the buyer granted, is added.
    struct Milestone {
        uint128 amount;
        uint40 deliverBy;
    }

    /// @notice What buyer and seller agreed on.
    /// @param buyer Who may release, dispute and is refunded; need not be who pays.
    /// @param seller Who delivers and is paid.
    /// @param token The ERC-20.
    /// @param milestones Delivered and paid one after another; the sum of their amounts is the whole.
    /// @param acceptBy The seller accepts before this time, Unix seconds, and until it has, the buyer may take all
    ///        back; 0 if it need not accept.
    /// @param reviewWindow How long the buyer may review a delivery before anyone may release it, and how long the
    ///        other side may take to answer a dispute, seconds.
    /// @param arbiter Decides disputes: a person, or an ERC-792 arbitrator; address(0) for none.
    /// @param termsHash Hash of the terms, which lie off-chain. It tells apart what is agreed on twice.
    struct Agreement {
        address buyer;
        address seller;
        address token;
        Milestone[] milestones;
        uint40 acceptBy;
        uint32 reviewWindow;
        address arbiter;
        bytes32 termsHash;
    }

    /// @notice Opens an agreement and takes its whole amount from the caller, who has approved it.
    /// @return id The `jobId` of ERC-8183: the agreement's hash, so the same one opens once.
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
