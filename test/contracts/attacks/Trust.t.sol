// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAgreements} from "../../../contracts/interfaces/payments/IAgreements.sol";
import {IBatchSettlement} from "../../../contracts/interfaces/payments/IBatchSettlement.sol";
import {IIdentityRegistry} from "../../../contracts/interfaces/trust/IIdentityRegistry.sol";
import {IMarketplace} from "../../../contracts/interfaces/market/IMarketplace.sol";
import {IReputationRegistry} from "../../../contracts/interfaces/trust/IReputationRegistry.sol";
import {IValidationRegistry} from "../../../contracts/interfaces/trust/IValidationRegistry.sol";
import {Marketplace} from "../../../contracts/market/Marketplace.sol";
import {AttestationVerifier} from "../../../contracts/trust/AttestationVerifier.sol";
import {ValidationRegistry} from "../../../contracts/trust/ValidationRegistry.sol";
import {ReputationFixture} from "../support/ReputationFixture.sol";
import {PlainToken} from "../support/tokens/PlainToken.sol";

/// @notice What an attacker of identities, reputation, validation and the market would try.
contract TrustAttacks is ReputationFixture {
    ValidationRegistry private validation;
    Marketplace private market;

    function setUp() public override {
        super.setUp();
        validation = new ValidationRegistry(agents);
        market = new Marketplace(agents, escrow);
    }

    // Reputation

    function test_aChannelInATokenOfOnesOwn_movesNoScore() public {
        PlainToken junk = new PlainToken();
        junk.mint(stranger, 1e30);
        IBatchSettlement.ChannelConfig memory config = _channel(stranger, address(junk));
        // The attacker claims for its victim, too: it names itself as the authorizer.
        config.receiverAuthorizer = stranger;
        _claim(config, uint256(keccak256("stranger")), 1e28);
        vm.expectRevert(
            abi.encodeWithSelector(IReputationRegistry.ReputationRegistry_TokenNotListed.selector, junk)
        );
        vm.prank(stranger);
        reputation.signalByChannel(agent, config, false);
        assertEq(reputation.exactScoreOf(agent), 0, "score");
    }

    function test_anAgreementInATokenOfOnesOwn_movesNoScore() public {
        PlainToken junk = new PlainToken();
        junk.mint(stranger, 1e30);
        IAgreements.Agreement memory agreement = _of(1);
        (agreement.buyer, agreement.token, agreement.milestones[0].amount) = (stranger, address(junk), 1e28);
        vm.startPrank(stranger);
        junk.approve(address(escrow), 1e28);
        uint256 id = escrow.open(agreement);
        escrow.release(id, abi.encode(agreement));
        vm.expectRevert(
            abi.encodeWithSelector(IReputationRegistry.ReputationRegistry_TokenNotListed.selector, junk)
        );
        reputation.signalByAgreement(agent, id, agreement, false);
        vm.stopPrank();
    }

    function test_fiftyMilestonesOfDust_areNotFiftyPoints() public {
        IAgreements.Agreement memory agreement = _of(50);
        for (uint256 i = 0; i < 50; ++i) agreement.milestones[i].amount = 1;
        uint256 id = _open(agreement);
        vm.startPrank(buyer);
        for (uint256 i = 0; i < 50; ++i) escrow.release(id, abi.encode(agreement));
        vm.expectRevert(
            abi.encodeWithSelector(IReputationRegistry.ReputationRegistry_NoTicket.selector, 0, 50)
        );
        reputation.signalByAgreement(agent, id, agreement, false);
        vm.stopPrank();
    }

    function test_oneRichClient_doesNotSinkAnAgent() public {
        IBatchSettlement.ChannelConfig memory config = _channel(buyer, address(usdc));
        _claim(config, buyerKey, 500_000 * USD);
        vm.startPrank(buyer);
        reputation.signalByChannel(agent, config, false);
        vm.expectPartialRevert(IReputationRegistry.ReputationRegistry_NoTicket.selector);
        reputation.signalByChannel(agent, config, false);
        vm.stopPrank();
        assertEq(reputation.scoreOf(agent), -10, "as much as any other client's");
    }

    function test_aSurplusThatWasBought_hidesNoHonestWord() public {
        _bringTo(1_000);
        for (uint256 i = 0; i < 20; ++i) {
            (address sybil, ) = _client(i);
            assertEq(reputation.roomOf(agent, sybil, true), 0, "nothing can be laid in store");
        }
        _payAndSignal(buyer, 5 * USD, false);
        assertEq(reputation.scoreOf(agent), 995, "the first honest word counts");
    }

    function test_moneyThatGoesInACircle_raisesNoFasterThanAnyOther() public {
        uint128 capital = 10 * USD;
        usdc.mint(stranger, capital);
        address last = stranger;
        uint256 signals;
        for (uint256 i = 0; i < 100; ++i) {
            (address sybil, ) = _client(i);
            vm.prank(last);
            usdc.transfer(sybil, capital);
            IAgreements.Agreement memory agreement = _of(1);
            (agreement.buyer, agreement.milestones[0].amount) = (sybil, capital);
            vm.startPrank(sybil);
            usdc.approve(address(escrow), capital);
            uint256 id = escrow.open(agreement);
            escrow.release(id, abi.encode(agreement));
            try reputation.signalByAgreement(agent, id, agreement, true) {
                ++signals;
            } catch {}
            vm.stopPrank();
            last = seller;
        }
        assertEq(usdc.balanceOf(seller), capital, "the agent has its money again");
        assertEq(signals, 15, "signals");
        assertEq(reputation.scoreOf(agent), 150, "the month's limit, whoever they are");
    }

    /// @dev What the bound cuts off a revocation is lost, so a circle of signals that were all taken back may leave
    ///      something: never more than what a signal that stands would have for the same payment.
    function test_signalsAndRevocationsAtTheBound_leaveNoMoreThanWasPaidFor() public {
        _bringTo(-995);
        uint64 up = _payAndSignal(buyer, 10 * USD, true);
        uint64 down = _payAndSignal(stranger, 10 * USD, false);
        _revoke(buyer, up);
        assertEq(reputation.scoreOf(agent), -1_000, "five points are cut off");
        _revoke(stranger, down);
        assertEq(reputation.scoreOf(agent), -990, "and missing now: ten were paid for");
    }

    function test_oneClientsFeedback_doesNotJamTheSummary() public {
        vm.startPrank(stranger);
        reputation.giveFeedback(agent, 1e38, 0, "", "", "", "", 0);
        reputation.giveFeedback(agent, 1, 18, "", "", "", "", 0);
        reputation.giveFeedback(agent, 1, 18, "", "", "", "", 0);
        for (uint256 i = 0; i < 300; ++i)
            reputation.giveFeedback(agent, -1e38, 0, string(new bytes(64)), "", "", "", 0);
        vm.stopPrank();
        vm.prank(buyer);
        reputation.giveFeedback(agent, 80, 0, "", "", "", "", 0);
        address[] memory named = new address[](2);
        (named[0], named[1]) = (buyer, stranger);
        (uint64 count, , ) = reputation.getSummary{gas: 200_000}(agent, named, "", "");
        assertEq(count, 304, "all of it");
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
        agents.transferFrom(seller, stranger, agent);
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
            abi.encodeWithSelector(
                IReputationRegistry.ReputationRegistry_NoTicket.selector,
                100 * USD,
                100 * USD
            )
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
                address(0),
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
        market.purchase(IMarketplace.Order(listing, 1, IMarketplace.ResourcePolicy.CallerPays, "ref"));
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

    function test_copyingARequest_neitherBlocksNorStealsIt() public {
        bytes32 name = validation.requestHashOf(arbiter, agent, "ipfs://work");
        vm.startPrank(stranger);
        uint256 other = agents.register();
        vm.expectPartialRevert(IValidationRegistry.ValidationRegistry_ForeignName.selector);
        validation.validationRequest(arbiter, other, "ipfs://work", name);
        vm.stopPrank();
        vm.prank(seller);
        validation.validationRequest(arbiter, agent, "ipfs://work", name);
        vm.prank(arbiter);
        validation.validationResponse(name, 100, "", 0, "");
        (uint64 stolen, ) = validation.getSummary(other, new address[](0), "");
        (uint64 own, ) = validation.getSummary(agent, new address[](0), "");
        assertEq(stolen, 0, "nothing for who copied it");
        assertEq(own, 1, "the answer is the requester's");
    }

    /// @dev Whatever name a request had, and whichever of its owner's agents asks again: a bad answer stays.
    function test_aBadAnswer_isNotErasedUnderAnothersName() public {
        address other = makeAddr("other");
        vm.prank(seller);
        uint256 second = agents.register();
        bytes32[3] memory names = [
            validation.requestHashOf(other, agent, "ipfs://spare"),
            validation.requestHashOf(other, second, "ipfs://spare"),
            bytes32("name")
        ];
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(seller);
            try validation.validationRequest(arbiter, agent, "ipfs://work", names[i]) {
                vm.prank(arbiter);
                validation.validationResponse(names[i], 3, "ipfs://evidence", "evidence", "quality");
                assertEq(names[i], "name", "the only name that is free");
            } catch {}
            vm.startPrank(seller);
            try validation.validationRequest(other, agent, "ipfs://spare", names[i]) {} catch {}
            try validation.validationRequest(other, second, "ipfs://spare", names[i]) {} catch {}
            vm.stopPrank();
        }
        (uint64 count, uint8 average) = validation.getSummary(agent, _list(arbiter), "");
        assertEq(count, 1, "the answer stands");
        assertEq(average, 3, "as it was given");
        vm.prank(arbiter);
        validation.validationResponse("name", 2, "ipfs://evidence", "evidence", "quality");
    }

    function test_whatStrangersAsk_isReadInPages() public {
        vm.startPrank(stranger);
        uint256 spam = agents.register();
        for (uint256 i = 1; i <= 200; ++i) validation.validationRequest(arbiter, spam, "", bytes32(i));
        vm.stopPrank();
        vm.prank(seller);
        validation.validationRequest(arbiter, agent, "ipfs://work", "work");
        (bytes32[] memory hashes, uint256 total) = validation.getValidatorRequestsPage{gas: 60_000}(
            arbiter,
            200,
            10
        );
        assertEq(total, 201, "all of it");
        assertEq(hashes[0], "work", "and what was asked in earnest");
    }

    function test_aSecretThatEverybodyKnows_provesNothing() public {
        AttestationVerifier verifier = new AttestationVerifier(address(manager));
        vm.prank(seller);
        validation.validationRequest(address(verifier), agent, "", "r");
        bytes32[] memory inputs = new bytes32[](6);
        (inputs[0], inputs[1], inputs[2]) = ("r", bytes32(agent), keccak256("kyc"));
        (inputs[4], inputs[5]) = (bytes32(uint256(uint160(vm.addr(1)))), bytes32(block.timestamp));
        bytes memory proof = _sign(1, verifier.attestationDigest(address(validation), inputs));
        vm.expectRevert(
            abi.encodeWithSelector(IValidationRegistry.ValidationRegistry_ProofInvalid.selector, verifier)
        );
        validation.attest("r", proof, inputs, "kyc");
    }

    function test_bringingAnAttestationAgainWithAnotherTag_isRefused() public {
        AttestationVerifier verifier = new AttestationVerifier(address(manager));
        verifier.setIssuer(keccak256("kyc"), arbiter, true);
        verifier.setIssuer(keccak256("other"), arbiter, true);
        vm.prank(seller);
        validation.validationRequest(address(verifier), agent, "", "r");
        bytes32[] memory inputs = new bytes32[](6);
        (inputs[0], inputs[1], inputs[2]) = ("r", bytes32(agent), keccak256("kyc"));
        (inputs[4], inputs[5]) = (bytes32(uint256(uint160(arbiter))), bytes32(block.timestamp));
        uint256 key = uint256(keccak256("arbiter"));
        bytes memory proof = _sign(key, verifier.attestationDigest(address(validation), inputs));
        validation.attest("r", proof, inputs, "kyc");
        vm.expectPartialRevert(IValidationRegistry.ValidationRegistry_NonceUsed.selector);
        validation.attest("r", proof, inputs, "kyc");
        vm.expectPartialRevert(IValidationRegistry.ValidationRegistry_ProofUnbound.selector);
        validation.attest("r", proof, inputs, "other");
        inputs[2] = keccak256("other");
        vm.expectPartialRevert(IValidationRegistry.ValidationRegistry_ProofInvalid.selector);
        validation.attest("r", proof, inputs, "other");
    }

    function _inputs(bytes32 hash) private pure returns (bytes32[] memory inputs) {
        inputs = new bytes32[](1);
        inputs[0] = hash;
    }
}
