// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReputationFixture} from "../support/ReputationFixture.sol";

/// @notice The summary that is kept as feedback is given, against one that reads all feedback, as the standard's
///         reference does.
contract FeedbackTallyFuzzTest is ReputationFixture {
    string[3] private tags = ["", "speed", "price"];

    function testFuzz_getSummary_isWhatReadingAllFeedbackGives(uint256 seed) public {
        address[] memory clients = new address[](3);
        for (uint256 i = 0; i < 3; ++i) (clients[i], ) = _client(i);
        for (uint256 i = 0; i < 30; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            address client = clients[seed % 3];
            uint64 last = reputation.getLastIndex(agent, client);
            if (seed % 5 == 0 && last != 0) {
                vm.prank(client);
                try reputation.revokeFeedback(agent, uint64((seed >> 64) % last) + 1) {} catch {}
                continue;
            }
            int128 value = int128(int256((seed >> 100) % 2e12) - 1e12);
            uint8 decimals = uint8((seed >> 8) % 4);
            vm.prank(client);
            reputation.giveFeedback(
                agent,
                value,
                decimals,
                tags[(seed >> 16) % 3],
                tags[(seed >> 24) % 3],
                "",
                "",
                0
            );
        }
        for (uint256 i = 0; i < 9; ++i) _assertSame(clients, tags[i % 3], tags[i / 3]);
    }

    function _assertSame(address[] memory clients, string memory tag1, string memory tag2) private view {
        (, , int128[] memory values, uint8[] memory decimals, , , ) = reputation.readAllFeedback(
            agent,
            clients,
            tag1,
            tag2,
            false
        );
        int256 sum;
        uint256[4] memory counts;
        for (uint256 i = 0; i < values.length; ++i) {
            sum += values[i] * int256(10 ** (18 - decimals[i]));
            ++counts[decimals[i]];
        }
        uint8 most;
        for (uint8 d = 1; d < 4; ++d) if (counts[d] > counts[most]) most = d;
        (uint64 count, int128 value, uint8 valueDecimals) = reputation.getSummary(agent, clients, tag1, tag2);
        assertEq(count, values.length, "count");
        if (count == 0) return;
        assertEq(valueDecimals, most, "decimals");
        assertEq(int256(value), sum / int256(values.length) / int256(10 ** (18 - most)), "value");
    }
}
