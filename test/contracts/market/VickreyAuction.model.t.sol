// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVickreyAuction} from "../../../contracts/interfaces/market/IVickreyAuction.sol";
import {AuctionFixture} from "../support/AuctionFixture.sol";

/// @notice Rounds beside a model that looks at all bids at once: any order of commitments and reveals, ties, bids that
///         are withheld, deposits above the bid.
contract VickreyAuctionModelTest is AuctionFixture {
    /// @dev What an agent does in a round.
    struct Move {
        uint96 bid;
        uint96 deposit;
        bool isRevealed;
        // Its place among the commitments.
        uint256 place;
    }

    /// @dev Few bids and five who bid, so that every second round has a tie.
    uint96 private constant HIGHEST = 12;

    function testFuzz_settle_isTheModels(uint256 seed, uint96 reserve, uint16 penaltyBps) public {
        reserve = uint96(bound(reserve, 0, HIGHEST));
        penaltyBps = uint16(bound(penaltyBps, 0, 10_000));
        registry.set("auctionReserve", reserve);
        registry.set("auctionPenaltyBps", penaltyBps);
        Move[AGENTS] memory moves = _play(seed);
        IVickreyAuction.Round memory state = auction.roundOf(1);
        (uint256 winner, uint256 price) = _outcomeOf(moves, reserve);
        assertEq(state.winner, winner, "winner");
        assertEq(state.price, price, "price");
        uint256 burnt = price;
        for (uint256 i = 0; i < AGENTS; ++i) {
            uint256 penalty = moves[i].isRevealed ? 0 : (uint256(moves[i].deposit) * penaltyBps) / 10_000;
            burnt += penalty;
            assertEq(
                auction.withdraw(1, i + 1),
                moves[i].deposit - penalty - (i + 1 == winner ? price : 0),
                "taken back"
            );
        }
        assertEq(scrip.balanceOf(address(auction)), AGENTS * WEIGHT, "no deposit is left");
        assertEq(scrip.totalSupply(), AGENTS * (1_000 + WEIGHT) - burnt, "burnt");
    }

    /// @dev Who bids most wins, of equals who committed first; it pays the most that any other bid, or the reserve.
    function _outcomeOf(
        Move[AGENTS] memory moves,
        uint256 reserve
    ) private pure returns (uint256 winner, uint256 price) {
        for (uint256 i = 0; i < AGENTS; ++i) {
            if (!_counts(moves[i], reserve)) continue;
            uint256 better = 0;
            uint256 most = reserve;
            for (uint256 j = 0; j < AGENTS; ++j) {
                if (j == i || !_counts(moves[j], reserve)) continue;
                bool isFirst = moves[j].bid == moves[i].bid && moves[j].place < moves[i].place;
                if (moves[j].bid > moves[i].bid || isFirst) ++better;
                if (moves[j].bid > most) most = moves[j].bid;
            }
            if (better == 0) (winner, price) = (i + 1, most);
        }
    }

    function _counts(Move memory move, uint256 reserve) private pure returns (bool) {
        return move.isRevealed && move.bid != 0 && move.bid >= reserve;
    }

    function _play(uint256 seed) private returns (Move[AGENTS] memory moves) {
        auction.open();
        uint256 first = seed % AGENTS;
        for (uint256 place = 0; place < AGENTS; ++place) {
            seed = uint256(keccak256(abi.encode(seed)));
            // Two and five have no divisor in common: every agent has its turn.
            uint256 agent = (first + 2 * place) % AGENTS;
            uint96 bid = uint96(seed % (HIGHEST + 1));
            uint96 deposit = bid + uint96((seed >> 64) % 5) + 1;
            moves[agent] = Move(bid, deposit, (seed >> 128) % 4 != 0, place);
            _commit(agent + 1, bid, deposit);
        }
        skip(COMMIT);
        for (uint256 i = 0; i < AGENTS; ++i) {
            uint256 agent = ((seed >> 200) + 3 * i) % AGENTS;
            if (moves[agent].isRevealed) _reveal(agent + 1, moves[agent].bid);
        }
        skip(REVEAL);
        auction.settle();
    }
}
