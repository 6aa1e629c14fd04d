// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title FeedbackTally
/// @notice What a client's feedback about an agent comes to, kept as it is given and revoked, so that a summary reads
///         as much of each client however much feedback that client has given.
/// @dev A client has a tally for each pair of tags, for each first and each second tag, and one for all: the four
///      questions that a summary can ask. The empty tag stands for any.
library FeedbackTally {
    /// @dev One slot, of the entries with one number of decimals: 10^38 for each of 2^64 at the most, which fits.
    struct Part {
        int192 sum;
        uint64 count;
    }

    /// @dev By the number of decimals, 0 to 18.
    struct Tally {
        Part[19] parts;
    }

    uint256 private constant QUESTIONS = 4;
    uint8 private constant MAX_DECIMALS = 18;

    function add(
        mapping(bytes32 key => Tally) storage tallies,
        uint256 agentId,
        address client,
        string memory tag1,
        string memory tag2,
        int128 value,
        uint8 decimals
    ) internal {
        bytes32[QUESTIONS] memory keys = _keys(agentId, client, tag1, tag2);
        for (uint256 i = 0; i < QUESTIONS; ++i) {
            if (keys[i] == 0) continue;
            Part storage part = tallies[keys[i]].parts[decimals];
            (part.sum, part.count) = (part.sum + value, part.count + 1);
        }
    }

    function remove(
        mapping(bytes32 key => Tally) storage tallies,
        uint256 agentId,
        address client,
        string memory tag1,
        string memory tag2,
        int128 value,
        uint8 decimals
    ) internal {
        bytes32[QUESTIONS] memory keys = _keys(agentId, client, tag1, tag2);
        for (uint256 i = 0; i < QUESTIONS; ++i) {
            if (keys[i] == 0) continue;
            Part storage part = tallies[keys[i]].parts[decimals];
            (part.sum, part.count) = (part.sum - value, part.count - 1);
        }
    }

    /// @dev As the standard's reference counts: the average of all entries, rounded towards zero, at the decimals that
    ///      most entries have, the fewest of those that are equally many. Only where its result would not fit in
    ///      int128 it has fewer decimals here, instead of other digits.
    function summary(
        mapping(bytes32 key => Tally) storage tallies,
        uint256 agentId,
        address[] calldata clients,
        string memory tag1,
        string memory tag2
    ) internal view returns (uint64 count, int128 value, uint8 decimals) {
        (int256 sum, uint64[19] memory counts) = _sum(
            tallies,
            agentId,
            clients,
            keccak256(bytes(tag1)),
            keccak256(bytes(tag2))
        );
        for (uint8 d = 0; d <= MAX_DECIMALS; ++d) {
            count += counts[d];
            if (counts[d] > counts[decimals]) decimals = d;
        }
        if (count == 0) return (0, 0, 0);
        int256 average = sum / int256(uint256(count));
        int256 rounded = average / _scale(decimals);
        while (rounded > type(int128).max || rounded < type(int128).min)
            rounded = average / _scale(--decimals);
        value = int128(rounded);
    }

    /// @dev At 18 decimals, and how many entries have each number of them.
    function _sum(
        mapping(bytes32 key => Tally) storage tallies,
        uint256 agentId,
        address[] calldata clients,
        bytes32 hash1,
        bytes32 hash2
    ) private view returns (int256 sum, uint64[19] memory counts) {
        for (uint256 i = 0; i < clients.length; ++i) {
            Tally storage tally = tallies[_key(agentId, clients[i], hash1, hash2)];
            for (uint8 d = 0; d <= MAX_DECIMALS; ++d) {
                Part memory part = tally.parts[d];
                sum += part.sum * _scale(d);
                counts[d] += part.count;
            }
        }
    }

    function _scale(uint8 decimals) private pure returns (int256) {
        return int256(10 ** (MAX_DECIMALS - decimals));
    }

    /// @dev The tallies that an entry with these tags counts in; zero in place of one that stands there already.
    function _keys(
        uint256 agentId,
        address client,
        string memory tag1,
        string memory tag2
    ) private pure returns (bytes32[QUESTIONS] memory keys) {
        bytes32 any = keccak256("");
        (bytes32 hash1, bytes32 hash2) = (keccak256(bytes(tag1)), keccak256(bytes(tag2)));
        keys[0] = _key(agentId, client, any, any);
        if (hash1 != any) keys[1] = _key(agentId, client, hash1, any);
        if (hash2 != any) keys[2] = _key(agentId, client, any, hash2);
        if (hash1 != any && hash2 != any) keys[3] = _key(agentId, client, hash1, hash2);
    }

    function _key(
        uint256 agentId,
        address client,
        bytes32 hash1,
        bytes32 hash2
    ) private pure returns (bytes32) {
        return keccak256(abi.encode(agentId, client, hash1, hash2));
    }
}
