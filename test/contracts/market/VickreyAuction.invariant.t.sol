// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVickreyAuction} from "../../../contracts/interfaces/market/IVickreyAuction.sol";
import {Scrip} from "../../../contracts/market/Scrip.sol";
import {VickreyAuction} from "../../../contracts/market/VickreyAuction.sol";
import {Test} from "../support/Test.sol";
import {Walk} from "../support/Walk.sol";
import {AuctionFixture} from "./VickreyAuction.t.sol";

/// @notice Five agents bid, forget to reveal, take out, are scored and claim at random, round after round.
contract AuctionHandler is Test {
    uint256 public constant AGENTS = 5;
    uint256 private constant MAX_MINT = 80;
    bytes32 private constant SALT = "salt";

    VickreyAuction private auction;
    Scrip private scrip;
    address[AGENTS] private owners;
    uint256 private scorerKey;
    mapping(uint256 round => mapping(uint256 agent => uint96)) private bids;
    mapping(uint256 round => bool) private isScored;
    uint256 public minted;
    uint256 public contested;
    bool public somethingForbidden;

    constructor(VickreyAuction auction_, Scrip scrip_, address[AGENTS] memory owners_, uint256 scorerKey_) {
        (auction, scrip, owners, scorerKey) = (auction_, scrip_, owners_, scorerKey_);
    }

    function open() external {
        try auction.open() {} catch {}
    }

    /// @dev One in eight bids is above its deposit, and cannot be revealed.
    function commit(uint256 agent, uint96 amount, uint96 deposit) external {
        uint256 round = auction.roundCount();
        agent = _from(agent, round, false);
        deposit = uint96(bound(deposit, 0, 250));
        amount = amount % 8 == 7 ? deposit + 1 : amount % (deposit + 1);
        bytes32 seal = auction.commitmentOf(round, agent, amount, "artifact", SALT);
        uint256 before = scrip.balanceOf(address(auction));
        vm.prank(owners[agent - 1]);
        try auction.commit(agent, seal, deposit) {
            bids[round][agent] = amount;
            if (scrip.balanceOf(address(auction)) - before != deposit) somethingForbidden = true;
        } catch {}
    }

    function reveal(uint256 agent) external {
        uint256 round = auction.roundCount();
        agent = _from(agent, round, true);
        uint96 amount = bids[round][agent];
        try auction.reveal(agent, amount, "artifact", SALT) {
            if (amount > auction.bidOf(round, agent).deposit) somethingForbidden = true;
        } catch {}
    }

    /// @dev The winner bid most of all who revealed, and pays no more than it bid, nor less than the second.
    function settle() external {
        try auction.settle() {
            uint256 round = auction.roundCount();
            IVickreyAuction.Round memory state = auction.roundOf(round);
            (uint256 first, uint256 second) = _best(round, state.reserve);
            if (state.winner == 0) {
                if (first != 0 || state.price != 0) somethingForbidden = true;
                return;
            }
            if (second != 0) ++contested;
            if (bids[round][state.winner] != first) somethingForbidden = true;
            if (state.price != (second > state.reserve ? second : state.reserve)) somethingForbidden = true;
        } catch {}
    }

    function withdraw(uint256 round, uint256 agent) external {
        if (auction.roundCount() == 0) return;
        round = 1 + (round % auction.roundCount());
        agent = 1 + (agent % AGENTS);
        uint256 before = scrip.balanceOf(owners[agent - 1]);
        try auction.withdraw(round, agent) returns (uint256 amount) {
            if (scrip.balanceOf(owners[agent - 1]) - before != amount) somethingForbidden = true;
            if (!auction.roundOf(round).isSettled) somethingForbidden = true;
        } catch {}
    }

    function claimIncome(uint256 agent) external {
        agent = 1 + (agent % AGENTS);
        uint256 income = auction.incomeOf(agent);
        vm.prank(owners[agent - 1]);
        try auction.claimIncome(agent, owners[agent - 1]) returns (uint256 amount) {
            if (amount != income || auction.incomeOf(agent) != 0) somethingForbidden = true;
        } catch {
            if (income != 0) somethingForbidden = true;
        }
    }

    /// @dev A winner is scored once, and mints the points up to the bound.
    function score(uint256 round, uint256 points) external {
        if (auction.roundCount() == 0) return;
        round = 1 + (round % auction.roundCount());
        points = bound(points, 0, 2 * MAX_MINT);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(scorerKey, auction.scoreDigest(round, points));
        try auction.score(round, points, abi.encodePacked(r, s, v)) returns (uint256 amount) {
            if (isScored[round] || auction.roundOf(round).winner == 0) somethingForbidden = true;
            if (amount != (points > MAX_MINT ? MAX_MINT : points)) somethingForbidden = true;
            isScored[round] = true;
            minted += amount;
        } catch {}
    }

    /// @dev Some minutes, or to the very second at which bids are revealed or counted.
    function pass(uint256 timeSeconds) external {
        uint256 round = auction.roundCount();
        IVickreyAuction.Round memory state = auction.roundOf(round);
        bool isCommitting = block.timestamp < state.commitEnd;
        // Mostly not before there is something to go on with; without that most rounds have one bid at best.
        bool toNext = (isCommitting ? state.committed : state.revealed) > 1 || timeSeconds % 4 == 3;
        if (toNext && isCommitting) vm.warp(state.commitEnd);
        else if (toNext && block.timestamp < state.revealEnd) vm.warp(state.revealEnd);
        else skip(bound(timeSeconds, 1, 8 minutes));
    }

    /// @dev From `agent` on the first that has not bid yet, or that has and can reveal.
    function _from(uint256 agent, uint256 round, bool hasBid) private view returns (uint256 found) {
        for (uint256 i = 0; i < AGENTS; ++i) {
            found = 1 + (((agent % AGENTS) + i) % AGENTS);
            IVickreyAuction.Bid memory bid = auction.bidOf(round, found);
            if (hasBid ? bid.commitment != 0 && !bid.isRevealed : bid.commitment == 0) return found;
        }
    }

    function _best(uint256 round, uint256 reserve) private view returns (uint256 first, uint256 second) {
        for (uint256 agent = 1; agent <= AGENTS; ++agent) {
            uint256 amount = bids[round][agent];
            if (!auction.bidOf(round, agent).isRevealed || amount < reserve) continue;
            if (amount > first) (first, second) = (amount, first);
            else if (amount > second) second = amount;
        }
    }
}

