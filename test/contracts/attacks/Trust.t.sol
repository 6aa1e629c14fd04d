// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAgreements} from "../../../contracts/interfaces/payments/IAgreements.sol";
import {IIdentityRegistry} from "../../../contracts/interfaces/trust/IIdentityRegistry.sol";
import {IMarketplace} from "../../../contracts/interfaces/market/IMarketplace.sol";
import {IReputationRegistry} from "../../../contracts/interfaces/trust/IReputationRegistry.sol";
import {IValidationRegistry} from "../../../contracts/interfaces/trust/IValidationRegistry.sol";
import {Marketplace} from "../../../contracts/market/Marketplace.sol";
import {BatchSettlement} from "../../../contracts/payments/BatchSettlement.sol";
import {IdentityRegistry} from "../../../contracts/trust/IdentityRegistry.sol";
import {ReputationRegistry} from "../../../contracts/trust/ReputationRegistry.sol";
import {ValidationRegistry} from "../../../contracts/trust/ValidationRegistry.sol";
import {IParameters} from "../../../contracts/interfaces/governance/IParameters.sol";
import {EscrowFixture} from "../support/EscrowFixture.sol";

/// @notice What an attacker of identities, reputation, validation and the market would try.
contract TrustAttacks is EscrowFixture, IParameters {
    IdentityRegistry private agents;
    ReputationRegistry private reputation;
    ValidationRegistry private validation;
    Marketplace private market;
    uint256 private agent;

    function valueOf(bytes32) external pure returns (uint256) {
        return 1;
    }

    function setUp() public override {
        super.setUp();
        agents = new IdentityRegistry();
        reputation = new ReputationRegistry(agents, escrow, new BatchSettlement(), this);
        validation = new ValidationRegistry(agents);
        market = new Marketplace(agents, escrow);
        vm.prank(seller);
        agent = agents.register("ipfs://seller");
    }

    function test_buyingFromYourselfForReputation_isNotPossible() public {
        IAgreements.Agreement memory agreement = _one();
        agreement.buyer = seller;
        usdc.mint(seller, 100 * USD);
        vm.startPrank(seller);
        usdc.approve(address(escrow), 100 * USD);
        vm.expectPartialRevert(bytes4(keccak256("Escrow_BadParties(address,address,address)")));
        escrow.open(agreement);
        vm.stopPrank();
        agreement.buyer = stranger;
        usdc.mint(stranger, 100 * USD);
        vm.startPrank(stranger);
        usdc.approve(address(escrow), 100 * USD);
        uint256 id = escrow.open(agreement);
        escrow.release(id, abi.encode(agreement));
        vm.stopPrank();
        vm.prank(seller);
        agents.setApprovalForAll(stranger, true);
        vm.expectRevert(
            abi.encodeWithSelector(
                IReputationRegistry.ReputationRegistry_SelfFeedback.selector,
                stranger,
                agent
            )
        );
        vm.prank(stranger);
        reputation.signalByAgreement(agent, id, agreement, true);
    }

    function test_oneTicket_cannotServeTwoAgents() public {
        vm.prank(seller);
        uint256 second = agents.register("ipfs://second");
        uint256 id = _open(_one());
        vm.startPrank(buyer);
        escrow.release(id, abi.encode(_one()));
        reputation.signalByAgreement(agent, id, _one(), true);
        vm.expectRevert(
            abi.encodeWithSelector(IReputationRegistry.ReputationRegistry_NoTicket.selector, 1, 1)
        );
        reputation.signalByAgreement(second, id, _one(), true);
        vm.stopPrank();
    }

    function test_aRefundedAgreement_isNoTicket() public {
        uint256 id = _open(_one());
        vm.prank(seller);
        escrow.refund(id, abi.encode(_one()));
        vm.expectRevert(
            abi.encodeWithSelector(IReputationRegistry.ReputationRegistry_NoTicket.selector, 0, 0)
        );
        vm.prank(buyer);
        reputation.signalByAgreement(agent, id, _one(), false);
    }

    function test_revokingSomebodyElsesFeedback_isRefused() public {
        vm.prank(buyer);
        reputation.giveFeedback(agent, -5, 0, "", "", "", "", 0);
        vm.expectRevert(
            abi.encodeWithSelector(
                IReputationRegistry.ReputationRegistry_UnknownFeedback.selector,
                agent,
                seller,
                1
            )
        );
        vm.prank(seller);
        reputation.revokeFeedback(agent, 1);
    }

    function test_sellingAnIdentity_doesNotSellItsWallet() public {
        vm.prank(seller);
        agents.transferFrom(seller, stranger, agent);
        assertEq(agents.getAgentWallet(agent), address(0), "no wallet");
        vm.prank(stranger);
        uint256 listing = market.list(
            IMarketplace.Listing(
                agent,
                address(usdc),
                1,
                IMarketplace.ResourcePolicy.CallerPays,
                IMarketplace.Delivery.Instant,
                true,
                0,
                0,
                address(0),
                "ipfs://x"
            )
        );
        vm.expectRevert(abi.encodeWithSelector(IMarketplace.Marketplace_NoWallet.selector, agent));
        vm.prank(buyer);
        market.purchase(listing, 1, "ref");
    }

    function test_settingTheWalletAsMetadata_isRefused() public {
        vm.expectRevert(IIdentityRegistry.IdentityRegistry_ReservedKey.selector);
        vm.prank(seller);
        agents.setMetadata(agent, "agentWallet", abi.encodePacked(buyer));
    }

    function test_validatingYourself_needsAskingYourselfOpenly() public {
        vm.prank(seller);
        validation.validationRequest(stranger, agent, "", "r");
        vm.expectRevert(
            abi.encodeWithSelector(
                IValidationRegistry.ValidationRegistry_NotValidator.selector,
                seller,
                stranger
            )
        );
        vm.prank(seller);
        validation.validationResponse("r", 100, "", 0, "");
        vm.expectRevert();
        validation.attest("r", "", _inputs("r"), "");
    }

    function _inputs(bytes32 hash) private pure returns (bytes32[] memory inputs) {
        inputs = new bytes32[](1);
        inputs[0] = hash;
    }
}
