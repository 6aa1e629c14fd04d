// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Roles} from "../../../contracts/governance/Roles.sol";
import {IArbitrable} from "../../../contracts/interfaces/trust/IArbitrable.sol";
import {IArbitrator} from "../../../contracts/interfaces/trust/IArbitrator.sol";
import {IDisputes} from "../../../contracts/interfaces/trust/IDisputes.sol";
import {IParameterRegistry} from "../../../contracts/interfaces/governance/IParameterRegistry.sol";
import {Disputes} from "../../../contracts/trust/Disputes.sol";
import {StakingFixture} from "../support/StakingFixture.sol";
import {Test} from "../support/Test.sol";
import {Walk} from "../support/Walk.sol";

/// @notice Whose cases they are. By itself, because the engine calls the handler in anybody's name, the court's included.
contract Party is IArbitrable {
    Disputes private immutable disputes;
    uint256 private immutable choices;
    mapping(uint256 disputeID => bool) private isRuled;
    bool public somethingForbidden;

    constructor(Disputes disputes_, uint256 choices_) {
        (disputes, choices) = (disputes_, choices_);
    }

    function create() external payable {
        disputes.createDispute{value: msg.value}(choices, "");
    }

    /// @inheritdoc IArbitrable
    function rule(uint256 disputeID, uint256 ruling) external {
        if (isRuled[disputeID] || ruling > choices) somethingForbidden = true;
        isRuled[disputeID] = true;
        emit Ruling(IArbitrator(msg.sender), disputeID, ruling);
    }
}

/// @notice Disputes are opened, voted on, appealed and carried out at random; panelists come, go and forget to vote.
contract DisputesHandler is Test {
    uint256 public constant POOL = 7;
    uint256 public constant CHOICES = 10;
    uint256 private constant OPEN_CASES = 3;

    Disputes private disputes;
    Party private party;
    address[POOL] private panelists;
    address private fees;
    address private governance;
    uint256 public paidIn;
    uint256 public paidOut;
    uint256 public appeals;
    uint256 public governed;
    bool private somethingForbidden;

    constructor(Disputes disputes_, address[POOL] memory panelists_, address fees_, address governance_) {
        (disputes, panelists, fees, governance) = (disputes_, panelists_, fees_, governance_);
        party = new Party(disputes_, CHOICES);
    }

    /// @dev A few cases at a time, so that calls meet in one.
    function create() external {
        if (_pending().length == OPEN_CASES) return;
        uint256 cost = disputes.arbitrationCost("");
        vm.deal(address(this), cost);
        party.create{value: cost}();
        paidIn += cost;
    }

    function vote(uint256 id, uint256 seat, uint256 ruling) external {
        id = _in(IDisputes.Stage.Voting, id);
        address[] memory panel = disputes.panelOf(id, disputes.caseOf(id).round);
        // From that seat on the first that may still vote.
        for (uint256 i = 0; i < panel.length; ++i) {
            vm.prank(panel[((seat % panel.length) + i) % panel.length]);
            try disputes.vote(id, ruling % (CHOICES + 2)) {
                if (ruling % (CHOICES + 2) > CHOICES) somethingForbidden = true;
                return;
            } catch {}
        }
    }

    function tally(uint256 id) external {
        try disputes.tally(_in(IDisputes.Stage.Voting, id)) {} catch {}
    }

    function appeal(uint256 id) external {
        id = _in(IDisputes.Stage.Appealable, id);
        uint256 cost = disputes.appealCost(id, "");
        vm.deal(address(this), cost);
        try disputes.appeal{value: cost}(id, "") {
            paidIn += cost;
            ++appeals;
        } catch {}
    }

    function execute(uint256 id) external {
        try disputes.execute(_any(id)) {} catch {}
    }

    function govern(uint256 id, uint256 ruling) external {
        // Looked up first: a prank is for the next call, whichever that is.
        id = _in(IDisputes.Stage.Governance, id);
        ruling %= CHOICES + 2;
        vm.prank(governance);
        try disputes.ruleByGovernance(id, ruling) {
            if (ruling > CHOICES) somethingForbidden = true;
            ++governed;
        } catch {}
    }

    function join(uint256 who) external {
        vm.prank(panelists[who % POOL]);
        try disputes.joinPool() {} catch {}
    }

    function leave(uint256 who) external {
        vm.prank(panelists[who % POOL]);
        try disputes.leavePool() {} catch {}
    }

    function withdrawFees(uint256 who) external {
        address account = who % (POOL + 1) == POOL ? fees : panelists[who % (POOL + 1)];
        uint256 owed = disputes.feesOf(account);
        vm.prank(account);
        try disputes.withdrawFees(payable(address(0xfee))) {
            paidOut += owed;
        } catch {
            if (owed != 0) somethingForbidden = true;
        }
    }

    function pass(uint256 timeSeconds) external {
        // Now and then as long as governance may take.
        skip(timeSeconds % 8 == 7 ? 30 days : bound(timeSeconds, 12 hours, 1 days));
    }

    function isForbidden() external view returns (bool) {
        return somethingForbidden || party.somethingForbidden();
    }

    function feesOwed() external view returns (uint256 owed) {
        for (uint256 i = 0; i < POOL; ++i) owed += disputes.feesOf(panelists[i]);
        owed += disputes.feesOf(fees);
    }

    /// @dev What panels hold that have not been tallied.
    function feesHeld() external view returns (uint256 held) {
        for (uint256 id = 1; id <= disputes.disputeCount(); ++id) {
            IDisputes.Case memory state = disputes.caseOf(id);
            if (state.stage != IDisputes.Stage.Voting) continue;
            held += state.round == 0 ? disputes.arbitrationCost("") : disputes.appealCost(id, "");
        }
    }

    function executed() external view returns (uint256) {
        return disputes.disputeCount() - _pending().length;
    }

    /// @dev Mostly one that is at this stage, else any that is not over, and now and then one that is.
    function _in(IDisputes.Stage stage, uint256 id) private view returns (uint256) {
        uint256[] memory pending = _pending();
        if (id % 4 == 3) return _any(id);
        for (uint256 i = 0; i < pending.length; ++i) {
            uint256 found = pending[((id % pending.length) + i) % pending.length];
            if (disputes.caseOf(found).stage == stage) return found;
        }
        return _any(id);
    }

    function _any(uint256 id) private view returns (uint256) {
        uint256 count = disputes.disputeCount();
        uint256[] memory pending = _pending();
        if (pending.length != 0 && id % 4 != 3) return pending[(id / 4) % pending.length];
        return count == 0 ? 0 : 1 + (id % count);
    }

    /// @dev The cases that have not been carried out.
    function _pending() private view returns (uint256[] memory pending) {
        uint256 count = disputes.disputeCount();
        pending = new uint256[](count);
        uint256 length;
        for (uint256 id = 1; id <= count; ++id) {
            if (!disputes.caseOf(id).isExecuted) pending[length++] = id;
        }
        assembly ("memory-safe") {
            mstore(pending, length)
        }
    }
}

