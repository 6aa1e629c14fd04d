// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAgreements} from "../../../contracts/interfaces/payments/IAgreements.sol";
import {IERC8183} from "../../../contracts/interfaces/payments/IERC8183.sol";
import {IMarketplace} from "../../../contracts/interfaces/market/IMarketplace.sol";
import {ITreasury} from "../../../contracts/interfaces/treasury/ITreasury.sol";
import {Marketplace} from "../../../contracts/market/Marketplace.sol";
import {Scopes} from "../../../contracts/treasury/Scopes.sol";
import {Treasury} from "../../../contracts/treasury/Treasury.sol";
import {IdentityRegistry} from "../../../contracts/trust/IdentityRegistry.sol";
import {EscrowFixture} from "../support/EscrowFixture.sol";
import {FeeOnTransfer} from "../support/tokens/FeeOnTransfer.sol";

/// @notice Listings of registered agents, bought at once or into the real Escrow.
contract MarketplaceTest is EscrowFixture {
    IdentityRegistry private agents;
    Marketplace private market;
    uint256 private agent;

    function setUp() public override {
        super.setUp();
        agents = new IdentityRegistry();
        market = new Marketplace(agents, escrow);
        vm.prank(seller);
        agent = agents.register("ipfs://seller");
        vm.prank(buyer);
        usdc.approve(address(market), type(uint256).max);
    }

    function _listing(IMarketplace.Delivery delivery) private view returns (IMarketplace.Listing memory) {
        return
            IMarketplace.Listing({
                agentId: agent,
                owner: address(0),
                token: address(usdc),
                price: 25 * USD,
                resourcePolicy: IMarketplace.ResourcePolicy.OwnerPays,
                delivery: delivery,
                isActive: true,
                deliverySeconds: 5 days,
                reviewSeconds: 1 days,
                arbiter: arbiter,
                metadataCID: "ipfs://what"
            });
    }

    function _order(
        uint256 listingId,
        uint128 price,
        bytes32 ref
    ) private pure returns (IMarketplace.Order memory) {
        return IMarketplace.Order(listingId, price, IMarketplace.ResourcePolicy.OwnerPays, ref);
    }

    function _list(IMarketplace.Delivery delivery) private returns (uint256 id) {
        vm.prank(seller);
        id = market.list(_listing(delivery));
    }

    function test_list() public {
        IMarketplace.Listing memory listing = _listing(IMarketplace.Delivery.Instant);
        listing.owner = seller;
        vm.expectEmit(true, true, true, true);
        emit IMarketplace.Listed(1, agent, listing);
        (listing.isActive, listing.owner) = (false, stranger);
        vm.prank(seller);
        uint256 id = market.list(listing);
        assertEq(id, 1, "id");
        assertEq(market.listingCount(), 1, "count");
        assertTrue(market.listingOf(id).isActive, "active");
        assertEq(market.listingOf(id).owner, seller, "whose it is");
        assertEq(address(market.agents()), address(agents), "agents");
        assertEq(address(market.escrow()), address(escrow), "escrow");
    }

    function test_list_refusals() public {
        IMarketplace.Listing memory listing = _listing(IMarketplace.Delivery.Instant);
        vm.expectRevert(
            abi.encodeWithSelector(IMarketplace.Marketplace_NotAuthorized.selector, stranger, agent)
        );
        vm.prank(stranger);
        market.list(listing);
        listing.token = stranger;
        vm.expectRevert(abi.encodeWithSelector(IMarketplace.Marketplace_NotAToken.selector, stranger));
        vm.prank(seller);
        market.list(listing);
        listing = _listing(IMarketplace.Delivery.Instant);
        listing.metadataCID = "";
        vm.expectRevert(IMarketplace.Marketplace_NoMetadata.selector);
        vm.prank(seller);
        market.list(listing);
        vm.expectRevert(abi.encodeWithSelector(IMarketplace.Marketplace_UnknownListing.selector, 1));
        market.listingOf(1);
        vm.expectRevert(abi.encodeWithSelector(IMarketplace.Marketplace_UnknownListing.selector, 0));
        market.listingOf(0);
    }

    function test_change() public {
        uint256 id = _list(IMarketplace.Delivery.Instant);
        vm.expectRevert(
            abi.encodeWithSelector(IMarketplace.Marketplace_NotAuthorized.selector, stranger, agent)
        );
        vm.prank(stranger);
        market.change(id, 1, IMarketplace.ResourcePolicy.CallerPays, true);
        vm.expectEmit(true, true, true, true);
        emit IMarketplace.ListingChanged(id, 1, IMarketplace.ResourcePolicy.CallerPays, false);
        vm.prank(seller);
        market.change(id, 1, IMarketplace.ResourcePolicy.CallerPays, false);
        IMarketplace.Listing memory listing = market.listingOf(id);
        assertEq(listing.price, 1, "price");
        assertEq(uint256(listing.resourcePolicy), 0, "policy");
        vm.expectRevert(abi.encodeWithSelector(IMarketplace.Marketplace_Inactive.selector, id));
        vm.prank(buyer);
        market.purchase(_order(id, 1, "ref"));
    }

    function test_change_byTheAgentsNewOwner_makesTheListingItsOwn() public {
        uint256 id = _list(IMarketplace.Delivery.Instant);
        vm.prank(seller);
        agents.transferFrom(seller, stranger, agent);
        assertEq(market.listingOf(id).owner, seller, "who listed");
        vm.prank(stranger);
        market.change(id, 25 * USD, IMarketplace.ResourcePolicy.OwnerPays, true);
        assertEq(market.listingOf(id).owner, stranger, "who changed it");
        // The wallet that is paid did not come with the identity.
        vm.expectRevert(abi.encodeWithSelector(IMarketplace.Marketplace_NoWallet.selector, agent));
        vm.prank(buyer);
        market.purchase(_order(id, 25 * USD, "ref"));
    }

    function test_purchase_instant_paysTheWallet() public {
        uint256 id = _list(IMarketplace.Delivery.Instant);
        vm.expectEmit(true, true, true, true);
        emit IMarketplace.Purchased(
            1,
            id,
            buyer,
            seller,
            25 * USD,
            IMarketplace.ResourcePolicy.OwnerPays,
            "ref",
            0
        );
        vm.prank(buyer);
        (uint256 purchaseId, uint256 jobId) = market.purchase(_order(id, 25 * USD, "ref"));
        assertEq(purchaseId, 1, "purchase");
        assertEq(jobId, 0, "no job");
        assertEq(usdc.balanceOf(seller), 25 * USD, "paid");
        assertEq(market.purchaseOf(buyer, "ref"), 1, "by reference");
        assertEq(market.purchaseCount(), 1, "count");
    }

    function test_purchase_onDelivery_opensAnAgreement() public {
        uint256 id = _list(IMarketplace.Delivery.Escrow);
        vm.prank(buyer);
        (, uint256 jobId) = market.purchase(_order(id, 25 * USD, "ref"));
        assertEq(usdc.balanceOf(address(escrow)), 25 * USD, "in escrow");
        assertEq(usdc.balanceOf(address(market)), 0, "the market holds nothing");
        assertEq(usdc.allowance(address(market), address(escrow)), 0, "nor allows anything");
        IAgreements.Agreement memory agreement = _one();
        agreement.milestones[0].amount = 25 * USD;
        _deliverBy(agreement, START + 5 days);
        agreement.reviewWindow = 1 days;
        agreement.termsHash = keccak256(
            abi.encode(id, "ipfs://what", IMarketplace.ResourcePolicy.OwnerPays, bytes32("ref"))
        );
        assertEq(jobId, _idOf(agreement), "job");
        vm.prank(seller);
        escrow.submit(jobId, "d", abi.encode(agreement));
        vm.prank(buyer);
        escrow.complete(jobId, 0, abi.encode(agreement));
        _assertStatus(jobId, IERC8183.Status.Completed);
    }

    function test_purchase_free_costsNothing() public {
        IMarketplace.Listing memory listing = _listing(IMarketplace.Delivery.Escrow);
        listing.price = 0;
        vm.prank(seller);
        uint256 id = market.list(listing);
        vm.prank(buyer);
        (, uint256 jobId) = market.purchase(_order(id, 0, "ref"));
        assertEq(jobId, 0, "nothing to hold");
        assertEq(usdc.balanceOf(buyer), 1_000_000 * USD, "nothing paid");
    }

    function test_purchase_refusals() public {
        uint256 id = _list(IMarketplace.Delivery.Instant);
        vm.startPrank(buyer);
        vm.expectRevert(
            abi.encodeWithSelector(IMarketplace.Marketplace_PriceMismatch.selector, 25 * USD, 24 * USD)
        );
        market.purchase(_order(id, 24 * USD, "ref"));
        market.purchase(_order(id, 25 * USD, "ref"));
        vm.expectRevert(
            abi.encodeWithSelector(IMarketplace.Marketplace_ReferenceUsed.selector, bytes32("ref"), 1)
        );
        market.purchase(_order(id, 25 * USD, "ref"));
        vm.expectRevert(abi.encodeWithSelector(IMarketplace.Marketplace_UnknownListing.selector, 7));
        market.purchase(_order(7, 25 * USD, "other"));
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(IMarketplace.Marketplace_OwnListing.selector, seller));
        vm.prank(seller);
        market.purchase(_order(id, 25 * USD, "ref"));
        vm.prank(seller);
        agents.unsetAgentWallet(agent);
        vm.expectRevert(abi.encodeWithSelector(IMarketplace.Marketplace_NoWallet.selector, agent));
        vm.prank(buyer);
        market.purchase(_order(id, 25 * USD, "other"));
    }

    function test_purchase_ofATokenThatTakesAFee_isRefused() public {
        FeeOnTransfer token = new FeeOnTransfer();
        token.mint(buyer, 100 * USD);
        vm.prank(buyer);
        token.approve(address(market), 100 * USD);
        IMarketplace.Listing memory listing = _listing(IMarketplace.Delivery.Instant);
        listing.token = address(token);
        vm.prank(seller);
        uint256 id = market.list(listing);
        vm.expectPartialRevert(IMarketplace.Marketplace_AmountNotExact.selector);
        vm.prank(buyer);
        market.purchase(_order(id, 25 * USD, "ref"));
    }

    function test_purchaseWithPermit() public {
        (address owner, uint256 key) = makeAddrAndKey("owner");
        usdc.mint(owner, 25 * USD);
        uint256 id = _list(IMarketplace.Delivery.Instant);
        bytes32 typehash = keccak256(
            "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
        );
        bytes32 message = keccak256(abi.encode(typehash, owner, address(market), 25 * USD, 0, START));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(
            key,
            keccak256(abi.encodePacked(hex"1901", usdc.DOMAIN_SEPARATOR(), message))
        );
        vm.prank(owner);
        market.purchaseWithPermit(_order(id, 25 * USD, "ref"), START, v, r, s);
        assertEq(usdc.balanceOf(seller), 25 * USD, "paid");
    }

    /// @dev A Treasury buys by its owners' quorum: the market knows no difference.
    function test_aTreasury_buys() public {
        address[] memory owners = new address[](1);
        owners[0] = buyer;
        Treasury treasury = new Treasury(owners, 1, new Scopes());
        usdc.mint(address(treasury), 25 * USD);
        uint256 id = _list(IMarketplace.Delivery.Escrow);
        ITreasury.Call[] memory calls = new ITreasury.Call[](2);
        calls[0] = ITreasury.Call(
            address(usdc),
            0,
            abi.encodeWithSignature("approve(address,uint256)", address(market), 25 * USD)
        );
        calls[1] = ITreasury.Call(
            address(market),
            0,
            abi.encodeCall(Marketplace.purchase, (_order(id, 25 * USD, "ref")))
        );
        bytes[] memory signatures = new bytes[](1);
        signatures[0] = abi.encodePacked(buyer);
        vm.prank(buyer);
        treasury.execute(calls, 0, START, signatures);
        assertEq(market.purchaseOf(address(treasury), "ref"), 1, "bought");
        assertEq(usdc.balanceOf(address(escrow)), 25 * USD, "in escrow");
    }
}
