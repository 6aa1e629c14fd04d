// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IAgents} from "../interfaces/trust/IAgents.sol";
import {IAgreements} from "../interfaces/payments/IAgreements.sol";
import {IMarketplace} from "../interfaces/market/IMarketplace.sol";

/// @notice See `IMarketplace`. Holds nothing between transactions.
contract Marketplace is IMarketplace, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @notice Who the agents are.
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
        listed.isActive = true;
        emit Listed(listingId, listing.agentId, listed);
    }

    /// @inheritdoc IMarketplace
    function change(uint256 listingId, uint128 price, ResourcePolicy resourcePolicy, bool isActive) external {
        Listing storage listing = _known(listingId);
        _requireAuthorized(listing.agentId);
        (listing.price, listing.resourcePolicy, listing.isActive) = (price, resourcePolicy, isActive);
        emit ListingChanged(listingId, price, resourcePolicy, isActive);
    }

    /// @inheritdoc IMarketplace
    function purchase(
        uint256 listingId,
        uint128 expectedPrice,
        bytes32 ref
    ) external nonReentrant returns (uint256, uint256) {
        return _purchase(listingId, expectedPrice, ref);
    }

    /// @inheritdoc IMarketplace
    function purchaseWithPermit(
        uint256 listingId,
        uint128 expectedPrice,
        bytes32 ref,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant returns (uint256, uint256) {
        bytes memory permit = abi.encodeCall(
            IERC20Permit.permit,
            (msg.sender, address(this), expectedPrice, deadline, v, r, s)
        );
        // Somebody may have used the permit first, out of the public pool; then the approval stands all the same.
        LowLevelCall.callNoReturn(_known(listingId).token, permit);
        return _purchase(listingId, expectedPrice, ref);
    }

    /// @inheritdoc IMarketplace
    function listingOf(uint256 listingId) external view returns (Listing memory) {
        return _known(listingId);
    }

    /// @inheritdoc IMarketplace
    function purchaseOf(address buyer, bytes32 ref) external view returns (uint256) {
        return _purchases[buyer][ref];
    }

    function _purchase(
        uint256 listingId,
        uint128 expectedPrice,
        bytes32 ref
    ) private returns (uint256 purchaseId, uint256 jobId) {
        Listing memory listing = _known(listingId);
        if (!listing.isActive) revert Marketplace_Inactive(listingId);
        if (listing.price != expectedPrice) revert Marketplace_PriceMismatch(listing.price, expectedPrice);
        purchaseId = _purchases[msg.sender][ref];
        if (purchaseId != 0) revert Marketplace_ReferenceUsed(ref, purchaseId);
        address seller = agents.getAgentWallet(listing.agentId);
        if (seller == address(0)) revert Marketplace_NoWallet(listing.agentId);
        if (seller == msg.sender) revert Marketplace_OwnListing(msg.sender);
        purchaseId = ++purchaseCount;
        _purchases[msg.sender][ref] = purchaseId;

        if (listing.price != 0) {
            if (listing.delivery == Delivery.Escrow) jobId = _openAgreement(listing, seller, listingId, ref);
            else _take(listing.token, seller, listing.price);
        }
        emit Purchased(purchaseId, listingId, msg.sender, seller, listing.price, ref, jobId);
    }

    function _openAgreement(
        Listing memory listing,
        address seller,
        uint256 listingId,
        bytes32 ref
    ) private returns (uint256) {
        IAgreements.Milestone[] memory milestones = new IAgreements.Milestone[](1);
        milestones[0] = IAgreements.Milestone(
            listing.price,
            uint40(block.timestamp + listing.deliverySeconds)
        );
        IAgreements.Agreement memory agreement = IAgreements.Agreement({
            buyer: msg.sender,
            seller: seller,
            token: listing.token,
            milestones: milestones,
            acceptBy: 0,
            reviewWindow: listing.reviewSeconds,
            arbiter: listing.arbiter,
            termsHash: keccak256(abi.encode(listingId, listing.metadataCID, ref))
        });
        _take(listing.token, address(this), listing.price);
        IERC20(listing.token).forceApprove(address(escrow), listing.price);
        return escrow.open(agreement);
    }

    function _take(address token, address to, uint256 amount) private {
        uint256 before = IERC20(token).balanceOf(to);
        IERC20(token).safeTransferFrom(msg.sender, to, amount);
        uint256 received = IERC20(token).balanceOf(to) - before;
        if (received != amount) revert Marketplace_AmountNotExact(token, received, amount);
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
