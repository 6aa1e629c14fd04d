// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IReputationRegistry} from "../../../contracts/interfaces/trust/IReputationRegistry.sol";
import {ReputationFixture} from "../support/ReputationFixture.sol";

/// @notice Feedback, its revocation, responses and summary: ERC-8004's rules, each by its name, and what is bounded
///         beyond them.
contract FeedbackTest is ReputationFixture {
    int128 private constant MAX_VALUE = 1e38;

    function _give(address client, int128 value, uint8 decimals, string memory tag) private {
        vm.prank(client);
        reputation.giveFeedback(agent, value, decimals, tag, "b", "https://e", "ipfs://f", "hash");
    }

    function test_rule_giveFeedback_isStoredAndEmitted() public {
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

    function test_rule_valueDecimals_areAtMost18_andTheAgentExists() public {
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

    function test_rule_ownerAndOperators_giveNoFeedback() public {
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
        _setWallet(seller, wallet, key);
        vm.expectRevert(abi.encodeWithSelector(self, wallet, agent));
        _give(wallet, 1, 0, "");
    }

    function test_rule_revokeFeedback_byItsClientOnce() public {
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

    function test_rule_appendResponse_byAnyone_andCounts() public {
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
        assertEq(reputation.getResponseCount(agent, buyer, 1, _list(seller)), 2, "by the seller");
        assertEq(reputation.getResponseCount(agent, buyer, 0, all), 4, "one client");
        assertEq(reputation.getResponseCount(agent, address(0), 0, all), 5, "all clients");
        assertEq(reputation.getResponseCount(agent, address(0), 0, _list(arbiter)), 1, "by the arbiter");
    }

    function test_getResponseCountPage() public {
        for (int128 i = 1; i <= 4; ++i) _give(buyer, i, 0, "");
        for (uint64 i = 1; i <= 4; ++i) {
            vm.prank(seller);
            reputation.appendResponse(agent, buyer, i, "ipfs://r", 0);
        }
        vm.prank(arbiter);
        reputation.appendResponse(agent, buyer, 3, "ipfs://r", 0);
        address[] memory all = new address[](0);
        assertEq(reputation.getResponseCountPage(agent, buyer, 2, 2, all), 3, "of two entries");
        assertEq(reputation.getResponseCountPage(agent, buyer, 2, 2, _list(arbiter)), 1, "by the arbiter");
        assertEq(reputation.getResponseCountPage(agent, buyer, 2, 2, _list(address(0))), 0, "by nobody");
        assertEq(reputation.getResponseCountPage(agent, buyer, 3, type(uint64).max, all), 3, "of the rest");
        vm.expectPartialRevert(IReputationRegistry.ReputationRegistry_UnknownFeedback.selector);
        reputation.getResponseCountPage(agent, buyer, 5, 1, all);
    }

    function test_getResponseCount_ofAnEntry_costsTheSame_howeverManyAnswered() public {
        _give(buyer, 5, 0, "");
        vm.prank(seller);
        reputation.appendResponse(agent, buyer, 1, "ipfs://r", 0);
        address[] memory all = new address[](0);
        uint256 before = gasleft();
        reputation.getResponseCount(agent, buyer, 1, all);
        uint256 one = before - gasleft();
        for (uint256 i = 0; i < 300; ++i) {
            (address answerer, ) = _client(i);
            vm.prank(answerer);
            reputation.appendResponse(agent, buyer, 1, "ipfs://r", 0);
        }
        before = gasleft();
        assertEq(reputation.getResponseCount(agent, buyer, 1, all), 301, "all of them");
        assertLe(before - gasleft(), one + 1_000, "gas");
    }

    function test_rule_getSummary_isOfNamedClients() public {
        _give(buyer, 90, 0, "speed");
        _give(buyer, 805, 1, "speed");
        _give(buyer, 1, 0, "other");
        _give(stranger, -10, 0, "speed");
        vm.expectRevert(IReputationRegistry.ReputationRegistry_NoClients.selector);
        reputation.getSummary(agent, new address[](0), "", "");
        (uint64 count, int128 value, uint8 decimals) = reputation.getSummary(
            agent,
            _list(buyer),
            "speed",
            ""
        );
        assertEq(count, 2, "count");
        assertEq(int256(value), 85, "85.25, at the fewest of the decimals that are equally many");
        assertEq(decimals, 0, "decimals");
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

    function test_rule_readAllFeedback_omitsRevoked_unlessAsked() public {
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
        (clients, indexes, , , , , ) = reputation.readAllFeedback(agent, _list(buyer), "", "", false);
        assertEq(clients.length, 1, "only the buyer's that stands");
        assertEq(indexes[0], 2, "index");
    }

    function test_rule_value_isAtMostTenToThe38thFromZero() public {
        bytes4 tooLarge = IReputationRegistry.ReputationRegistry_ValueTooLarge.selector;
        vm.expectRevert(abi.encodeWithSelector(tooLarge, MAX_VALUE + 1, MAX_VALUE));
        _give(buyer, MAX_VALUE + 1, 0, "");
        vm.expectRevert(abi.encodeWithSelector(tooLarge, -MAX_VALUE - 1, MAX_VALUE));
        _give(buyer, -MAX_VALUE - 1, 0, "");
        _give(buyer, MAX_VALUE, 0, "");
        _give(buyer, -MAX_VALUE, 18, "");
    }

    function test_rule_getSummary_isAtTheDecimalsThatMostEntriesHave() public {
        _give(buyer, 90, 0, "speed");
        _give(buyer, 805, 1, "speed");
        _give(stranger, 8_055, 2, "speed");
        _give(stranger, 705, 1, "speed");
        address[] memory both = new address[](2);
        (both[0], both[1]) = (buyer, stranger);
        (uint64 count, int128 value, uint8 decimals) = reputation.getSummary(agent, both, "", "");
        assertEq(count, 4, "count");
        assertEq(decimals, 1, "two of four have one");
        assertEq(int256(value), 803, "80.3875, rounded towards zero");
        vm.prank(buyer);
        reputation.revokeFeedback(agent, 2);
        (, value, decimals) = reputation.getSummary(agent, both, "", "");
        assertEq(decimals, 0, "one of each: the fewest");
        assertEq(int256(value), 80, "80.35");
    }

    function test_rule_getSummary_countsAClientAsOftenAsItIsNamed() public {
        _give(buyer, 90, 0, "speed");
        address[] memory twice = new address[](2);
        (twice[0], twice[1]) = (buyer, buyer);
        (uint64 count, int128 value, ) = reputation.getSummary(agent, twice, "", "");
        assertEq(count, 2, "count");
        assertEq(int256(value), 90, "value");
    }

    function test_rule_getSummary_filtersByEachTagAndByBoth() public {
        vm.startPrank(buyer);
        reputation.giveFeedback(agent, 1, 0, "x", "y", "", "", 0);
        reputation.giveFeedback(agent, 10, 0, "x", "", "", "", 0);
        reputation.giveFeedback(agent, 100, 0, "", "y", "", "", 0);
        reputation.giveFeedback(agent, 1_000, 0, "", "", "", "", 0);
        vm.stopPrank();
        _assertSummary("", "", 4, 1_111);
        _assertSummary("x", "", 2, 11);
        _assertSummary("", "y", 2, 101);
        _assertSummary("x", "y", 1, 1);
        _assertSummary("y", "x", 0, 0);
        vm.prank(buyer);
        reputation.revokeFeedback(agent, 1);
        _assertSummary("", "", 3, 1_110);
        _assertSummary("x", "", 1, 10);
        _assertSummary("", "y", 1, 100);
        _assertSummary("x", "y", 0, 0);
    }

    function _assertSummary(string memory tag1, string memory tag2, uint64 wanted, int256 sum) private view {
        (uint64 count, int128 value, ) = reputation.getSummary(agent, _list(buyer), tag1, tag2);
        assertEq(count, wanted, "count");
        assertEq(int256(value), wanted == 0 ? int256(0) : sum / int256(uint256(wanted)), "average");
    }

    function test_getSummary_neverReverts_whateverAClientGave() public {
        // Mostly 18 decimals, at which the average of 10^38 is too large for its type: it has fewer.
        _give(buyer, MAX_VALUE, 0, "");
        _give(buyer, 1, 18, "");
        _give(buyer, 1, 18, "");
        (uint64 count, int128 value, uint8 decimals) = reputation.getSummary(agent, _list(buyer), "", "");
        assertEq(count, 3, "count");
        assertEq(decimals, 0, "as many decimals as fit");
        assertEq(int256(value), int256(MAX_VALUE) / 3, "the average");
        _give(stranger, -MAX_VALUE, 0, "");
        _give(stranger, -1, 18, "");
        (, value, decimals) = reputation.getSummary(agent, _list(stranger), "", "");
        assertEq(int256(value), -int256(MAX_VALUE) / 2, "below zero, too");
    }

    function test_getSummary_costsTheSame_howeverMuchFeedbackOneClientGave() public {
        _give(buyer, 5, 0, "speed");
        uint256 before = gasleft();
        reputation.getSummary(agent, _list(buyer), "speed", "b");
        uint256 one = before - gasleft();
        for (uint256 i = 0; i < 500; ++i) _give(buyer, 5, 0, "speed");
        before = gasleft();
        (uint64 count, , ) = reputation.getSummary(agent, _list(buyer), "speed", "b");
        uint256 many = before - gasleft();
        assertEq(count, 501, "all of it counts");
        assertLe(many, one, "gas");
    }

    function test_readFeedbackPage() public {
        for (int128 i = 1; i <= 5; ++i) _give(buyer, i, 0, i % 2 == 0 ? "even" : "odd");
        vm.prank(buyer);
        reputation.revokeFeedback(agent, 4);
        (
            int128[] memory values,
            uint8[] memory decimals,
            string[] memory tag1s,
            string[] memory tag2s,
            bool[] memory revoked
        ) = reputation.readFeedbackPage(agent, buyer, 3, 2);
        assertEq(values.length, 2, "as many as asked for");
        assertEq(int256(values[1]), 4, "value");
        assertEq(decimals[1], 0, "decimals");
        assertEq(bytes(tag1s[0]), bytes("odd"), "tag1");
        assertEq(bytes(tag2s[0]), bytes("b"), "tag2");
        assertTrue(revoked[1] && !revoked[0], "revoked");
        (values, , , , ) = reputation.readFeedbackPage(agent, buyer, 5, type(uint64).max);
        assertEq(values.length, 1, "as many as there are");
        vm.expectRevert(
            abi.encodeWithSelector(
                IReputationRegistry.ReputationRegistry_UnknownFeedback.selector,
                agent,
                buyer,
                6
            )
        );
        reputation.readFeedbackPage(agent, buyer, 6, 1);
    }

    function test_getClientsPage() public {
        _give(buyer, 1, 0, "");
        _give(stranger, 1, 0, "");
        _give(arbiter, 1, 0, "");
        (address[] memory clients, uint256 total) = reputation.getClientsPage(agent, 1, 10);
        assertEq(total, 3, "total");
        assertEq(clients.length, 2, "from the second on");
        assertEq(clients[1], arbiter, "the third");
        (clients, ) = reputation.getClientsPage(agent, 0, 1);
        assertEq(clients.length, 1, "as many as asked for");
        (clients, ) = reputation.getClientsPage(agent, 3, 1);
        assertEq(clients.length, 0, "none beyond");
    }
}
