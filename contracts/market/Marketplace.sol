// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IAgents} from "../interfaces/trust/IAgents.sol";
import {IAgreements} from "../interfaces/payments/IAgreements.sol";
import {IMarketplace} from "../interfaces/market/IMarketplace.sol";

/// @notice See `IMarketplace`. Holds nothing between transactions.
contract Marketplace is IMarketplace, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @notice Who the agents are: the identity registry, which is their ERC-721 too.
    IAgents public immutable agents;
    /// @notice Where purchases on delivery are held.
    IAgreements public immutable escrow;

    /// @notice How many listings there are; the last one's number.
    uint256 public listingCount;
    /// @notice How many purchases there were; the last one's number.
    uint256 public purchaseCount;
    mapping(uint256 listingId => Listing) private _listings;
    mapping(address buyer => mapping(bytes32 ref => uint256)) private _purchases;

    /// @param agents_ The identity registry.
    /// @param escrow_ Where purchases on delivery are held.
    constructor(IAgents agents_, IAgreements escrow_) {
        (agents, escrow) = (agents_, escrow_);
    }

    /// @inheritdoc IMarketplace
    function list(Listing calldata listing) external returns (uint256 listingId) {
        _requireAuthorized(listing.agentId);
        if (listing.token.code.length == 0) revert Marketplace_NotAToken(listing.token);
        if (bytes(listing.metadataCID).length == 0) revert Marketplace_NoMetadata();
        listingId = ++listingCount;
        Listing storage listed = _listings[listingId];
        _listings[listingId] = listing;
        (listed.owner, listed.isActive) = (_ownerOf(listing.agentId), true);
        emit Listed(listingId, listing.agentId, listed);
    }

    /// @inheritdoc IMarketplace
    function change(uint256 listingId, uint128 price, ResourcePolicy resourcePolicy, bool isActive) external {
        Listing storage listing = _known(listingId);
        _requireAuthorized(listing.agentId);
        listing.owner = _ownerOf(listing.agentId);
        (listing.price, listing.resourcePolicy, listing.isActive) = (price, resourcePolicy, isActive);
        emit ListingChanged(listingId, price, resourcePolicy, isActive);
    }

    /// @inheritdoc IMarketplace
    function purchase(Order calldata order) external nonReentrant returns (uint256, uint256) {
        return _purchase(order);
    }

    /// @inheritdoc IMarketplace
    function purchaseWithPermit(
        Order calldata order,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant returns (uint256, uint256) {
        bytes memory permit = abi.encodeCall(
            IERC20Permit.permit,
            (msg.sender, address(this), order.price, deadline, v, r, s)
        );
        // Somebody may have used the permit first, out of the public pool; then the approval stands all the same.
        LowLevelCall.callNoReturn(_known(order.listingId).token, permit);
        return _purchase(order);
    }

    /// @inheritdoc IMarketplace
    function listingOf(uint256 listingId) external view returns (Listing memory) {
        return _known(listingId);
    }

    /// @inheritdoc IMarketplace
    function purchaseOf(address buyer, bytes32 ref) external view returns (uint256) {
        return _purchases[buyer][ref];
    }

    function _purchase(Order calldata order) private returns (uint256 purchaseId, uint256 jobId) {
        Listing storage listing = _known(order.listingId);
        (uint128 price, ResourcePolicy resourcePolicy) = (listing.price, listing.resourcePolicy);
        if (!listing.isActive) revert Marketplace_Inactive(order.listingId);
        if (price != order.price) revert Marketplace_PriceMismatch(price, order.price);
        if (resourcePolicy != order.resourcePolicy)
            revert Marketplace_PolicyMismatch(resourcePolicy, order.resourcePolicy);
        purchaseId = _purchases[msg.sender][order.ref];
        if (purchaseId != 0) revert Marketplace_ReferenceUsed(order.ref, purchaseId);
        address seller = _sellerOf(order.listingId, listing);
        purchaseId = ++purchaseCount;
        _purchases[msg.sender][order.ref] = purchaseId;

        if (price != 0) {
            if (listing.delivery == Delivery.Escrow) jobId = _openAgreement(listing, seller, order);
            else _take(listing.token, seller, price);
        }
        emit Purchased(
            purchaseId,
            order.listingId,
            msg.sender,
            seller,
            price,
            resourcePolicy,
            order.ref,
            jobId
        );
    }

    function _openAgreement(
        Listing storage listing,
        address seller,
        Order calldata order
    ) private returns (uint256) {
        IAgreements.Milestone[] memory milestones = new IAgreements.Milestone[](1);
        milestones[0] = IAgreements.Milestone(order.price, uint40(block.timestamp + listing.deliverySeconds));
        IAgreements.Agreement memory agreement = IAgreements.Agreement({
            buyer: msg.sender,
            seller: seller,
            token: listing.token,
            milestones: milestones,
            acceptBy: 0,
            reviewWindow: listing.reviewSeconds,
            arbiter: listing.arbiter,
            termsHash: keccak256(
                abi.encode(order.listingId, listing.metadataCID, order.resourcePolicy, order.ref)
            )
        });
        _take(agreement.token, address(this), order.price);
        IERC20(agreement.token).forceApprove(address(escrow), order.price);
        return escrow.open(agreement);
    }

    function _take(address token, address to, uint256 amount) private {
        uint256 before = IERC20(token).balanceOf(to);
        IERC20(token).safeTransferFrom(msg.sender, to, amount);
        uint256 received = IERC20(token).balanceOf(to) - before;
        if (received != amount) revert Marketplace_AmountNotExact(token, received, amount);
    }

    /// @dev The wallet that is paid, if the agent is still whose it was.
    function _sellerOf(uint256 listingId, Listing storage listing) private view returns (address seller) {
        uint256 agentId = listing.agentId;
        address owner = _ownerOf(agentId);
        if (owner != listing.owner) revert Marketplace_AgentSold(listingId, owner);
        seller = agents.getAgentWallet(agentId);
        if (seller == address(0)) revert Marketplace_NoWallet(agentId);
        if (seller == msg.sender) revert Marketplace_OwnListing(msg.sender);
    }

    function _ownerOf(uint256 agentId) private view returns (address) {
        return IERC721(address(agents)).ownerOf(agentId);
    }

    function _requireAuthorized(uint256 agentId) private view {
        if (!agents.isAuthorizedOrOwner(msg.sender, agentId))
            revert Marketplace_NotAuthorized(msg.sender, agentId);
    }

    function _known(uint256 listingId) private view returns (Listing storage listing) {
        if (listingId == 0 || listingId > listingCount) revert Marketplace_UnknownListing(listingId);
        listing = _listings[listingId];
    }
}
