// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVickreyAuction} from "../../../contracts/interfaces/market/IVickreyAuction.sol";
import {Scrip} from "../../../contracts/market/Scrip.sol";
import {VickreyAuction} from "../../../contracts/market/VickreyAuction.sol";
import {AuctionFixture} from "../support/AuctionFixture.sol";
import {Test} from "../support/Test.sol";
import {Walk} from "../support/Walk.sol";

/// @notice Five agents join and leave, bid, forget to reveal, take out, are scored and claim at random, round after
///         round.
contract AuctionHandler is Test {
    uint256 public constant AGENTS = 5;
    uint256 private constant MAX_MINT = 80;
    bytes32 private constant SALT = "salt";

    VickreyAuction private auction;
    Scrip private scrip;
    address[AGENTS] private owners;
    uint256 private scorerKey;
    mapping(uint256 round => mapping(uint256 agent => uint96)) private bids;
    uint256 public minted;
    uint256 public burnt;
    uint256 public income;
    uint256 public claimed;
    uint256 public contested;
    uint256 public withheld;
    uint256 public rejoined;
    bool public somethingForbidden;

    constructor(VickreyAuction auction_, Scrip scrip_, address[AGENTS] memory owners_, uint256 scorerKey_) {
        (auction, scrip, owners, scorerKey) = (auction_, scrip_, owners_, scorerKey_);
    }

    function open() external {
        try auction.open() {} catch {}
    }

    function join(uint256 agent, uint256 weight) external {
        agent = 1 + (agent % AGENTS);
        uint256 before = auction.totalWeight();
        weight = bound(weight, 1, 300);
        vm.prank(owners[agent - 1]);
        try auction.join(agent, uint64(weight)) {
            ++rejoined;
            if (auction.totalWeight() != before + weight || auction.incomeOf(agent) != 0)
                somethingForbidden = true;
        } catch {}
    }

    /// @dev Whoever leaves has at once all that it locked and earned.
    function quit(uint256 agent) external {
        agent = 1 + (agent % AGENTS);
        (uint256 weight, uint256 earned) = (auction.memberOf(agent).weight, auction.incomeOf(agent));
        uint256 before = scrip.balanceOf(owners[agent - 1]);
        vm.prank(owners[agent - 1]);
        try auction.quit(agent, owners[agent - 1]) {
            claimed += earned;
            if (scrip.balanceOf(owners[agent - 1]) - before != weight + earned) somethingForbidden = true;
        } catch {
            if (weight != 0) somethingForbidden = true;
        }
    }

    /// @dev One in eight bids is above its deposit, and cannot be revealed.
    function commit(uint256 agent, uint96 amount, uint96 deposit) external {
        uint256 round = auction.roundCount();
        agent = _from(agent, round, false);
        deposit = uint96(bound(deposit, 0, 250));
        amount = amount % 8 == 7 ? deposit + 1 : amount % (deposit + 1);
        bytes32 artifact = keccak256(abi.encode(round % 3, agent));
        bytes32 seal = auction.commitmentOf(round, agent, amount, artifact, SALT);
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
        try auction.reveal(agent, amount, keccak256(abi.encode(round % 3, agent)), SALT) {
            if (amount > auction.bidOf(round, agent).deposit) somethingForbidden = true;
        } catch {}
    }

    /// @dev The winner bid most of all who revealed, and pays no more than it bid, nor less than the second.
    function settle() external {
        uint256 supply = scrip.totalSupply();
        try auction.settle() {
            uint256 round = auction.roundCount();
            IVickreyAuction.Round memory state = auction.roundOf(round);
            (uint256 first, uint256 second) = _best(round, state.reserve);
            burnt += state.price;
            if (state.weight != 0) income += state.income;
            if (supply - scrip.totalSupply() != state.price) somethingForbidden = true;
            if (state.winner == 0) {
                if (first != 0 || state.price != 0) somethingForbidden = true;
                return;
            }
            if (second != 0) ++contested;
            if (bids[round][state.winner] != first) somethingForbidden = true;
            if (state.price != (second > state.reserve ? second : state.reserve)) somethingForbidden = true;
        } catch {}
    }

    /// @dev Who revealed and did not win has all of its deposit; who withheld has nothing of it.
    function withdraw(uint256 round, uint256 agent) external {
        if (auction.roundCount() == 0) return;
        round = 1 + (round % auction.roundCount());
        agent = 1 + (agent % AGENTS);
        uint256 before = scrip.balanceOf(owners[agent - 1]);
        IVickreyAuction.Bid memory bid = auction.bidOf(round, agent);
        IVickreyAuction.Round memory state = auction.roundOf(round);
        try auction.withdraw(round, agent) returns (uint256 amount) {
            uint256 cost = !bid.isRevealed ? bid.deposit : (agent == state.winner ? state.price : 0);
            if (!bid.isRevealed) (withheld, burnt) = (withheld + 1, burnt + bid.deposit);
            if (!state.isSettled || amount != bid.deposit - cost) somethingForbidden = true;
            if (scrip.balanceOf(owners[agent - 1]) - before != amount) somethingForbidden = true;
        } catch {}
    }

    function claimIncome(uint256 agent) external {
        agent = 1 + (agent % AGENTS);
        uint256 earned = auction.incomeOf(agent);
        vm.prank(owners[agent - 1]);
        try auction.claimIncome(agent, owners[agent - 1]) returns (uint256 amount) {
            claimed += amount;
            if (amount != earned || auction.incomeOf(agent) != 0) somethingForbidden = true;
        } catch {
            if (earned != 0) somethingForbidden = true;
        }
    }

    /// @dev A winner's artifact is scored once, and mints the points up to the bound.
    function score(uint256 round, uint256 points) external {
        if (auction.roundCount() == 0) return;
        round = 1 + (round % auction.roundCount());
        points = bound(points, 0, 2 * MAX_MINT);
        IVickreyAuction.Round memory state = auction.roundOf(round);
        bool wasMinted = scrip.isMinted(auction.bidOf(round, state.winner).artifactHash);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(scorerKey, auction.scoreDigest(round, points));
        try auction.score(round, points, abi.encodePacked(r, s, v)) returns (uint256 amount) {
            // Nothing may be minted for an artifact as often as the scorer likes.
            if (wasMinted && amount != 0) somethingForbidden = true;
            if (!state.isSettled || state.winner == 0) somethingForbidden = true;
            if (amount != (points > MAX_MINT ? MAX_MINT : points)) somethingForbidden = true;
            minted += amount;
        } catch {}
    }

    /// @dev Some minutes, or to the very second at which bids are revealed or counted.
    function pass(uint256 timeSeconds) external {
        uint256 round = auction.roundCount();
        IVickreyAuction.Round memory state = auction.roundOf(round);
        bool isCommitting = block.timestamp < state.commitEnd;
        // Mostly not before there is something to go on with; without that most rounds have one bid at best.
        bool toNext = state.committed > 1 && (isCommitting || state.price > state.reserve);
        if (!toNext) toNext = timeSeconds % 4 == 3;
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

contract AuctionInvariantTest is AuctionFixture, Walk {
    AuctionHandler private handler;
    uint256 private supply;

    function setUp() public override {
        super.setUp();
        supply = scrip.totalSupply();
        handler = new AuctionHandler(auction, scrip, owners, scorerKey);
        targetContract(address(handler));
    }

    /// @dev One campaign asks all of them after each call: a campaign of its own for each would walk the same ways.
    function invariant_allHold() public view {
        check_holdsExactlyWhatItOwes();
        check_scripIsKept();
        check_incomeIsWhatWasShared();
        check_nothingForbiddenHappened();
    }

    /// @notice The auction holds exactly what is locked and the deposits that were not taken out, less what was burnt
    ///         of them.
    function check_holdsExactlyWhatItOwes() public view {
        uint256 owed = auction.totalWeight();
        for (uint256 agent = 1; agent <= AGENTS; ++agent)
            for (uint256 round = 1; round <= auction.roundCount(); ++round) owed += _depositOf(round, agent);
        assertEq(scrip.balanceOf(address(auction)), owed, "held");
    }

    /// @notice Scrip is made for artifacts and as income, and burnt as prices and penalties.
    function check_scripIsKept() public view {
        assertEq(
            scrip.totalSupply() + handler.burnt(),
            supply + handler.minted() + handler.claimed(),
            "supply"
        );
    }

    /// @notice Members together never have more than the rounds' incomes.
    function check_incomeIsWhatWasShared() public view {
        uint256 sum = handler.claimed();
        for (uint256 agent = 1; agent <= AGENTS; ++agent) sum += auction.incomeOf(agent);
        assertLe(sum, handler.income(), "income");
    }

    function check_nothingForbiddenHappened() public view {
        assertFalse(handler.somethingForbidden(), "see the handler");
    }

    function test_aWalk_reachesEveryPath() public {
        bytes4[] memory selectors = new bytes4[](10);
        selectors[0] = handler.open.selector;
        selectors[1] = handler.commit.selector;
        selectors[2] = handler.reveal.selector;
        selectors[3] = handler.settle.selector;
        selectors[4] = handler.withdraw.selector;
        selectors[5] = handler.claimIncome.selector;
        selectors[6] = handler.score.selector;
        selectors[7] = handler.pass.selector;
        selectors[8] = handler.join.selector;
        selectors[9] = handler.quit.selector;
        _walk(address(handler), selectors, 1, 600);
        assertLe(1, handler.contested(), "rounds with a second bid");
        assertLe(1, handler.minted(), "scrip for a winner");
        assertLe(1, handler.withheld(), "deposits that were burnt");
        assertLe(1, handler.claimed(), "income");
        assertLe(1, handler.rejoined(), "members who came");
        invariant_allHold();
    }

    function _depositOf(uint256 round, uint256 agent) private view returns (uint256) {
        IVickreyAuction.Round memory state = auction.roundOf(round);
        IVickreyAuction.Bid memory bid = auction.bidOf(round, agent);
        if (bid.isWithdrawn || !state.isSettled) return bid.isWithdrawn ? 0 : bid.deposit;
        return bid.deposit - (agent == state.winner ? state.price : 0);
    }
}
