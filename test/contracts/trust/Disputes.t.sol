// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {TestUSDC} from "../../../contracts/dev/TestUSDC.sol";
import {Roles} from "../../../contracts/governance/Roles.sol";
import {IAgreements} from "../../../contracts/interfaces/payments/IAgreements.sol";
import {IArbitrable} from "../../../contracts/interfaces/trust/IArbitrable.sol";
import {IArbitrator} from "../../../contracts/interfaces/trust/IArbitrator.sol";
import {IDisputes} from "../../../contracts/interfaces/trust/IDisputes.sol";
import {IEvidence} from "../../../contracts/interfaces/trust/IEvidence.sol";
import {IParameterRegistry} from "../../../contracts/interfaces/governance/IParameterRegistry.sol";
import {Escrow} from "../../../contracts/payments/Escrow.sol";
import {Disputes} from "../../../contracts/trust/Disputes.sol";
import {StakingFixture} from "../support/StakingFixture.sol";

/// @notice Disputes among seven bonded validators, with this contract as the arbitrable and the admin.
contract DisputesTest is StakingFixture, IArbitrable {
    uint256 private constant FEE = 0.01 ether;
    uint256 private constant BOND = 1_000e18;
    uint256 private constant SLASH = 100e18;
    uint256 private constant COST = 3 * FEE;
    uint256 private constant APPEAL_COST = 10 * FEE;

    Disputes private disputes;
    address private fees;
    address[] private pool;
    uint256 private ruled = type(uint256).max;
    bool private isDeaf;

    function setUp() public override {
        super.setUp();
        registry.declare(IParameterRegistry.Declaration("disputeFeeWei", 0, 1 ether, FEE));
        registry.declare(IParameterRegistry.Declaration("disputeMinBond", 0, 1e30, BOND));
        registry.declare(IParameterRegistry.Declaration("disputeSlash", 0, 1e30, SLASH));
        fees = makeAddr("fees");
        disputes = new Disputes(address(manager), staking, registry, fees);
        manager.grantRole(Roles.SLASHER, address(disputes), 0);
        vm.deal(address(this), 10 ether);
        for (uint256 i = 0; i < 7; ++i) {
            address panelist = vm.addr(uint256(keccak256(abi.encode("panelist", i))));
            pool.push(panelist);
            avt.mint(panelist, BOND);
            vm.startPrank(panelist);
            avt.approve(address(staking), BOND);
            staking.registerValidator(0);
            staking.stake(panelist, BOND);
            disputes.joinPool();
            vm.stopPrank();
        }
    }

    function rule(uint256 disputeID, uint256 ruling) external {
        if (isDeaf) revert("deaf");
        ruled = ruling;
        emit Ruling(IArbitrator(msg.sender), disputeID, ruling);
    }

    function _create() private returns (uint256) {
        return disputes.createDispute{value: COST}(10_001, "");
    }

    function _vote(uint256 id, uint256 seat, uint256 ruling) private {
        address panelist = disputes.panelOf(id, disputes.caseOf(id).round)[seat];
        vm.prank(panelist);
        disputes.vote(id, ruling);
    }

    function _tallied(uint256 a, uint256 b, uint256 c) private returns (uint256 id) {
        id = _create();
        _vote(id, 0, a);
        _vote(id, 1, b);
        _vote(id, 2, c);
        disputes.tally(id);
    }

    function test_constants() public view {
        assertEq(disputes.SEATS(), 3, "seats");
        assertEq(disputes.APPEAL_SEATS(), 5, "appeal's seats");
        assertEq(disputes.VOTING_PERIOD(), 3 days, "voting");
        assertEq(disputes.APPEAL_PERIOD(), 2 days, "appeal");
        assertEq(disputes.GOVERNANCE_PERIOD(), 30 days, "governance");
        assertEq(disputes.RULE_GAS(), 300_000, "gas");
        assertEq(disputes.arbitrationCost(""), COST, "cost");
        assertEq(disputes.appealCost(1, ""), APPEAL_COST, "appeal's cost");
        assertTrue(disputes.supportsInterface(type(IArbitrator).interfaceId), "ERC-792");
        assertTrue(disputes.supportsInterface(0x01ffc9a7), "ERC-165");
        assertFalse(disputes.supportsInterface(0xffffffff), "nothing else");
        assertEq(disputes.feeRecipient(), fees, "fees");
        assertEq(address(disputes.bonds()), address(staking), "bonds");
        assertEq(address(disputes.parameters()), address(registry), "parameters");
    }

    function test_pool_isOfBondedValidators() public {
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_BondTooLow.selector, 0, BOND));
        vm.prank(alice);
        disputes.joinPool();
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_PoolUnchanged.selector, pool[0]));
        vm.prank(pool[0]);
        disputes.joinPool();
        vm.expectEmit(true, true, true, true);
        emit IDisputes.PoolChanged(pool[0], false);
        vm.prank(pool[0]);
        disputes.leavePool();
        assertFalse(disputes.isInPool(pool[0]), "out");
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_PoolUnchanged.selector, pool[0]));
        vm.prank(pool[0]);
        disputes.leavePool();
        registry.set("disputeMinBond", 0);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_BondTooLow.selector, 0, 0));
        vm.prank(alice);
        disputes.joinPool();
        vm.expectEmit(true, true, true, true);
        emit IDisputes.PoolChanged(pool[0], true);
        vm.prank(pool[0]);
        disputes.joinPool();
    }

    function test_createDispute_drawsAPanel() public {
        vm.expectRevert(IDisputes.Disputes_NoChoices.selector);
        disputes.createDispute{value: COST}(0, "");
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_WrongFee.selector, COST - 1, COST));
        disputes.createDispute{value: COST - 1}(2, "");
        vm.expectEmit(true, true, true, true);
        emit IArbitrator.DisputeCreation(1, this);
        uint256 id = _create();
        assertEq(disputes.disputeCount(), 1, "count");
        address[] memory panel = disputes.panelOf(id, 0);
        assertEq(panel.length, 3, "three");
        assertTrue(
            panel[0] != panel[1] && panel[0] != panel[2] && panel[1] != panel[2],
            "three different ones"
        );
        IDisputes.Case memory state = disputes.caseOf(id);
        assertEq(state.arbitrable, address(this), "arbitrable");
        assertEq(state.choices, 10_001, "choices");
        assertEq(uint256(state.stage), uint256(IDisputes.Stage.Voting), "stage");
        assertEq(state.until, START + 3 days, "until");
        assertEq(uint256(disputes.disputeStatus(id)), uint256(IArbitrator.DisputeStatus.Waiting), "status");
    }

    function test_vote_refusals() public {
        uint256 id = _create();
        address[] memory panel = disputes.panelOf(id, 0);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_NoVote.selector, alice));
        vm.prank(alice);
        disputes.vote(id, 1);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_BadRuling.selector, 10_002, 10_001));
        vm.prank(panel[0]);
        disputes.vote(id, 10_002);
        vm.expectEmit(true, true, true, true);
        emit IDisputes.Voted(id, 0, panel[0], 10_001);
        vm.prank(panel[0]);
        disputes.vote(id, 10_001);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_NoVote.selector, panel[0]));
        vm.prank(panel[0]);
        disputes.vote(id, 1);
        vm.warp(START + 3 days);
        vm.expectRevert(
            abi.encodeWithSelector(IDisputes.Disputes_WrongTime.selector, START + 3 days, START + 3 days)
        );
        vm.prank(panel[1]);
        disputes.vote(id, 1);
        vm.expectRevert(
            abi.encodeWithSelector(IDisputes.Disputes_WrongStage.selector, 9, IDisputes.Stage.None)
        );
        disputes.vote(9, 1);
    }

    function test_tally_isTheMedian() public {
        uint256[3][4] memory votes = [
            [uint256(10_001), 2_501, 7_501],
            [uint256(1), 1, 10_001],
            [uint256(0), 5_001, 0],
            [uint256(9), 8, 7]
        ];
        uint256[4] memory wanted = [uint256(7_501), 1, 0, 8];
        for (uint256 i = 0; i < 4; ++i) {
            uint256 id = _tallied(votes[i][0], votes[i][1], votes[i][2]);
            assertEq(disputes.currentRuling(id), wanted[i], "median");
        }
    }

    function test_tally_waitsForAllOrTheDeadline() public {
        uint256 id = _create();
        _vote(id, 0, 5);
        _vote(id, 1, 7);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_WrongTime.selector, START, START + 3 days));
        disputes.tally(id);
        vm.warp(START + 3 days);
        address absent = disputes.panelOf(id, 0)[2];
        vm.expectEmit(true, true, true, true);
        emit IDisputes.PanelistSlashed(id, absent, SLASH);
        vm.expectEmit(true, true, true, true);
        emit IDisputes.Tallied(id, 0, 2, 5);
        disputes.tally(id);
        assertEq(disputes.currentRuling(id), 5, "the lower of the two");
        assertFalse(disputes.isInPool(absent), "out of the pool");
        assertEq(staking.bondOf(absent), BOND - SLASH, "slashed");
        assertEq(avt.balanceOf(fees), SLASH / 10, "a tenth for the fee's recipient");
        assertEq(disputes.feesOf(disputes.panelOf(id, 0)[0]), COST / 2, "voters share the fee");
    }

    function test_execute_afterTheAppealPeriod() public {
        uint256 id = _tallied(4, 5, 6);
        assertEq(
            uint256(disputes.disputeStatus(id)),
            uint256(IArbitrator.DisputeStatus.Appealable),
            "status"
        );
        (uint256 start, uint256 end) = disputes.appealPeriod(id);
        assertEq(start, START, "from");
        assertEq(end, START + 2 days, "until");
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_WrongTime.selector, START, START + 2 days));
        disputes.execute(id);
        vm.warp(START + 2 days);
        vm.expectEmit(true, true, true, true);
        emit IDisputes.Executed(id, 5, true);
        disputes.execute(id);
        assertEq(ruled, 5, "obeyed");
        assertEq(uint256(disputes.disputeStatus(id)), uint256(IArbitrator.DisputeStatus.Solved), "status");
        (start, end) = disputes.appealPeriod(id);
        assertEq(start + end, 0, "no more appeal");
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_Executed.selector, id));
        disputes.execute(id);
    }

    function test_appeal_toALargerPanel_once() public {
        uint256 id = _tallied(4, 5, 6);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_WrongFee.selector, COST, APPEAL_COST));
        disputes.appeal{value: COST}(id, "");
        vm.expectEmit(true, true, true, true);
        emit IArbitrator.AppealDecision(id, this);
        disputes.appeal{value: APPEAL_COST}(id, "");
        assertEq(disputes.panelOf(id, 1).length, 5, "five");
        for (uint256 i = 0; i < 5; ++i) _vote(id, i, 100 + i);
        disputes.tally(id);
        assertEq(disputes.currentRuling(id), 102, "the median of five");
        vm.expectRevert(
            abi.encodeWithSelector(IDisputes.Disputes_WrongStage.selector, id, IDisputes.Stage.Solved)
        );
        disputes.appeal{value: APPEAL_COST}(id, "");
        disputes.execute(id);
        assertEq(ruled, 102, "final at once");
    }

    function test_appeal_tooLate() public {
        uint256 id = _tallied(4, 5, 6);
        vm.warp(START + 2 days);
        vm.expectRevert(
            abi.encodeWithSelector(IDisputes.Disputes_WrongTime.selector, START + 2 days, START + 2 days)
        );
        disputes.appeal{value: APPEAL_COST}(id, "");
    }

    function test_panelFails_governanceRules() public {
        uint256 id = _create();
        _vote(id, 1, 5);
        vm.warp(START + 3 days);
        vm.expectEmit(true, true, true, true);
        emit IDisputes.PanelFailed(id, 0, START + 33 days);
        disputes.tally(id);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, alice));
        vm.prank(alice);
        disputes.ruleByGovernance(id, 7);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_BadRuling.selector, 10_002, 10_001));
        disputes.ruleByGovernance(id, 10_002);
        vm.expectEmit(true, true, true, true);
        emit IDisputes.GovernanceRuled(id, 7);
        disputes.ruleByGovernance(id, 7);
        disputes.execute(id);
        assertEq(ruled, 7, "obeyed");
    }

    function test_governanceSilent_refused_inBoundedTime() public {
        uint256 id = _create();
        vm.warp(START + 3 days);
        disputes.tally(id);
        vm.warp(START + 33 days - 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDisputes.Disputes_WrongTime.selector,
                START + 33 days - 1,
                START + 33 days
            )
        );
        disputes.execute(id);
        vm.warp(START + 33 days);
        disputes.execute(id);
        assertEq(ruled, 0, "refused");
        assertEq(disputes.feesOf(fees), COST, "nobody earned the fee");
    }

    function test_tooSmallAPool_governanceRulesAtOnce() public {
        for (uint256 i = 0; i < 5; ++i) {
            vm.prank(pool[i]);
            disputes.leavePool();
        }
        uint256 id = _create();
        assertEq(uint256(disputes.caseOf(id).stage), uint256(IDisputes.Stage.Governance), "stage");
        assertEq(disputes.feesOf(fees), COST, "fee");
        _create();
        assertEq(disputes.feesOf(fees), 2 * COST, "and another's");
    }

    function test_aDeafArbitrable_jamsNothing_andMayObeyLater() public {
        uint256 id = _tallied(4, 5, 6);
        vm.warp(START + 2 days);
        isDeaf = true;
        vm.expectEmit(true, true, true, true);
        emit IDisputes.Executed(id, 5, false);
        disputes.execute(id);
        assertFalse(disputes.caseOf(id).isExecuted, "not yet");
        vm.expectPartialRevert(IDisputes.Disputes_OutOfGas.selector);
        disputes.execute{gas: 200_000}(id);
        isDeaf = false;
        disputes.execute(id);
        assertEq(ruled, 5, "later");
        vm.expectRevert(
            abi.encodeWithSelector(IDisputes.Disputes_WrongStage.selector, 9, IDisputes.Stage.None)
        );
        disputes.execute(9);
    }

    function test_evidence_whileItIsOpen() public {
        uint256 id = _create();
        vm.expectEmit(true, true, true, true);
        emit IEvidence.Evidence(disputes, id, alice, "ipfs://e");
        vm.prank(alice);
        disputes.submitEvidence(id, "ipfs://e");
        vm.expectRevert(
            abi.encodeWithSelector(IDisputes.Disputes_WrongStage.selector, 9, IDisputes.Stage.None)
        );
        disputes.submitEvidence(9, "ipfs://e");
    }

    function test_withdrawFees() public {
        uint256 id = _tallied(4, 5, 6);
        address panelist = disputes.panelOf(id, 0)[0];
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_NoFees.selector, alice));
        vm.prank(alice);
        disputes.withdrawFees(payable(alice));
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_PaymentFailed.selector, avt, FEE));
        vm.prank(panelist);
        disputes.withdrawFees(payable(address(avt)));
        vm.expectEmit(true, true, true, true);
        emit IDisputes.FeesWithdrawn(panelist, bob, FEE);
        vm.prank(panelist);
        disputes.withdrawFees(payable(bob));
        assertEq(bob.balance, FEE, "paid");
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_NoFees.selector, panelist));
        vm.prank(panelist);
        disputes.withdrawFees(payable(bob));
    }

    function testFuzz_median_isBetweenTheVotes(uint256 a, uint256 b, uint256 c) public {
        (a, b, c) = (bound(a, 0, 10_001), bound(b, 0, 10_001), bound(c, 0, 10_001));
        uint256 ruling = disputes.currentRuling(_tallied(a, b, c));
        uint256 below = (a <= ruling ? 1 : 0) + (b <= ruling ? 1 : 0) + (c <= ruling ? 1 : 0);
        uint256 above = (a >= ruling ? 1 : 0) + (b >= ruling ? 1 : 0) + (c >= ruling ? 1 : 0);
        assertTrue(below >= 2 && above >= 2, "two at least on either side");
    }

    /// @dev The whole way: Escrow asks, the panel splits, Escrow pays.
    function test_escrow_isSplitAsThePanelRules() public {
        TestUSDC usdc = new TestUSDC(address(this));
        Escrow escrow = new Escrow(address(usdc), "");
        usdc.mint(alice, 100e6);
        IAgreements.Agreement memory agreement = IAgreements.Agreement({
            buyer: alice,
            seller: bob,
            token: address(usdc),
            milestones: new uint128[](1),
            deliverBy: uint40(START + 1 days),
            reviewWindow: 1 days,
            arbiter: address(disputes),
            termsHash: 0
        });
        agreement.milestones[0] = 100e6;
        vm.deal(alice, 1 ether);
        vm.startPrank(alice);
        usdc.approve(address(escrow), 100e6);
        uint256 job = escrow.open(agreement);
        vm.stopPrank();
        vm.prank(bob);
        escrow.submit(job, "d", abi.encode(agreement));
        vm.prank(alice);
        escrow.dispute{value: COST}(job, abi.encode(agreement));
        _vote(1, 0, 7_001);
        _vote(1, 1, 6_001);
        _vote(1, 2, 10_001);
        disputes.tally(1);
        skip(2 days);
        disputes.execute(1);
        escrow.executeRuling(job, abi.encode(agreement));
        assertEq(usdc.balanceOf(bob), 70e6, "7,000 basis points");
        assertEq(usdc.balanceOf(alice), 30e6, "the rest");
    }
}