contract DisputesInvariantTest is StakingFixture, Walk {
    uint256 private constant BOND = 1_000e18;

    Disputes private disputes;
    DisputesHandler private handler;
    address[7] private panelists;

    function setUp() public override {
        super.setUp();
        registry.declare(IParameterRegistry.Declaration("disputeFeeWei", 0, 1 ether, 0.01 ether));
        registry.declare(IParameterRegistry.Declaration("disputeMinBond", 0, 1e30, 1e18));
        registry.declare(IParameterRegistry.Declaration("disputeSlash", 0, 1e30, 100e18));
        address fees = makeAddr("fees");
        disputes = new Disputes(address(manager), staking, registry, fees);
        manager.grantRole(Roles.SLASHER, address(disputes), 0);
        for (uint256 i = 0; i < 7; ++i) {
            panelists[i] = vm.addr(uint256(keccak256(abi.encode("panelist", i))));
            avt.mint(panelists[i], BOND);
            vm.startPrank(panelists[i]);
            avt.approve(address(staking), BOND);
            staking.registerValidator(0);
            staking.stake(panelists[i], BOND);
            disputes.joinPool();
            vm.stopPrank();
        }
        handler = new DisputesHandler(disputes, panelists, fees, address(this));
        targetContract(address(handler));
    }

    /// @dev One campaign asks all of them after each call: a campaign of its own for each would walk the same ways.
    function invariant_allHold() public view {
        check_feesAreKept();
        check_panelsAreWhole();
        check_rulingsAreChoices();
        check_nothingForbiddenHappened();
    }

    /// @notice Every fee that was paid is held by a voting panel, owed to somebody, or paid out.
    function check_feesAreKept() public view {
        uint256 owed = handler.feesOwed() + handler.feesHeld();
        assertEq(handler.paidIn(), owed + handler.paidOut(), "fees");
        assertEq(address(disputes).balance, owed, "held");
    }

    /// @notice A panel's seats are distinct, and as many as its round has.
    function check_panelsAreWhole() public view {
        for (uint256 id = 1; id <= disputes.disputeCount(); ++id)
            for (uint256 round = 0; round <= disputes.caseOf(id).round; ++round) {
                address[] memory panel = disputes.panelOf(id, round);
                if (panel.length != 0) assertEq(panel.length, round == 0 ? 3 : 5, "seats");
                for (uint256 i = 0; i < panel.length; ++i)
                    for (uint256 j = 0; j < i; ++j) assertFalse(panel[i] == panel[j], "one seat each");
            }
    }

    /// @notice A ruling is one of the choices, and an executed case is a solved one.
    function check_rulingsAreChoices() public view {
        for (uint256 id = 1; id <= disputes.disputeCount(); ++id) {
            IDisputes.Case memory state = disputes.caseOf(id);
            assertLe(state.ruling, handler.CHOICES(), "ruling");
            if (state.isExecuted) assertTrue(state.stage == IDisputes.Stage.Solved, "executed");
        }
    }

    function check_nothingForbiddenHappened() public view {
        assertFalse(handler.isForbidden(), "see the handler");
    }

    function test_aWalk_reachesAppealsAndRulings() public {
        bytes4[] memory selectors = new bytes4[](10);
        selectors[0] = handler.create.selector;
        selectors[1] = handler.vote.selector;
        selectors[2] = handler.tally.selector;
        selectors[3] = handler.appeal.selector;
        selectors[4] = handler.execute.selector;
        selectors[5] = handler.govern.selector;
        selectors[6] = handler.join.selector;
        selectors[7] = handler.leave.selector;
        selectors[8] = handler.withdrawFees.selector;
        selectors[9] = handler.pass.selector;
        _walk(address(handler), selectors, 1, 500);
        assertLe(1, handler.appeals(), "appeals");
        assertLe(1, handler.governed(), "rulings of governance");
        assertLe(3, handler.executed(), "cases that were carried out");
        assertFalse(handler.isForbidden(), "see the handler");
    }
}
