// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RLP} from "@openzeppelin/contracts/utils/RLP.sol";
import {Roles} from "../../../contracts/governance/Roles.sol";
import {IArbitrable} from "../../../contracts/interfaces/trust/IArbitrable.sol";
import {IArbitrator} from "../../../contracts/interfaces/trust/IArbitrator.sol";
import {IDisputes} from "../../../contracts/interfaces/trust/IDisputes.sol";
import {IParameterRegistry} from "../../../contracts/interfaces/governance/IParameterRegistry.sol";
import {Disputes} from "../../../contracts/trust/Disputes.sol";
import {StakingFixture} from "./StakingFixture.sol";

/// @notice Disputes among validators with a seat each, with this contract as the arbitrable and the admin.
abstract contract DisputesFixture is StakingFixture, IArbitrable {
    uint256 internal constant FEE = 0.01 ether;
    uint256 internal constant BOND = 1_000e18;
    uint256 internal constant SLASH = 100e18;
    uint256 internal constant COST = 3 * FEE;
    uint256 internal constant APPEAL_COST = 10 * FEE;
    uint256 internal constant CHOICES = 10_001;
    uint256 internal constant POOL = 11;
    /// @dev The pool's validators may leave again.
    uint256 internal constant OPENED = START + 7 days;
    address internal constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;
    /// @dev As EIP-2935 deploys it.
    bytes private constant HISTORY_CODE =
        hex"3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500";

    Disputes internal disputes;
    address internal fees;
    address[] internal pool;
    uint256 internal ruled = type(uint256).max;
    bool internal isDeaf;

    function setUp() public virtual override {
        super.setUp();
        vm.roll(1_000);
        vm.etch(HISTORY, HISTORY_CODE);
        registry.declare(IParameterRegistry.Declaration("disputeFeeWei", 0, 1 ether, FEE));
        registry.declare(IParameterRegistry.Declaration("disputeMinBond", 0, 1e30, BOND));
        registry.declare(IParameterRegistry.Declaration("disputeSlash", 0, 1e30, SLASH));
        fees = makeAddr("fees");
        disputes = new Disputes(address(manager), staking, registry, fees);
        manager.grantRole(Roles.SLASHER, address(disputes), 0);
        manager.grantRole(Roles.BONDER, address(disputes), 0);
        vm.deal(address(this), 100 ether);
        for (uint256 i = 0; i < POOL; ++i) pool.push(_panelist(vm.addr(1_000 + i), BOND, 1));
        vm.warp(OPENED);
    }

    function rule(uint256 disputeID, uint256 ruling) external virtual {
        if (isDeaf) revert("deaf");
        ruled = ruling;
        emit Ruling(IArbitrator(msg.sender), disputeID, ruling);
    }

    /// @dev A validator with own stake and seats in the pool.
    function _panelist(address account, uint256 stake, uint256 seats) internal returns (address) {
        avt.mint(account, stake);
        vm.startPrank(account);
        avt.approve(address(staking), stake);
        if (!staking.validatorOf(account).isRegistered) staking.registerValidator(0);
        staking.stake(account, stake);
        if (seats != 0) disputes.joinPool(seats);
        vm.stopPrank();
        return account;
    }

    function _create() internal returns (uint256) {
        return disputes.createDispute{value: disputes.arbitrationCost("")}(CHOICES, "");
    }

    /// @dev The header of a block with this randomness; what else it says does not matter here.
    function _headerOf(bytes32 randao) internal pure returns (bytes memory) {
        bytes[] memory fields = new bytes[](16);
        for (uint256 i = 0; i < 16; ++i) fields[i] = RLP.encode(uint256(i));
        fields[13] = RLP.encode(randao);
        return RLP.encode(fields);
    }

    /// @dev The block that seeds the next draw comes with this randomness.
    function _reachSeed(bytes32 randao) internal returns (bytes memory header) {
        (, uint256 seedBlock) = disputes.nextDraw();
        header = _headerOf(randao);
        if (block.number <= seedBlock) vm.roll(seedBlock + 1);
        if (block.number - seedBlock <= 256) vm.setBlockhash(seedBlock, keccak256(header));
        else vm.store(HISTORY, bytes32(seedBlock % 8_191), keccak256(header));
    }

    function _draw(bytes32 randao) internal {
        disputes.draw(_reachSeed(randao));
    }

    function _drawn() internal returns (uint256 id) {
        id = _create();
        _draw("random");
    }

    function _panel(uint256 id) internal view returns (address[] memory) {
        return disputes.panelOf(id, disputes.caseOf(id).round);
    }

    /// @dev The panel that the header draws as things stand; it is not drawn yet.
    function _foreseen(uint256 id, bytes memory header) internal returns (address[] memory panel) {
        uint256 known = vm.snapshotState();
        disputes.draw(header);
        panel = _panel(id);
        vm.revertToState(known);
    }

    function _commit(uint256 id, address panelist, uint256 ruling) internal {
        uint256 round = disputes.caseOf(id).round;
        bytes32 commitment = disputes.commitmentOf(id, round, panelist, ruling, "salt");
        vm.prank(panelist);
        disputes.commit(id, commitment);
    }

    function _reveal(uint256 id, address panelist, uint256 ruling) internal {
        vm.prank(panelist);
        disputes.reveal(id, ruling, "salt");
    }

    /// @dev All commit and reveal; the panel must be of different ones.
    function _vote(uint256 id, uint256[] memory votes) internal {
        address[] memory panel = _panel(id);
        for (uint256 i = 0; i < panel.length; ++i) _commit(id, panel[i], votes[i]);
        for (uint256 i = 0; i < panel.length; ++i) _reveal(id, panel[i], votes[i]);
    }

    function _votes(uint256 a, uint256 b, uint256 c) internal pure returns (uint256[] memory votes) {
        votes = new uint256[](3);
        (votes[0], votes[1], votes[2]) = (a, b, c);
    }

    function _tallied(uint256 a, uint256 b, uint256 c) internal returns (uint256 id) {
        id = _drawn();
        _vote(id, _votes(a, b, c));
        disputes.tally(id);
    }

    /// @dev All five of an appeal's panel vote so.
    function _appealed(uint256 id, uint256 ruling) internal {
        disputes.appeal{value: APPEAL_COST}(id, "");
        _draw("appeal");
        uint256[] memory votes = new uint256[](5);
        for (uint256 i = 0; i < 5; ++i) votes[i] = ruling;
        _vote(id, votes);
        disputes.tally(id);
    }

    function _leave(uint256 from, uint256 to) internal {
        for (uint256 i = from; i < to; ++i) {
            vm.prank(pool[i]);
            disputes.leavePool();
        }
    }

    function _freeSeats() internal view returns (uint256 free) {
        (free, , ) = disputes.poolSeats();
    }

    function _assertStage(uint256 id, IDisputes.Stage wanted) internal view {
        assertEq(uint256(disputes.caseOf(id).stage), uint256(wanted), "stage");
    }

    function _freeOf(address account) internal view returns (uint256 free) {
        (free, , ) = disputes.seatsOf(account);
    }
}
