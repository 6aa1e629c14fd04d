// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {ParameterRegistry} from "../../../contracts/governance/ParameterRegistry.sol";
import {Roles} from "../../../contracts/governance/Roles.sol";
import {IParameterRegistry} from "../../../contracts/interfaces/governance/IParameterRegistry.sol";
import {IVickreyAuction} from "../../../contracts/interfaces/market/IVickreyAuction.sol";
import {Scrip} from "../../../contracts/market/Scrip.sol";
import {VickreyAuction} from "../../../contracts/market/VickreyAuction.sol";
import {IdentityRegistry} from "../../../contracts/trust/IdentityRegistry.sol";
import {ContractWallet} from "../support/ContractWallet.sol";
import {Test} from "../support/Test.sol";

/// @notice A house with five member agents that hold 1,000 scrip each.
abstract contract AuctionFixture is Test {
    uint256 internal constant START = 1_700_000_000;
    uint32 internal constant COMMIT = 1 hours;
    uint32 internal constant REVEAL = 30 minutes;
    uint256 internal constant AGENTS = 5;
    bytes32 internal constant SALT = "salt";

    Scrip internal scrip;
    IdentityRegistry internal agents;
    ParameterRegistry internal registry;
    AccessManager internal manager;
    VickreyAuction internal auction;
    address internal treasury;
    address internal scorer;
    uint256 internal scorerKey;
    address internal stranger;
    /// @dev The owner of agent i + 1.
    address[AGENTS] internal owners;

    function setUp() public virtual {
        vm.warp(START);
        treasury = makeAddr("treasury");
        stranger = makeAddr("stranger");
        (scorer, scorerKey) = makeAddrAndKey("scorer");
        manager = new AccessManager(address(this));
        IParameterRegistry.Declaration[] memory declarations = new IParameterRegistry.Declaration[](3);
        declarations[0] = IParameterRegistry.Declaration("auctionReserve", 0, 1e6, 10);
        declarations[1] = IParameterRegistry.Declaration("auctionPenalty", 0, 1e6, 5);
        declarations[2] = IParameterRegistry.Declaration("auctionMaxMint", 0, 1e6, 80);
        registry = new ParameterRegistry(address(manager), declarations);
        scrip = new Scrip(address(manager));
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = Scrip.mint.selector;
        manager.setTargetFunctionRole(address(scrip), selectors, Roles.SCRIP_MINTER);
        manager.grantRole(Roles.SCRIP_MINTER, address(this), 0);
        agents = new IdentityRegistry();
        for (uint256 i = 0; i < AGENTS; ++i) {
            owners[i] = vm.addr(uint256(keccak256(abi.encode("owner", i))));
            vm.prank(owners[i]);
            agents.register();
            scrip.mint(owners[i], 1_000);
        }
        auction = _house(IVickreyAuction.Rule.Equal);
    }

    function _house(IVickreyAuction.Rule rule) internal returns (VickreyAuction house) {
        house = new VickreyAuction(
            address(manager),
            VickreyAuction.House({
                scrip: scrip,
                agents: agents,
                parameters: registry,
                treasury: treasury,
                scorer: scorer,
                rule: rule,
                commitSeconds: COMMIT,
                revealSeconds: REVEAL
            })
        );
        manager.grantRole(Roles.SCRIP_MINTER, address(house), 0);
        for (uint256 i = 0; i < AGENTS; ++i) {
            vm.startPrank(owners[i]);
            house.join(i + 1);
            scrip.approve(address(house), type(uint256).max);
            vm.stopPrank();
        }
    }

    function _commit(uint256 agent, uint96 amount, uint96 deposit) internal {
        bytes32 seal = auction.commitmentOf(auction.roundCount(), agent, amount, "artifact", SALT);
        vm.prank(owners[agent - 1]);
        auction.commit(agent, seal, deposit);
    }

    function _reveal(uint256 agent, uint96 amount) internal {
        auction.reveal(agent, amount, "artifact", SALT);
    }

    /// @dev A whole round of bids, agent by agent; 0 is no bid.
    function _round(uint96[5] memory bids) internal returns (uint256 round) {
        round = auction.open();
        for (uint256 i = 0; i < 5; ++i) if (bids[i] != 0) _commit(i + 1, bids[i], bids[i] < 5 ? 5 : bids[i]);
        skip(COMMIT);
        for (uint256 i = 0; i < 5; ++i) if (bids[i] != 0) _reveal(i + 1, bids[i]);
        skip(REVEAL);
        auction.settle();
    }
}

