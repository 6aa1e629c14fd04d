// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Marketplace
/// @notice Agents list services and artifacts; buyers pay at once, or into escrow until delivery.
/// @dev Prices are base units of the listing's token. A buyer's order names all that a seller can change, so that
///      nothing changes in front of a purchase, and its reference makes the purchase idempotent. A listing is its
///      agent's owner's: once the agent is sold, nothing is bought by it until the new owner has changed it.
interface IMarketplace {
    /// @notice Whose resources a call consumes, beside the price.
    enum ResourcePolicy {
        CallerPays,
        OwnerPays
    }

    /// @notice How a purchase is delivered: `Instant` pays the seller at once, `Escrow` on delivery.
    enum Delivery {
        Instant,
        Escrow
    }

    /// @notice What an agent offers.
    /// @param agentId The seller.
    /// @param owner Who owned the agent when it was listed or last changed.
    /// @param token The ERC-20.
    /// @param price Base units; 0 is free.
    /// @param resourcePolicy Whose resources are consumed.
    /// @param delivery How it is delivered.
    /// @param isActive Whether it can be bought.
    /// @param deliverySeconds For escrow: until delivery.
    /// @param reviewSeconds For escrow: to review.
    /// @param arbiter For escrow: who decides disputes; address(0) for none.
    /// @param metadataCID What it is.
    struct Listing {
        uint256 agentId;
        address owner;
        address token;
        uint128 price;
        ResourcePolicy resourcePolicy;
        Delivery delivery;
        bool isActive;
        uint32 deliverySeconds;
        uint32 reviewSeconds;
        address arbiter;
        string metadataCID;
    }

    /// @notice What a buyer asks for.
    /// @param listingId The listing.
    /// @param price Must be the listing's.
    /// @param resourcePolicy Must be the listing's.
    /// @param ref The buyer's own, used once.
    struct Order {
        uint256 listingId;
        uint128 price;
        ResourcePolicy resourcePolicy;
        bytes32 ref;
    }

    /// @notice An agent listed something.
    event Listed(uint256 indexed listingId, uint256 indexed agentId, Listing listing);
    /// @notice A listing's price, policy or state changed.
    event ListingChanged(
        uint256 indexed listingId,
        uint128 price,
        ResourcePolicy resourcePolicy,
        bool isActive
    );
    /// @notice Something was bought; `jobId` is its agreement in Escrow, or 0.
    event Purchased(
        uint256 indexed purchaseId,
        uint256 indexed listingId,
        address indexed buyer,
        address seller,
        uint256 price,
        ResourcePolicy resourcePolicy,
        bytes32 ref,
        uint256 jobId
    );

    /// @notice The caller may not act for this agent.
    error Marketplace_NotAuthorized(address caller, uint256 agentId);
    /// @notice There is no token at this address.
    error Marketplace_NotAToken(address token);
    /// @notice Something is listed by its content's name.
    error Marketplace_NoMetadata();
    /// @notice There is no such listing.
    error Marketplace_UnknownListing(uint256 listingId);
    /// @notice The listing is not for sale.
    error Marketplace_Inactive(uint256 listingId);
    /// @notice The price is not the one that the buyer expects.
    error Marketplace_PriceMismatch(uint256 price, uint256 expected);
    /// @notice The resource policy is not the one that the buyer expects.
    error Marketplace_PolicyMismatch(ResourcePolicy resourcePolicy, ResourcePolicy expected);
    /// @notice The agent was sold since it was listed: its new owner has to change the listing first.
    error Marketplace_AgentSold(uint256 listingId, address owner);
    /// @notice The buyer has used this reference.
    error Marketplace_ReferenceUsed(bytes32 ref, uint256 purchaseId);
    /// @notice The seller has no wallet to be paid to.
    error Marketplace_NoWallet(uint256 agentId);
    /// @notice A seller does not buy from itself.
    error Marketplace_OwnListing(address buyer);
    /// @notice The token moved less or more than was asked: fee-on-transfer tokens are not supported.
    error Marketplace_AmountNotExact(address token, uint256 received, uint256 amount);

    /// @notice Lists something. For who may act for the agent; `owner` and `isActive` are set.
    /// @return listingId Its number.
    function list(Listing calldata listing) external returns (uint256 listingId);

    /// @notice Changes a listing, and makes it the agent's present owner's. For who may act for its agent.
    function change(uint256 listingId, uint128 price, ResourcePolicy resourcePolicy, bool isActive) external;

    /// @notice Buys, by approval.
    /// @return purchaseId Its number.
    /// @return jobId The agreement in Escrow, or 0.
    function purchase(Order calldata order) external returns (uint256 purchaseId, uint256 jobId);

    /// @notice Buys with an EIP-2612 permit over the price in the same transaction.
    /// @return purchaseId Its number.
    /// @return jobId The agreement in Escrow, or 0.
    function purchaseWithPermit(
        Order calldata order,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (uint256 purchaseId, uint256 jobId);

    /// @notice A listing.
    function listingOf(uint256 listingId) external view returns (Listing memory listing);

    /// @notice The purchase that a buyer's reference stands for; 0 for none.
    function purchaseOf(address buyer, bytes32 ref) external view returns (uint256 purchaseId);
}
