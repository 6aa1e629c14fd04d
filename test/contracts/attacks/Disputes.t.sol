// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {Roles} from "../../../contracts/governance/Roles.sol";
import {IArbitrable} from "../../../contracts/interfaces/trust/IArbitrable.sol";
import {IDisputes} from "../../../contracts/interfaces/trust/IDisputes.sol";
import {IParameterRegistry} from "../../../contracts/interfaces/governance/IParameterRegistry.sol";
import {Disputes} from "../../../contracts/trust/Disputes.sol";
import {StakingFixture} from "../support/StakingFixture.sol";

/// @notice What an attacker of Disputes, with seats of its own or as the arbitrable, would try.
contract DisputesAttacks is StakingFixture, IArbitrable {
    Disputes private disputes;
    bool private burns;
    uint256 private other;

    function setUp() public override {
        super.setUp();
        registry.declare(IParameterRegistry.Declaration("disputeFeeWei", 0, 1 ether, 1));
        registry.declare(IParameterRegistry.Declaration("disputeMinBond", 0, 1e30, 1e18));
        registry.declare(IParameterRegistry.Declaration("disputeSlash", 0, 1e30, 1e18));
        disputes = new Disputes(address(manager), staking, registry, stranger);
        manager.grantRole(Roles.SLASHER, address(disputes), 0);
        vm.deal(address(this), 1 ether);
        for (uint256 i = 0; i < 3; ++i) {
            address panelist = _funded(string(abi.encodePacked("panelist", bytes1(uint8(48 + i)))));
            vm.startPrank(panelist);
            staking.registerValidator(0);
            staking.stake(panelist, 10e18);
            disputes.joinPool();
            vm.stopPrank();
        }
    }

    /// @dev Whoever is paid calls back; that it is refused does not make the payment fail.
    receive() external payable {
        if (other == 0) return;
        (bool ok, ) = address(disputes).call(abi.encodeCall(IDisputes.execute, (other)));
        if (ok) other = 0;
    }

    /// @dev An arbitrable that burns all the gas it is given, or rules again.
    function rule(uint256 disputeID, uint256) external {
        while (burns) {}
        disputes.execute(other == 0 ? disputeID : other);
    }

    function _ruled() private returns (uint256 id) {
        id = disputes.createDispute{value: 3}(2, "");
        address[] memory panel = disputes.panelOf(id, 0);
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(panel[i]);
            disputes.vote(id, 1);
        }
        disputes.tally(id);
        skip(2 days);
    }

    function test_executingAnotherCaseFromWithinARuling_isRefused() public {
        uint256 id = _ruled();
        other = disputes.createDispute{value: 3}(2, "");
        disputes.execute(id);
        assertFalse(disputes.caseOf(id).isExecuted, "who calls back did not obey");
        assertFalse(disputes.caseOf(other).isExecuted, "and reached nothing else");
        other = _ruled();
        disputes.execute(id);
        assertFalse(disputes.caseOf(id).isExecuted, "nor when the other is ready");
        assertFalse(disputes.caseOf(other).isExecuted, "which stays to be executed");
    }

    function test_executingACaseFromWithinAPayment_isRefused() public {
        other = _ruled();
        address panelist = disputes.panelOf(other, 0)[0];
        vm.prank(panelist);
        disputes.withdrawFees(payable(this));
        assertFalse(other == 0, "the call back was refused");
        assertEq(disputes.feesOf(panelist), 0, "the fee was paid");
    }

    function test_oneCorruptPanelist_cannotPullTheRuling() public {
        uint256 id = disputes.createDispute{value: 3}(10_001, "");
        address[] memory panel = disputes.panelOf(id, 0);
        uint256[3] memory votes = [uint256(10_001), 4_000, 4_100];
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(panel[i]);
            disputes.vote(id, votes[i]);
        }
        disputes.tally(id);
        assertEq(disputes.currentRuling(id), 4_100, "the honest ones' range");
    }

    function test_votingTwice_isRefused() public {
        uint256 id = disputes.createDispute{value: 3}(2, "");
        address panelist = disputes.panelOf(id, 0)[0];
        vm.startPrank(panelist);
        disputes.vote(id, 1);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.Disputes_NoVote.selector, panelist));
        disputes.vote(id, 2);
        vm.stopPrank();
    }

    function test_leavingThePool_doesNotEscapeASeat() public {
        uint256 id = disputes.createDispute{value: 3}(2, "");
        address panelist = disputes.panelOf(id, 0)[0];
        vm.prank(panelist);
        disputes.leavePool();
        skip(3 days);
        disputes.tally(id);
        assertEq(staking.bondOf(panelist), 9e18, "slashed all the same");
    }

    function test_aGasBomb_orReentry_leavesTheRulingToBeObeyedLater() public {
        uint256 id = _ruled();
        disputes.execute(id);
        assertFalse(disputes.caseOf(id).isExecuted, "its reentry failed");
        burns = true;
        disputes.execute(id);
        assertFalse(disputes.caseOf(id).isExecuted, "its gas was bounded");
        assertEq(disputes.currentRuling(id), 1, "the ruling stands");
    }

    function test_talliedTwice_paysTheFeeOnce() public {
        uint256 id = _ruled();
        vm.expectRevert(
            abi.encodeWithSelector(IDisputes.Disputes_WrongStage.selector, id, IDisputes.Stage.Appealable)
        );
        disputes.tally(id);
    }

    function test_rulingWithoutBeingGovernance_isRefused() public {
        uint256 id = disputes.createDispute{value: 3}(2, "");
        skip(3 days);
        disputes.tally(id);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, alice));
        vm.prank(alice);
        disputes.ruleByGovernance(id, 2);
    }
}