/// @notice What each function of the auction does, refuses and says.
contract VickreyAuctionTest is AuctionFixture {
    function test_constructor() public {
        vm.expectEmit(true, true, true, true);
        emit IVickreyAuction.ScorerSet(scorer);
        VickreyAuction house = new VickreyAuction(
            address(manager),
            VickreyAuction.House(
                scrip,
                agents,
                registry,
                treasury,
                scorer,
                IVickreyAuction.Rule.Truthful,
                COMMIT,
                REVEAL
            )
        );
        assertEq(address(house.scrip()), address(scrip), "scrip");
        assertEq(address(house.agents()), address(agents), "agents");
        assertEq(address(house.parameters()), address(registry), "parameters");
        assertEq(house.treasury(), treasury, "treasury");
        assertEq(uint256(house.rule()), 1, "rule");
        assertEq(house.commitSeconds(), COMMIT, "commit");
        assertEq(house.revealSeconds(), REVEAL, "reveal");
        assertEq(scrip.decimals(), 0, "scrip is whole");
    }

    function test_join_onceByTheAgentsOwn() public {
        vm.prank(stranger);
        uint256 agent = agents.register();
        vm.expectRevert(
            abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NotAuthorized.selector, owners[0], agent)
        );
        vm.prank(owners[0]);
        auction.join(agent);
        vm.expectEmit(true, true, true, true);
        emit IVickreyAuction.Joined(agent, 1);
        vm.prank(stranger);
        auction.join(agent);
        assertEq(auction.memberCount(), 6, "members");
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_Member.selector, agent));
        vm.prank(stranger);
        auction.join(agent);
    }

    function test_open_oneAfterAnother() public {
        vm.expectEmit(true, true, true, true);
        emit IVickreyAuction.RoundOpened(1, START + COMMIT, START + COMMIT + REVEAL, 5, 10, 5);
        assertEq(auction.open(), 1, "round");
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_RoundOpen.selector, 1));
        auction.open();
        skip(COMMIT + REVEAL);
        auction.settle();
        assertEq(auction.open(), 2, "the next");
        assertEq(auction.roundCount(), 2, "count");
    }

    function test_joiningAnOpenRound_countsFromTheNext() public {
        auction.open();
        vm.prank(stranger);
        uint256 agent = agents.register();
        vm.startPrank(stranger);
        auction.join(agent);
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NotMember.selector, agent, 1));
        auction.commit(agent, "c", 10);
        vm.stopPrank();
        assertEq(auction.roundOf(1).members, 5, "counted at opening");
        skip(COMMIT + REVEAL);
        auction.settle();
        _round([uint96(20), 30, 0, 0, 0]);
        assertEq(auction.roundOf(2).members, 6, "in the next");
        assertEq(auction.incomeOf(agent), 3, "a sixth of 20");
    }

    function test_commit_takesTheDeposit() public {
        auction.open();
        vm.expectEmit(true, true, true, true);
        emit IVickreyAuction.Committed(1, 1, owners[0], "seal", 50);
        vm.prank(owners[0]);
        auction.commit(1, "seal", 50);
        assertEq(scrip.balanceOf(address(auction)), 50, "deposit");
        IVickreyAuction.Bid memory bid = auction.bidOf(1, 1);
        assertEq(bid.commitment, "seal", "seal");
        assertEq(bid.bidder, owners[0], "bidder");
        assertEq(bid.deposit, 50, "deposit");
        assertEq(bid.order, 1, "order");
        assertEq(auction.roundOf(1).committed, 1, "count");
    }

    function test_commit_refusals() public {
        vm.expectRevert(
            abi.encodeWithSelector(IVickreyAuction.VickreyAuction_WrongTime.selector, START, 0, 0)
        );
        vm.prank(owners[0]);
        auction.commit(1, "seal", 50);
        auction.open();
        vm.expectRevert(
            abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NotAuthorized.selector, stranger, 1)
        );
        vm.prank(stranger);
        auction.commit(1, "seal", 50);
        vm.startPrank(owners[0]);
        vm.expectRevert(IVickreyAuction.VickreyAuction_EmptyCommitment.selector);
        auction.commit(1, 0, 50);
        vm.expectRevert(
            abi.encodeWithSelector(IVickreyAuction.VickreyAuction_BadDeposit.selector, 4, 5, type(uint96).max)
        );
        auction.commit(1, "seal", 4);
        auction.commit(1, "seal", 5);
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_Committed.selector, 1));
        auction.commit(1, "seal", 5);
        vm.stopPrank();
        vm.warp(START + COMMIT);
        vm.expectRevert(
            abi.encodeWithSelector(
                IVickreyAuction.VickreyAuction_WrongTime.selector,
                START + COMMIT,
                0,
                START + COMMIT
            )
        );
        vm.prank(owners[1]);
        auction.commit(2, "seal", 5);
    }

    function test_commit_needsSomething_evenWithoutAPenalty() public {
        registry.set("auctionPenalty", 0);
        auction.open();
        vm.expectRevert(
            abi.encodeWithSelector(IVickreyAuction.VickreyAuction_BadDeposit.selector, 0, 1, type(uint96).max)
        );
        vm.prank(owners[0]);
        auction.commit(1, "seal", 0);
    }

    function test_reveal_refusals() public {
        auction.open();
        _commit(1, 50, 50);
        _commit(2, 60, 50);
        vm.expectPartialRevert(IVickreyAuction.VickreyAuction_WrongTime.selector);
        _reveal(1, 50);
        skip(COMMIT);
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_WrongReveal.selector, 1));
        _reveal(1, 49);
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NothingToReveal.selector, 3));
        _reveal(3, 50);
        vm.expectRevert(
            abi.encodeWithSelector(IVickreyAuction.VickreyAuction_BidAboveDeposit.selector, 60, 50)
        );
        _reveal(2, 60);
        vm.expectEmit(true, true, true, true);
        emit IVickreyAuction.Revealed(1, 1, 50, "artifact");
        _reveal(1, 50);
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NothingToReveal.selector, 1));
        _reveal(1, 50);
        vm.warp(START + COMMIT + REVEAL);
        vm.expectPartialRevert(IVickreyAuction.VickreyAuction_WrongTime.selector);
        _reveal(2, 60);
    }

    function test_settle_theHighestPaysTheSecond_andAllShareIt() public {
        uint256 round = _round([uint96(40), 70, 55, 0, 0]);
        IVickreyAuction.Round memory state = auction.roundOf(round);
        assertEq(state.winner, 2, "winner");
        assertEq(state.price, 55, "price");
        assertTrue(state.isSettled, "settled");
        for (uint256 i = 1; i <= 5; ++i) assertEq(auction.incomeOf(i), 11, "a fifth of 55");
        vm.expectEmit(true, true, true, true);
        emit IVickreyAuction.DepositWithdrawn(round, 2, 15);
        assertEq(auction.withdraw(round, 2), 15, "70 less 55");
        assertEq(auction.withdraw(round, 1), 40, "in full");
        assertEq(scrip.balanceOf(owners[0]), 1_000, "as before");
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NothingToWithdraw.selector, 1));
        auction.withdraw(round, 1);
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NothingToWithdraw.selector, 4));
        auction.withdraw(round, 4);
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NotSettled.selector, 9));
        auction.withdraw(9, 1);
    }

    function test_settle_times() public {
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NotSettled.selector, 0));
        auction.settle();
        auction.open();
        vm.warp(START + COMMIT + REVEAL - 1);
        vm.expectPartialRevert(IVickreyAuction.VickreyAuction_WrongTime.selector);
        auction.settle();
        vm.warp(START + COMMIT + REVEAL);
        auction.settle();
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NotSettled.selector, 1));
        auction.settle();
    }

    function test_settle_aSingleBidder_paysTheReserve() public {
        uint256 round = _round([uint96(0), 70, 0, 0, 0]);
        assertEq(auction.roundOf(round).price, 10, "reserve");
        round = _round([uint96(9), 0, 0, 0, 0]);
        assertEq(auction.roundOf(round).winner, 0, "below the reserve wins nothing");
        assertEq(auction.withdraw(round, 1), 9, "and costs nothing");
        round = _round([uint96(0), 0, 10, 0, 0]);
        assertEq(auction.roundOf(round).winner, 3, "the reserve itself wins");
    }

    function test_settle_ties_areTheEarliest() public {
        uint256 round = auction.open();
        _commit(4, 50, 50);
        _commit(2, 50, 50);
        skip(COMMIT);
        _reveal(2, 50);
        _reveal(4, 50);
        skip(REVEAL);
        auction.settle();
        assertEq(auction.roundOf(round).winner, 4, "committed first");
        assertEq(auction.roundOf(round).price, 50, "price");
    }

    function test_unrevealed_losesThePenalty_toAll() public {
        uint256 round = auction.open();
        _commit(1, 50, 60);
        _commit(2, 20, 20);
        skip(COMMIT);
        _reveal(2, 20);
        skip(REVEAL);
        vm.expectEmit(true, true, true, true);
        emit IVickreyAuction.RoundSettled(round, 2, 10, 3, 3, 0, 0);
        auction.settle();
        assertEq(auction.withdraw(round, 1), 55, "less the penalty of 5");
        assertEq(auction.incomeOf(5), 3, "a fifth of 10 and 5");
    }

    function test_nobodyBids_nothingHappens() public {
        uint256 round = _round([uint96(0), 0, 0, 0, 0]);
        assertEq(auction.roundOf(round).winner, 0, "no winner");
        assertEq(auction.incomeOf(1), 0, "no income");
        _round([uint96(20), 30, 0, 0, 0]);
        assertEq(auction.incomeOf(1), 4, "on it goes");
    }

    function test_dust_isCarried() public {
        _round([uint96(13), 30, 0, 0, 0]);
        assertEq(auction.incomeOf(1), 2, "13 / 5");
        assertEq(auction.carried(), 3, "the rest");
        _round([uint96(12), 30, 0, 0, 0]);
        assertEq(auction.incomeOf(1), 5, "15 / 5 more");
        assertEq(auction.carried(), 0, "nothing lost");
    }

    function test_claimIncome() public {
        _round([uint96(40), 70, 55, 0, 0]);
        vm.expectRevert(
            abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NotAuthorized.selector, stranger, 4)
        );
        vm.prank(stranger);
        auction.claimIncome(4, stranger);
        vm.expectEmit(true, true, true, true);
        emit IVickreyAuction.IncomeClaimed(4, treasury, 11);
        vm.prank(owners[3]);
        assertEq(auction.claimIncome(4, treasury), 11, "amount");
        assertEq(scrip.balanceOf(treasury), 11, "paid");
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NothingToClaim.selector, 4));
        vm.prank(owners[3]);
        auction.claimIncome(4, treasury);
        _round([uint96(40), 70, 50, 0, 0]);
        assertEq(auction.incomeOf(4), 10, "the next round's");
        assertEq(auction.incomeOf(5), 21, "both rounds'");
        auction.open();
        assertEq(auction.incomeOf(5), 21, "an open round changes nothing");
        vm.prank(owners[4]);
        assertEq(auction.claimIncome(5, treasury), 21, "claimed while it is open");
        skip(COMMIT + REVEAL);
        auction.settle();
        assertEq(auction.incomeOf(5), 0, "and not again when it is settled");
    }

    function test_truthful_sharesTheSecondOfTheOthers() public {
        auction = _house(IVickreyAuction.Rule.Truthful);
        vm.warp(block.timestamp + 1);
        uint256 round = auction.open();
        uint96[5] memory bids = [uint96(40), 70, 55, 30, 0];
        for (uint256 i = 0; i < 4; ++i) _commit(i + 1, bids[i], bids[i]);
        skip(COMMIT);
        for (uint256 i = 0; i < 4; ++i) _reveal(i + 1, bids[i]);
        skip(REVEAL);
        vm.expectEmit(true, true, true, true);
        emit IVickreyAuction.RoundSettled(round, 2, 55, 11, 8, 6, 0);
        auction.settle();
        assertEq(auction.incomeOf(1), 11, "55 / 5");
        assertEq(auction.incomeOf(5), 11, "55 / 5, without a bid");
        assertEq(auction.incomeOf(2), 8, "the winner: 40 / 5");
        assertEq(auction.incomeOf(3), 8, "the second: 40 / 5");
        assertEq(scrip.balanceOf(treasury), 6, "the rest");
        (uint256[3] memory ids, uint256[3] memory amounts) = auction.topOf(round);
        assertEq(ids[2], 1, "third");
        assertEq(amounts[2], 40, "third's bid");
    }

    function test_truthful_ofOneBidder_givesTheReserveToTheTreasury() public {
        auction = _house(IVickreyAuction.Rule.Truthful);
        vm.warp(block.timestamp + 1);
        _round([uint96(0), 0, 70, 0, 0]);
        for (uint256 agent = 1; agent <= AGENTS; ++agent)
            assertEq(auction.incomeOf(agent), 0, "there is no second bid to share");
        assertEq(scrip.balanceOf(treasury), 10, "the reserve");
    }

    // The artifact's score

    function _score(uint256 round, uint256 points) private view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(scorerKey, auction.scoreDigest(round, points));
        return abi.encodePacked(r, s, v);
    }

    function test_score_mintsForTheWinner_once() public {
        uint256 round = _round([uint96(40), 70, 55, 0, 0]);
        bytes memory signature = _score(round, 33);
        vm.expectRevert(abi.encodeWithSelector(IVickreyAuction.VickreyAuction_BadScore.selector, scorer));
        auction.score(round, 34, signature);
        vm.expectEmit(true, true, true, true);
        emit IVickreyAuction.Scored(round, 2, 33, 33);
        assertEq(auction.score(round, 33, signature), 33, "minted");
        assertEq(scrip.balanceOf(owners[1]), 963, "1,000 less the deposit and 33");
        vm.expectRevert(
            abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NothingToScore.selector, round)
        );
        auction.score(round, 33, signature);
    }

    function test_score_ofAScorerWithCode_isItsKeysOrItsCodes() public {
        uint256 round = _round([uint96(40), 70, 55, 0, 0]);
        bytes memory signature = _score(round, 33);
        // EIP-7702: this code takes nobody's word but another key's.
        (address other, uint256 otherKey) = makeAddrAndKey("other");
        vm.etch(scorer, abi.encodePacked(hex"ef0100", address(new ContractWallet(other))));
        assertEq(auction.score(round, 33, signature), 33, "by its key");
        round = _round([uint96(40), 70, 55, 0, 0]);
        scorerKey = otherKey;
        assertEq(auction.score(round, 20, _score(round, 20)), 20, "by its code");
    }

    function test_score_isBounded() public {
        uint256 round = _round([uint96(40), 70, 55, 0, 0]);
        assertEq(auction.score(round, 81, _score(round, 81)), 80, "bounded");
        round = _round([uint96(40), 70, 55, 0, 0]);
        assertEq(auction.score(round, 0, _score(round, 0)), 0, "worthless");
        round = _round([uint96(0), 0, 0, 0, 0]);
        bytes memory signature = _score(round, 1);
        vm.expectRevert(
            abi.encodeWithSelector(IVickreyAuction.VickreyAuction_NothingToScore.selector, round)
        );
        auction.score(round, 1, signature);
    }

    function test_setScorer_byTheAdmin() public {
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        vm.prank(stranger);
        auction.setScorer(stranger);
        auction.setScorer(stranger);
        assertEq(auction.scorer(), stranger, "scorer");
    }

    function test_scrip_isMintedByTheRoleOnly() public {
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        vm.prank(stranger);
        scrip.mint(stranger, 1);
    }
}

