// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {ParameterRegistry} from "../../../contracts/governance/ParameterRegistry.sol";
import {Roles} from "../../../contracts/governance/Roles.sol";
import {IParameterRegistry} from "../../../contracts/interfaces/governance/IParameterRegistry.sol";
import {Scrip} from "../../../contracts/market/Scrip.sol";
import {VickreyAuction} from "../../../contracts/market/VickreyAuction.sol";
import {IdentityRegistry} from "../../../contracts/trust/IdentityRegistry.sol";
import {Test} from "./Test.sol";

/// @notice A house with five member agents that have locked 100 scrip each and hold 1,000 more.
abstract contract AuctionFixture is Test {
    uint256 internal constant START = 1_700_000_000;
    uint32 internal constant COMMIT = 1 hours;
    uint32 internal constant REVEAL = 30 minutes;
    uint256 internal constant AGENTS = 5;
    uint64 internal constant WEIGHT = 100;
    uint256 internal constant INCOME = 55;
    bytes32 internal constant SALT = "salt";

    Scrip internal scrip;
    IdentityRegistry internal agents;
    ParameterRegistry internal registry;
    AccessManager internal manager;
    VickreyAuction internal auction;
    address internal scorer;
    uint256 internal scorerKey;
    address internal stranger;
    /// @dev The owner of agent i + 1.
    address[AGENTS] internal owners;

    function setUp() public virtual {
        vm.warp(START);
        stranger = makeAddr("stranger");
        (scorer, scorerKey) = makeAddrAndKey("scorer");
        manager = new AccessManager(address(this));
        IParameterRegistry.Declaration[] memory declarations = new IParameterRegistry.Declaration[](4);
        declarations[0] = IParameterRegistry.Declaration("auctionReserve", 0, 1e6, 10);
        declarations[1] = IParameterRegistry.Declaration("auctionIncome", 0, 1e6, INCOME);
        declarations[2] = IParameterRegistry.Declaration("auctionPenaltyBps", 0, 10_000, 10_000);
        declarations[3] = IParameterRegistry.Declaration("auctionMaxMint", 0, 1e6, 80);
        registry = new ParameterRegistry(address(manager), declarations);
        scrip = new Scrip(address(manager));
        bytes4[] memory selectors = new bytes4[](2);
        (selectors[0], selectors[1]) = (Scrip.mint.selector, Scrip.mintFor.selector);
        manager.setTargetFunctionRole(address(scrip), selectors, Roles.SCRIP_MINTER);
        manager.grantRole(Roles.SCRIP_MINTER, address(this), 0);
        agents = new IdentityRegistry();
        for (uint256 i = 0; i < AGENTS; ++i) {
            owners[i] = vm.addr(uint256(keccak256(abi.encode("owner", i))));
            vm.prank(owners[i]);
            agents.register();
        }
        auction = _house();
        for (uint256 i = 0; i < AGENTS; ++i) _join(i + 1, WEIGHT);
    }

    function _house() internal returns (VickreyAuction house) {
        house = new VickreyAuction(
            address(manager),
            VickreyAuction.House({
                scrip: scrip,
                agents: agents,
                parameters: registry,
                scorer: scorer,
                commitSeconds: COMMIT,
                revealSeconds: REVEAL
            })
        );
        manager.grantRole(Roles.SCRIP_MINTER, address(house), 0);
    }

    /// @dev Locks scrip of an agent's owner, which is left with 1,000 at least.
    function _join(uint256 agent, uint64 weight) internal {
        address owner = owners[agent - 1];
        (uint256 has, uint256 needs) = (scrip.balanceOf(owner), uint256(weight) + 1_000);
        if (has < needs) scrip.mint(owner, needs - has);
        vm.startPrank(owner);
        scrip.approve(address(auction), type(uint256).max);
        auction.join(agent, weight);
        vm.stopPrank();
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
        for (uint256 i = 0; i < 5; ++i) if (bids[i] != 0) _commit(i + 1, bids[i], bids[i]);
        skip(COMMIT);
        for (uint256 i = 0; i < 5; ++i) if (bids[i] != 0) _reveal(i + 1, bids[i]);
        skip(REVEAL);
        auction.settle();
    }

    function _score(uint256 round, uint256 points) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(scorerKey, auction.scoreDigest(round, points));
        return abi.encodePacked(r, s, v);
    }
}
