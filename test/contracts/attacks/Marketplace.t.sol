// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IMarketplace} from "../../../contracts/interfaces/market/IMarketplace.sol";
import {Marketplace} from "../../../contracts/market/Marketplace.sol";
import {IdentityRegistry} from "../../../contracts/trust/IdentityRegistry.sol";
import {EscrowFixture} from "../support/EscrowFixture.sol";
import {Hooked} from "../support/tokens/Hooked.sol";
import {ReturnsFalse} from "../support/tokens/ReturnsFalse.sol";

/// @notice What an attacker of Marketplace would try.
contract MarketplaceAttacks is EscrowFixture {
    IdentityRegistry private agents;
    Marketplace private market;
    Hooked private token;
    uint256 private agent;
    bytes private _again;

    function setUp() public override {
        super.setUp();
        agents = new IdentityRegistry();
        market = new Marketplace(agents, escrow);
        token = new Hooked();
        token.mint(address(this), 1_000 * USD);
        token.approve(address(market), type(uint256).max);
        vm.prank(seller);
        agent = agents.register();
    }

    /// @dev The token tells its sender of each transfer, and it buys again.
    function onTokenTransfer(address from, address, uint256) external {
        if (from != address(this) || _again.length == 0) return;
        (bool ok, bytes memory answer) = address(market).call(_again);
        if (!ok) {
            assembly ("memory-safe") {
                revert(add(answer, 0x20), mload(answer))
            }
        }
    }

    function _list(address of_, IMarketplace.Delivery delivery) private returns (uint256 id) {
        vm.prank(seller);
        id = market.list(
            IMarketplace.Listing({
                agentId: agent,
                owner: address(0),
                token: of_,
                price: 25 * USD,
                resourcePolicy: IMarketplace.ResourcePolicy.OwnerPays,
                delivery: delivery,
                isActive: true,
                deliverySeconds: 5 days,
                reviewSeconds: 1 days,
                arbiter: arbiter,
                metadataCID: "ipfs://what"
            })
        );
    }

    function test_buyingAgainFromWithinAPurchase_isRefused() public {
        uint256 id = _list(address(token), IMarketplace.Delivery.Instant);
        _again = abi.encodeCall(IMarketplace.purchase, (_order(id, 25 * USD, "inner")));
        vm.expectRevert(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        market.purchase(_order(id, 25 * USD, "outer"));
        vm.expectRevert(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        market.purchaseWithPermit(_order(id, 25 * USD, "outer"), START, 27, 0, 0);
    }

    function test_buyingByPermitFromWithinAPurchase_isRefused() public {
        uint256 id = _list(address(token), IMarketplace.Delivery.Escrow);
        _again = abi.encodeCall(
            IMarketplace.purchaseWithPermit,
            (_order(id, 25 * USD, "inner"), START, 27, bytes32(0), bytes32(0))
        );
        vm.expectRevert(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        market.purchase(_order(id, 25 * USD, "outer"));
    }

    function test_listingForSomebodyElse_isRefused() public {
        uint256 id = _list(address(usdc), IMarketplace.Delivery.Instant);
        vm.startPrank(stranger);
        vm.expectRevert(
            abi.encodeWithSelector(IMarketplace.Marketplace_NotAuthorized.selector, stranger, agent)
        );
        market.change(id, 1, IMarketplace.ResourcePolicy.OwnerPays, true);
        IMarketplace.Listing memory mine = market.listingOf(id);
        vm.expectRevert(
            abi.encodeWithSelector(IMarketplace.Marketplace_NotAuthorized.selector, stranger, agent)
        );
        market.list(mine);
        vm.stopPrank();
    }

    function test_sellingForATokenThatOnlyPretends_isRefused() public {
        ReturnsFalse liar = new ReturnsFalse();
        uint256 id = _list(address(liar), IMarketplace.Delivery.Instant);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(liar)));
        market.purchase(_order(id, 25 * USD, "ref"));
        assertEq(market.purchaseOf(address(this), "ref"), 0, "nothing was bought");
    }

    function test_takingSomebodyElsesReference_doesNotKeepItFromThem() public {
        uint256 id = _list(address(token), IMarketplace.Delivery.Instant);
        token.mint(stranger, 25 * USD);
        vm.startPrank(stranger);
        token.approve(address(market), 25 * USD);
        market.purchase(_order(id, 25 * USD, "ref"));
        vm.stopPrank();
        market.purchase(_order(id, 25 * USD, "ref"));
        assertEq(market.purchaseOf(address(this), "ref"), 2, "references are each buyer's own");
    }

    function test_changingThePriceInFrontOfABuyer_isRefused() public {
        uint256 id = _list(address(token), IMarketplace.Delivery.Instant);
        vm.prank(seller);
        market.change(id, 1_000 * USD, IMarketplace.ResourcePolicy.OwnerPays, true);
        vm.expectRevert(
            abi.encodeWithSelector(IMarketplace.Marketplace_PriceMismatch.selector, 1_000 * USD, 25 * USD)
        );
        market.purchase(_order(id, 25 * USD, "ref"));
    }

    function test_changingTheResourcePolicyInFrontOfABuyer_isRefused() public {
        uint256 id = _list(address(token), IMarketplace.Delivery.Instant);
        vm.prank(seller);
        market.change(id, 25 * USD, IMarketplace.ResourcePolicy.CallerPays, true);
        vm.expectRevert(
            abi.encodeWithSelector(
                IMarketplace.Marketplace_PolicyMismatch.selector,
                IMarketplace.ResourcePolicy.CallerPays,
                IMarketplace.ResourcePolicy.OwnerPays
            )
        );
        market.purchase(_order(id, 25 * USD, "ref"));
        assertEq(token.balanceOf(address(this)), 1_000 * USD, "nothing was paid");
    }

    function test_aListingOfASoldAgent_sellsNothing_untilItsNewOwnerChangesIt() public {
        uint256 id = _list(address(token), IMarketplace.Delivery.Instant);
        (address other, uint256 key) = makeAddrAndKey("other");
        vm.prank(seller);
        agents.transferFrom(seller, other, agent);
        _proveWallet(other, key);
        bytes memory sold = abi.encodeWithSelector(IMarketplace.Marketplace_AgentSold.selector, id, other);
        vm.expectRevert(sold);
        market.purchase(_order(id, 25 * USD, "ref"));
        vm.expectRevert(
            abi.encodeWithSelector(IMarketplace.Marketplace_NotAuthorized.selector, seller, agent)
        );
        vm.prank(seller);
        market.change(id, 25 * USD, IMarketplace.ResourcePolicy.OwnerPays, true);
        vm.prank(other);
        market.change(id, 30 * USD, IMarketplace.ResourcePolicy.OwnerPays, true);
        market.purchase(_order(id, 30 * USD, "ref"));
        assertEq(token.balanceOf(other), 30 * USD, "to the new owner, at its price");
    }

    function _proveWallet(address wallet, uint256 key) private {
        bytes32 message = keccak256(
            abi.encode(
                keccak256("AgentWalletSet(uint256 agentId,address newWallet,address owner,uint256 deadline)"),
                agent,
                wallet,
                wallet,
                block.timestamp
            )
        );
        (, string memory name, string memory version, , , , ) = agents.eip712Domain();
        bytes32 domain = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256(bytes(name)),
                keccak256(bytes(version)),
                block.chainid,
                address(agents)
            )
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(
            key,
            keccak256(abi.encodePacked(hex"1901", domain, message))
        );
        vm.prank(wallet);
        agents.setAgentWallet(agent, wallet, block.timestamp, abi.encodePacked(r, s, v));
    }

    function _order(
        uint256 listingId,
        uint128 price,
        bytes32 ref
    ) private pure returns (IMarketplace.Order memory) {
        return IMarketplace.Order(listingId, price, IMarketplace.ResourcePolicy.OwnerPays, ref);
    }
}