/// @notice For every set of bids: who wins, what it pays, and that nothing is made or lost.
contract VickreyAuctionFuzzTest is AuctionFixture {
    function testFuzz_priceIsTheSecondHighest(uint96[5] memory bids, bool truthful) public {
        if (truthful) auction = _house(IVickreyAuction.Rule.Truthful);
        (uint256 best, uint256 second, uint256 winner) = (0, 0, 0);
        uint256 deposits;
        for (uint256 i = 0; i < 5; ++i) {
            bids[i] = uint96(bound(bids[i], 0, 200));
            deposits += bids[i] == 0 ? 0 : (bids[i] < 5 ? 5 : bids[i]);
            if (bids[i] < 10) continue;
            if (bids[i] > best) (best, second, winner) = (bids[i], best, i + 1);
            else if (bids[i] > second) second = bids[i];
        }
        uint256 round = _round(bids);
        IVickreyAuction.Round memory state = auction.roundOf(round);
        assertEq(state.winner, winner, "winner");
        assertEq(state.price, winner == 0 ? 0 : (second < 10 ? 10 : second), "price");
        uint256 refunds;
        uint256 income;
        for (uint256 i = 1; i <= 5; ++i) {
            if (bids[i - 1] != 0) refunds += auction.withdraw(round, i);
            income += auction.incomeOf(i);
        }
        assertEq(refunds + state.price, deposits, "refunds and price are the deposits");
        assertEq(
            income + auction.carried() + scrip.balanceOf(treasury),
            state.price,
            "shares and rest are the price"
        );
        assertEq(scrip.balanceOf(address(auction)), income + auction.carried(), "held and owed");
        assertEq(scrip.totalSupply(), 5_000, "minted and burned");
    }

    /// @dev Utilities of all bids 0 to 4 of three agents of any values: value, price and share, times n.
    function test_exhaustive_truthfulIsTruthful_andEqualIsNot() public pure {
        uint256 gainsByTruthful;
        uint256 gainsByEqual;
        for (uint256 profile = 0; profile < 125; ++profile) {
            int256[3] memory values = [int256(profile % 5), int256((profile / 5) % 5), int256(profile / 25)];
            for (uint256 who = 0; who < 3; ++who) {
                for (int256 lie = 0; lie < 5; ++lie) {
                    int256[3] memory bids = [values[0], values[1], values[2]];
                    bids[who] = lie;
                    if (_utility(bids, values[who], who, true) > _utility(values, values[who], who, true))
                        ++gainsByTruthful;
                    if (_utility(bids, values[who], who, false) > _utility(values, values[who], who, false))
                        ++gainsByEqual;
                }
            }
        }
        assertEq(gainsByTruthful, 0, "no lie pays");
        assertTrue(gainsByEqual > 0, "some lies pay under the seed's rule");
    }

    function _utility(
        int256[3] memory bids,
        int256 value,
        uint256 who,
        bool isTruthful
    ) private pure returns (int256 utility) {
        uint256[3] memory order = [uint256(0), 1, 2];
        for (uint256 i = 0; i < 2; ++i)
            for (uint256 j = 0; j < 2 - i; ++j)
                if (bids[order[j]] < bids[order[j + 1]]) (order[j], order[j + 1]) = (order[j + 1], order[j]);
        (int256 second, int256 third) = (bids[order[1]], bids[order[2]]);
        if (order[0] == who) utility = 3 * (value - second);
        bool isTop = order[0] == who || order[1] == who;
        utility += isTruthful && isTop ? third : second;
    }
}
