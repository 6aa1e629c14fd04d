// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {ParameterRegistry} from "../../../contracts/governance/ParameterRegistry.sol";
import {IAgreements} from "../../../contracts/interfaces/payments/IAgreements.sol";
import {IBatchSettlement} from "../../../contracts/interfaces/payments/IBatchSettlement.sol";
import {IEscrow} from "../../../contracts/interfaces/payments/IEscrow.sol";
import {IParameterRegistry} from "../../../contracts/interfaces/governance/IParameterRegistry.sol";
import {IReputationRegistry} from "../../../contracts/interfaces/trust/IReputationRegistry.sol";
import {BatchSettlement} from "../../../contracts/payments/BatchSettlement.sol";
import {IdentityRegistry} from "../../../contracts/trust/IdentityRegistry.sol";
import {ReputationRegistry} from "../../../contracts/trust/ReputationRegistry.sol";
import {EscrowFixture} from "../support/EscrowFixture.sol";

/// @notice Feedback, its revocation and responses as ERC-8004 has them, and the score that only payments move.
contract ReputationRegistryTest is EscrowFixture {
    IdentityRegistry private agents;
    ReputationRegistry private reputation;
    BatchSettlement private settlement;
    uint256 private agent;

    function setUp() public override {
        super.setUp();
        agents = new IdentityRegistry();
        settlement = new BatchSettlement();
        IParameterRegistry.Declaration[] memory declarations = new IParameterRegistry.Declaration[](1);
        declarations[0] = IParameterRegistry.Declaration("ticketMinAmount", 1, 1e12, 2 * USD);
        ParameterRegistry registry = new ParameterRegistry(
            address(new AccessManager(address(this))),
            declarations
        );
        reputation = new ReputationRegistry(agents, escrow, settlement, registry);
        vm.prank(seller);
        agent = agents.register("ipfs://seller");
    }

    function _give(address client, int128 value, uint8 decimals, string memory tag) private {
        vm.prank(client);
        reputation.giveFeedback(agent, value, decimals, tag, "b", "https://e", "ipfs://f", "hash");
    }

    function _one_(address client) private pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = client;
    }

    // Feedback

    function test_giveFeedback() public {
        vm.expectEmit(true, true, true, true);
        emit IReputationRegistry.NewFeedback(
            agent,
            buyer,
            1,
            -875,
            2,
            "speed",
            "speed",
            "b",
            "https://e",
            "ipfs://f",
            "hash"
        );
        _give(buyer, -875, 2, "speed");
        (int128 value, uint8 decimals, string memory tag1, string memory tag2, bool revoked) = reputation
            .readFeedback(agent, buyer, 1);
        assertEq(int256(value), -875, "value");
        assertEq(decimals, 2, "decimals");
        assertEq(bytes(tag1), bytes("speed"), "tag1");
        assertEq(bytes(tag2), bytes("b"), "tag2");
        assertFalse(revoked, "revoked");
        assertEq(reputation.getLastIndex(agent, buyer), 1, "last index");
        assertEq(reputation.getClients(agent).length, 1, "clients");
        _give(buyer, 1, 18, "speed");
        assertEq(reputation.getClients(agent).length, 1, "still one client");
        assertEq(reputation.getIdentityRegistry(), address(agents), "registry");
        assertEq(reputation.scoreOf(agent), 0, "feedback without a ticket does not move the score");
    }

    function test_giveFeedback_refusals() public {
        vm.expectRevert(
            abi.encodeWithSelector(IReputationRegistry.ReputationRegistry_TooManyDecimals.selector, 19, 18)
        );
        _give(buyer, 1, 19, "");
        bytes4 unknown = IReputationRegistry.ReputationRegistry_UnknownAgent.selector;
        vm.expectRevert(abi.encodeWithSelector(unknown, agent + 1));
        reputation.giveFeedback(agent + 1, 1, 0, "", "", "", "", 0);
        vm.expectRevert(abi.encodeWithSelector(unknown, 0));
        reputation.giveFeedback(0, 1, 0, "", "", "", "", 0);
    }

    function test_selfFeedback_isImpossible() public {
        bytes4 self = IReputationRegistry.ReputationRegistry_SelfFeedback.selector;
        vm.expectRevert(abi.encodeWithSelector(self, seller, agent));
        _give(seller, 1, 0, "");
        vm.prank(seller);
        agents.setApprovalForAll(stranger, true);
        vm.expectRevert(abi.encodeWithSelector(self, stranger, agent));
        _give(stranger, 1, 0, "");
        vm.prank(seller);
        agents.approve(arbiter, agent);
        vm.expectRevert(abi.encodeWithSelector(self, arbiter, agent));
        _give(arbiter, 1, 0, "");
        (address wallet, uint256 key) = makeAddrAndKey("hot");
        bytes32 digest = _walletDigest(wallet);
        vm.prank(seller);
        agents.setAgentWallet(agent, wallet, START, _sign(key, digest));
        vm.expectRevert(abi.encodeWithSelector(self, wallet, agent));
        _give(wallet, 1, 0, "");
    }

    function test_revokeFeedback() public {
        _give(buyer, 5, 0, "");
        bytes4 unknown = IReputationRegistry.ReputationRegistry_UnknownFeedback.selector;
        vm.expectRevert(abi.encodeWithSelector(unknown, agent, buyer, 2));
        vm.prank(buyer);
        reputation.revokeFeedback(agent, 2);
        vm.expectRevert(abi.encodeWithSelector(unknown, agent, buyer, 0));
        vm.prank(buyer);
        reputation.revokeFeedback(agent, 0);
        vm.expectRevert(abi.encodeWithSelector(unknown, agent, stranger, 1));
        vm.prank(stranger);
        reputation.revokeFeedback(agent, 1);
        vm.expectEmit(true, true, true, true);
        emit IReputationRegistry.FeedbackRevoked(agent, buyer, 1);
        vm.prank(buyer);
        reputation.revokeFeedback(agent, 1);
        (, , , , bool revoked) = reputation.readFeedback(agent, buyer, 1);
        assertTrue(revoked, "revoked");
        vm.expectRevert(abi.encodeWithSelector(IReputationRegistry.ReputationRegistry_Revoked.selector, 1));
        vm.prank(buyer);
        reputation.revokeFeedback(agent, 1);
    }

    function test_appendResponse_andCounts() public {
        _give(buyer, 5, 0, "");
        _give(buyer, 6, 0, "");
        _give(stranger, 7, 0, "");
        vm.expectRevert(IReputationRegistry.ReputationRegistry_EmptyResponse.selector);
        reputation.appendResponse(agent, buyer, 1, "", 0);
        vm.expectRevert(
            abi.encodeWithSelector(
                IReputationRegistry.ReputationRegistry_UnknownFeedback.selector,
                agent,
                buyer,
                3
            )
        );
        reputation.appendResponse(agent, buyer, 3, "ipfs://r", 0);
        vm.expectEmit(true, true, true, true);
        emit IReputationRegistry.ResponseAppended(agent, buyer, 1, seller, "ipfs://r", "h");
        vm.prank(seller);
        reputation.appendResponse(agent, buyer, 1, "ipfs://r", "h");
        vm.startPrank(seller);
        reputation.appendResponse(agent, buyer, 1, "ipfs://r2", "h");
        reputation.appendResponse(agent, buyer, 2, "ipfs://r3", "h");
        reputation.appendResponse(agent, stranger, 1, "ipfs://r4", "h");
        vm.stopPrank();
        vm.prank(arbiter);
        reputation.appendResponse(agent, buyer, 1, "ipfs://r5", "h");
        address[] memory all = new address[](0);
        assertEq(reputation.getResponseCount(agent, buyer, 1, all), 3, "one entry");
        assertEq(reputation.getResponseCount(agent, buyer, 1, _one_(seller)), 2, "by the seller");
        assertEq(reputation.getResponseCount(agent, buyer, 0, all), 4, "one client");
        assertEq(reputation.getResponseCount(agent, address(0), 0, all), 5, "all clients");
        assertEq(reputation.getResponseCount(agent, address(0), 0, _one_(arbiter)), 1, "by the arbiter");
    }

    function test_getSummary_isOfNamedClients() public {
        _give(buyer, 90, 0, "speed");
        _give(buyer, 805, 1, "speed");
        _give(buyer, 1, 0, "other");
        _give(stranger, -10, 0, "speed");
        vm.expectRevert(IReputationRegistry.ReputationRegistry_NoClients.selector);
        reputation.getSummary(agent, new address[](0), "", "");
        (uint64 count, int128 value, uint8 decimals) = reputation.getSummary(
            agent,
            _one_(buyer),
            "speed",
            ""
        );
        assertEq(count, 2, "count");
        assertEq(int256(value), 852, "85.25, at one decimal");
        assertEq(decimals, 1, "decimals");
        address[] memory both = new address[](2);
        (both[0], both[1]) = (buyer, stranger);
        vm.prank(buyer);
        reputation.revokeFeedback(agent, 2);
        (count, value, decimals) = reputation.getSummary(agent, both, "speed", "b");
        assertEq(count, 2, "without what was revoked");
        assertEq(int256(value), 40, "90 and -10");
        (count, value, ) = reputation.getSummary(agent, both, "speed", "c");
        assertEq(count, 0, "none has that tag");
        assertEq(int256(value), 0, "no value");
    }

    function test_readAllFeedback() public {
        _give(buyer, 90, 0, "speed");
        _give(buyer, 5, 1, "other");
        _give(stranger, -10, 0, "speed");
        vm.prank(buyer);
        reputation.revokeFeedback(agent, 1);
        (
            address[] memory clients,
            uint64[] memory indexes,
            int128[] memory values,
            uint8[] memory decimals,
            string[] memory tag1s,
            string[] memory tag2s,
            bool[] memory revoked
        ) = reputation.readAllFeedback(agent, new address[](0), "", "", true);
        assertEq(clients.length, 3, "all");
        assertEq(clients[2], stranger, "client");
        assertEq(indexes[1], 2, "index");
        assertEq(int256(values[2]), -10, "value");
        assertEq(decimals[1], 1, "decimals");
        assertEq(bytes(tag1s[1]), bytes("other"), "tag1");
        assertEq(bytes(tag2s[1]), bytes("b"), "tag2");
        assertTrue(revoked[0], "revoked");
        (clients, indexes, , , , , ) = reputation.readAllFeedback(agent, _one_(buyer), "", "", false);
        assertEq(clients.length, 1, "only the buyer's that stands");
        assertEq(indexes[0], 2, "index");
    }

    // Tickets

    function _paidJob(uint256 paid) private returns (uint256 id, IAgreements.Agreement memory agreement) {
        agreement = _three();
        id = _open(agreement);
        for (uint256 i = 0; i < paid; ++i) {
            vm.prank(buyer);
            escrow.release(id, abi.encode(agreement));
        }
    }

    function test_signalByAgreement_oncePerPaidMilestone() public {
        (uint256 id, IAgreements.Agreement memory agreement) = _paidJob(2);
        vm.expectEmit(true, true, true, true);
        emit IReputationRegistry.NewFeedback(agent, buyer, 1, 1, 0, "ticket", "ticket", "escrow", "", "", 0);
        vm.expectEmit(true, true, true, true);
        emit IReputationRegistry.Signalled(agent, buyer, 1, 1, 1);
        vm.startPrank(buyer);
        assertEq(reputation.signalByAgreement(agent, id, agreement, true), 1, "index");
        assertEq(reputation.scoreOf(agent), 1, "score");
        reputation.signalByAgreement(agent, id, agreement, false);
        assertEq(reputation.scoreOf(agent), 0, "and down again");
        vm.expectRevert(
            abi.encodeWithSelector(IReputationRegistry.ReputationRegistry_NoTicket.selector, 2, 2)
        );
        reputation.signalByAgreement(agent, id, agreement, true);
        vm.stopPrank();
    }

    function test_signalByAgreement_needsThatPayment() public {
        (uint256 id, IAgreements.Agreement memory agreement) = _paidJob(0);
        vm.expectRevert(
            abi.encodeWithSelector(IReputationRegistry.ReputationRegistry_NoTicket.selector, 0, 0)
        );
        vm.prank(buyer);
        reputation.signalByAgreement(agent, id, agreement, true);
        (id, agreement) = _paidJob(1);
        vm.expectRevert(
            abi.encodeWithSelector(IReputationRegistry.ReputationRegistry_NotPayer.selector, stranger, buyer)
        );
        vm.prank(stranger);
        reputation.signalByAgreement(agent, id, agreement, true);
        vm.prank(arbiter);
        uint256 other = agents.register();
        vm.expectRevert(
            abi.encodeWithSelector(IReputationRegistry.ReputationRegistry_NotPaid.selector, seller, arbiter)
        );
        vm.prank(buyer);
        reputation.signalByAgreement(other, id, agreement, true);
        agreement.buyer = stranger;
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_AgreementMismatch.selector, id));
        vm.prank(stranger);
        reputation.signalByAgreement(agent, id, agreement, true);
        agreement.buyer = buyer;
        vm.prank(seller);
        agents.unsetAgentWallet(agent);
        vm.expectRevert(
            abi.encodeWithSelector(IReputationRegistry.ReputationRegistry_NotPaid.selector, seller, 0)
        );
        vm.prank(buyer);
        reputation.signalByAgreement(agent, id, agreement, true);
    }

    function test_signalByChannel_asFarAsTheClaimedValueReaches() public {
        IBatchSettlement.ChannelConfig memory config = IBatchSettlement.ChannelConfig({
            payer: buyer,
            payerAuthorizer: buyer,
            receiver: seller,
            receiverAuthorizer: seller,
            token: address(usdc),
            withdrawDelay: 1 hours,
            salt: 0
        });
        _claim(config, 5 * USD);
        vm.expectRevert(
            abi.encodeWithSelector(IReputationRegistry.ReputationRegistry_NotPayer.selector, stranger, buyer)
        );
        vm.prank(stranger);
        reputation.signalByChannel(agent, config, true);
        vm.startPrank(buyer);
        reputation.signalByChannel(agent, config, true);
        assertEq(reputation.signalByChannel(agent, config, true), 2, "index");
        assertEq(reputation.scoreOf(agent), 2, "score");
        vm.expectRevert(
            abi.encodeWithSelector(IReputationRegistry.ReputationRegistry_NoTicket.selector, 6 * USD, 5 * USD)
        );
        reputation.signalByChannel(agent, config, true);
        vm.stopPrank();
        (, , , string memory source, ) = reputation.readFeedback(agent, buyer, 2);
        assertEq(bytes(source), bytes("channel"), "source");
    }

    function test_revokingASignal_undoesIt_andItsTicketStaysSpent() public {
        (uint256 id, IAgreements.Agreement memory agreement) = _paidJob(1);
        vm.startPrank(buyer);
        reputation.signalByAgreement(agent, id, agreement, false);
        assertEq(reputation.scoreOf(agent), -1, "score");
        vm.expectEmit(true, true, true, true);
        emit IReputationRegistry.Signalled(agent, buyer, 1, 1, 0);
        reputation.revokeFeedback(agent, 1);
        assertEq(reputation.scoreOf(agent), 0, "undone");
        vm.expectPartialRevert(IReputationRegistry.ReputationRegistry_NoTicket.selector);
        reputation.signalByAgreement(agent, id, agreement, true);
        vm.stopPrank();
    }

    function test_score_isBounded_andRevokingBeyondTheBoundIsExact() public {
        IBatchSettlement.ChannelConfig memory config = IBatchSettlement.ChannelConfig({
            payer: buyer,
            payerAuthorizer: buyer,
            receiver: seller,
            receiverAuthorizer: seller,
            token: address(usdc),
            withdrawDelay: 1 hours,
            salt: 0
        });
        _claim(config, 4_008 * USD);
        vm.startPrank(buyer);
        for (uint256 i = 0; i < 1_002; ++i) reputation.signalByChannel(agent, config, true);
        assertEq(reputation.scoreOf(agent), 1_000, "bounded");
        assertEq(reputation.MAX_SCORE(), 1_000, "bound");
        for (uint64 i = 1; i <= 1_002; ++i) reputation.revokeFeedback(agent, i);
        assertEq(reputation.scoreOf(agent), 0, "every signal undone exactly");
        for (uint256 i = 0; i < 1_002; ++i) reputation.signalByChannel(agent, config, false);
        assertEq(reputation.scoreOf(agent), -1_000, "bounded below");
        vm.stopPrank();
    }

    function _claim(IBatchSettlement.ChannelConfig memory config, uint128 amount) private {
        vm.startPrank(buyer);
        usdc.approve(address(settlement), amount);
        settlement.deposit(config, amount, address(0), "");
        vm.stopPrank();
        bytes32 digest = settlement.getVoucherDigest(settlement.getChannelId(config), amount);
        IBatchSettlement.VoucherClaim[] memory claims = new IBatchSettlement.VoucherClaim[](1);
        claims[0] = IBatchSettlement.VoucherClaim({
            voucher: IBatchSettlement.Voucher(config, amount),
            signature: _sign(buyerKey, digest),
            totalClaimed: amount
        });
        vm.prank(seller);
        settlement.claim(claims);
    }

    function _walletDigest(address wallet) private view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("ERC8004IdentityRegistry"),
                keccak256("1"),
                block.chainid,
                address(agents)
            )
        );
        bytes32 typehash = keccak256(
            "AgentWalletSet(uint256 agentId,address newWallet,address owner,uint256 deadline)"
        );
        bytes32 message = keccak256(abi.encode(typehash, agent, wallet, seller, START));
        return keccak256(abi.encodePacked(hex"1901", domain, message));
    }
}