abstract contract AuctionInvariants is AuctionFixture, Walk {
    AuctionHandler private handler;

    function _rule() internal pure virtual returns (IVickreyAuction.Rule);

    function setUp() public override {
        super.setUp();
        auction = _house(_rule());
        handler = new AuctionHandler(auction, scrip, owners, scorerKey);
        targetContract(address(handler));
    }

    /// @dev One campaign asks all of them after each call: a campaign of its own for each would walk the same ways.
    function invariant_allHold() public view {
        check_holdsExactlyWhatItOwes();
        check_scripIsKept();
        check_nothingForbiddenHappened();
    }

    /// @notice The auction holds exactly the deposits that can be taken out, the incomes that can be claimed, and what is
    ///         carried.
    function check_holdsExactlyWhatItOwes() public view {
        uint256 owed = auction.carried();
        for (uint256 agent = 1; agent <= AGENTS; ++agent) {
            owed += auction.incomeOf(agent);
            for (uint256 round = 1; round <= auction.roundCount(); ++round) owed += _depositOf(round, agent);
        }
        assertEq(scrip.balanceOf(address(auction)), owed, "held");
    }

    /// @notice Bidding makes no scrip and destroys none; only a winner's score does.
    function check_scripIsKept() public view {
        assertEq(scrip.totalSupply(), AGENTS * 1_000 + handler.minted(), "supply");
    }

    function check_nothingForbiddenHappened() public view {
        assertFalse(handler.somethingForbidden(), "see the handler");
    }

    function test_aWalk_settlesContestedRounds() public {
        bytes4[] memory selectors = new bytes4[](8);
        selectors[0] = handler.open.selector;
        selectors[1] = handler.commit.selector;
        selectors[2] = handler.reveal.selector;
        selectors[3] = handler.settle.selector;
        selectors[4] = handler.withdraw.selector;
        selectors[5] = handler.claimIncome.selector;
        selectors[6] = handler.score.selector;
        selectors[7] = handler.pass.selector;
        _walk(address(handler), selectors, 1, 300);
        assertLe(1, handler.contested(), "rounds with a second bid");
        assertLe(1, handler.minted(), "scrip for a winner");
        assertFalse(handler.somethingForbidden(), "see the handler");
    }

    function _depositOf(uint256 round, uint256 agent) private view returns (uint256) {
        IVickreyAuction.Round memory state = auction.roundOf(round);
        IVickreyAuction.Bid memory bid = auction.bidOf(round, agent);
        if (bid.isWithdrawn || !state.isSettled) return bid.isWithdrawn ? 0 : bid.deposit;
        if (bid.commitment != 0 && !bid.isRevealed) return bid.deposit - state.penalty;
        return bid.deposit - (agent == state.winner ? state.price : 0);
    }
}

contract EqualAuctionInvariantTest is AuctionInvariants {
    function _rule() internal pure override returns (IVickreyAuction.Rule) {
        return IVickreyAuction.Rule.Equal;
    }
}

contract TruthfulAuctionInvariantTest is AuctionInvariants {
    function _rule() internal pure override returns (IVickreyAuction.Rule) {
        return IVickreyAuction.Rule.Truthful;
    }
}
