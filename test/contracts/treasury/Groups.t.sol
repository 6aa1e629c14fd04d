// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITreasury} from "../../../contracts/interfaces/treasury/ITreasury.sol";
import {TreasuryFixture} from "../support/TreasuryFixture.sol";

/// @notice Agents that share a group's budgets, each inside its own.
contract GroupsTest is TreasuryFixture {
    address private group;
    address private second;

    function setUp() public override {
        super.setUp();
        group = makeAddr("the research department");
        second = makeAddr("second agent");
        _setBudget(second, address(token), _terms());
        ITreasury.BudgetTerms memory terms = _terms();
        terms.hourly = uint128(70 * UNIT);
        _setBudget(group, address(token), terms);
        vm.startPrank(address(treasury));
        treasury.setGroup(agent, group);
        treasury.setGroup(second, group);
        vm.stopPrank();
    }

    function test_setGroup_bySelf_isReadBack() public {
        assertEq(treasury.groupOf(agent), group, "group");
        vm.expectEmit();
        emit ITreasury.GroupSet(agent, address(0));
        vm.prank(address(treasury));
        treasury.setGroup(agent, address(0));
        assertEq(treasury.groupOf(agent), address(0), "none");
    }

    function test_setGroup_byOneOwner_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_NotSelf.selector, owners[0]));
        vm.prank(owners[0]);
        treasury.setGroup(agent, address(0));
    }

    function test_pay_byMembers_isBoundedByTheGroupTogether() public {
        _pay(40 * UNIT);
        assertEq(treasury.usageOf(group, address(token))[0].left, 30 * UNIT, "of the group");
        assertEq(treasury.usageOf(agent, address(token))[0].left, 160 * UNIT, "of its own");
        _expectDenied(ITreasury.Reason.Hourly, 31 * UNIT, 30 * UNIT, START + 80 minutes);
        _payBy(second, 31 * UNIT);
        _payBy(second, 30 * UNIT);
        assertEq(treasury.usageOf(group, address(token))[0].left, 0, "all of it");
        assertEq(token.balanceOf(payee), 70 * UNIT, "payee's balance");
    }

    function test_pay_byAMember_isBoundedByItsOwnBudgetToo() public {
        ITreasury.BudgetTerms memory terms = _terms();
        terms.hourly = uint128(5 * UNIT);
        _setBudget(agent, address(token), terms);
        _expectDenied(ITreasury.Reason.Hourly, 6 * UNIT, 5 * UNIT, 0);
        _pay(6 * UNIT);
        assertEq(treasury.usageOf(group, address(token))[0].left, 70 * UNIT, "nothing is charged");
    }

    function test_pay_whereTheGroupHasNoBudget_isDenied() public {
        _setBudget(agent, address(0), _terms());
        _expectDenied(ITreasury.Reason.NoBudget, 1, 0, 0);
        vm.prank(agent);
        treasury.pay(address(0), payee, 1, "r");
    }

    function test_pay_aboveTheGroupsApprovalLine_opensAProposal_andChargesNeither() public {
        ITreasury.BudgetTerms memory terms = _terms();
        terms.approvalAbove = uint128(10 * UNIT);
        _setBudget(group, address(token), terms);
        assertTrue(_pay(11 * UNIT) != 0, "proposed");
        assertEq(treasury.usageOf(agent, address(token))[0].left, 200 * UNIT, "own");
        assertEq(treasury.usageOf(group, address(token))[0].left, 200 * UNIT, "group's");
    }

    /// @dev What the owners' approval could not help is refused at once, also where the member's own line says "ask".
    function test_pay_beyondTheGroupsLimitForOne_isDenied() public {
        ITreasury.BudgetTerms memory terms = _terms();
        terms.perTransaction = uint128(55 * UNIT);
        _setBudget(group, address(token), terms);
        _expectDenied(ITreasury.Reason.PerTransaction, 60 * UNIT, 55 * UNIT, 0);
        _pay(60 * UNIT);
    }

    function test_freeze_ofTheGroup_stopsEveryMember_andWhatWasApprovedForIt() public {
        bytes32 id = _pay(60 * UNIT);
        vm.prank(owners[0]);
        treasury.freeze(group);
        _expectDenied(ITreasury.Reason.Frozen, 1, 0, 0);
        _pay(1);
        _expectDenied(ITreasury.Reason.Frozen, 1, 0, 0);
        _payBy(second, 1);
        bytes32 first = bytes32(uint256(1));
        ITreasury.Call[] memory calls = _self(
            abi.encodeCall(treasury.disburse, (agent, address(token), payee, 60 * UNIT, first))
        );
        uint256 nonce = treasury.proposalNonceOf(agent, first);
        bytes[] memory signatures = _signed(id, 2);
        vm.expectPartialRevert(ITreasury.Treasury_CallFailed.selector);
        treasury.execute(calls, nonce, START + 7 days, signatures);
    }

    function test_recipients_ofTheGroup_boundItsMembers() public {
        ITreasury.BudgetTerms memory terms = _terms();
        terms.recipientsOnly = true;
        _setBudget(group, address(token), terms);
        _expectDenied(ITreasury.Reason.Recipient, 1, 0, 0);
        _pay(1);
        address[] memory allowed = new address[](1);
        allowed[0] = payee;
        vm.prank(address(treasury));
        treasury.allowRecipients(group, allowed);
        _pay(1);
    }

    function test_setBudget_ofAMemberLater_staysInTheGroup_andOutsideOnceItLeft() public {
        _setBudget(agent, address(token), _terms());
        _pay(10 * UNIT);
        assertEq(treasury.usageOf(group, address(token))[0].left, 60 * UNIT, "charged");
        vm.prank(address(treasury));
        treasury.setGroup(agent, address(0));
        _pay(10 * UNIT);
        assertEq(treasury.usageOf(group, address(token))[0].left, 60 * UNIT, "not its member any more");
    }

    function test_payQueued_needsTheDelayOfWhoeverAsksForApproval() public {
        vm.startPrank(address(treasury));
        treasury.setDelay(agent, address(token), 1 hours);
        vm.stopPrank();
        // The group's own line is passed as well, and its owners gave it no delay: nothing is queued.
        _pay(60 * UNIT);
        skip(2 hours);
        bytes32 ref = bytes32(nextRef);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_PaymentNotQueued.selector, agent, ref));
        treasury.payQueued(agent, address(token), payee, 60 * UNIT, ref);
        // A delay of the group's lets through what is asked for from then on.
        vm.prank(address(treasury));
        treasury.setDelay(group, address(token), 2 hours);
        _pay(60 * UNIT);
        skip(2 hours);
        treasury.payQueued(agent, address(token), payee, 60 * UNIT, bytes32(nextRef));
        assertEq(token.balanceOf(payee), 60 * UNIT, "paid");
    }

    /// @dev Was: owners were told the member's delay where the group's counted. The longest of those that count is told,
    ///      and not a second earlier anything is paid.
    function testFuzz_paymentQueued_tellsWhenItCanBePaid(
        bool isAboveOwn,
        bool isAboveGroups,
        uint256 own,
        uint256 groups
    ) public {
        (own, groups) = (bound(own, 0, 4) * 1 hours, bound(groups, 0, 4) * 1 hours);
        ITreasury.BudgetTerms memory terms = _terms();
        terms.approvalAbove = uint128(isAboveOwn ? 59 * UNIT : 60 * UNIT);
        _setBudget(agent, address(token), terms);
        terms.approvalAbove = uint128(isAboveGroups ? 59 * UNIT : 60 * UNIT);
        _setBudget(group, address(token), terms);
        vm.startPrank(address(treasury));
        treasury.setDelay(agent, address(token), own);
        treasury.setDelay(group, address(token), groups);
        vm.stopPrank();
        bool isQueued =
            (isAboveOwn || isAboveGroups) && (!isAboveOwn || own != 0) && (!isAboveGroups || groups != 0);
        uint256 delay = isAboveOwn ? own : 0;
        if (isAboveGroups && groups > delay) delay = groups;
        if (isQueued) {
            vm.expectEmit(false, true, false, true);
            emit ITreasury.PaymentQueued(0, agent, START + delay);
        }
        bytes32 id = _pay(60 * UNIT);
        bytes32 ref = bytes32(nextRef);
        assertTrue((id != 0) == (isAboveOwn || isAboveGroups), "a proposal, or paid");
        if (id == 0) return;
        skip(isQueued ? delay - 1 : 6 days);
        if (isQueued) vm.expectPartialRevert(ITreasury.Treasury_SpendDenied.selector);
        else vm.expectPartialRevert(ITreasury.Treasury_PaymentNotQueued.selector);
        treasury.payQueued(agent, address(token), payee, 60 * UNIT, ref);
        if (!isQueued) return;
        skip(1);
        treasury.payQueued(agent, address(token), payee, 60 * UNIT, ref);
        assertEq(token.balanceOf(payee), 60 * UNIT, "paid when it was told");
    }

    /// @dev Whatever is paid, by whichever member, `canSpend` said it before, and the group's hour holds.
    function testFuzz_members_neverLeaveTheGroupsHour(uint256 seed) public {
        uint256[20] memory paidAt;
        uint256[20] memory paid;
        for (uint256 i; i < 20; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            skip(seed % 40 minutes);
            address spender = seed & 1 == 0 ? agent : second;
            (, , uint256 left, ) = treasury.canSpend(spender, address(token), payee, 1);
            uint256 amount = seed & 2 == 0 ? left : bound(seed >> 8, 1, 50 * UNIT);
            (ITreasury.Verdict verdict, , , ) = treasury.canSpend(spender, address(token), payee, amount);
            vm.prank(spender);
            try treasury.pay(address(token), payee, amount, _ref()) returns (bytes32 id) {
                assertTrue(verdict != ITreasury.Verdict.Deny, "paid what canSpend denies");
                if (id == 0) (paidAt[i], paid[i]) = (block.timestamp, amount);
            } catch {
                assertTrue(verdict == ITreasury.Verdict.Deny, "denied what canSpend allows");
            }
            uint256 sum;
            for (uint256 j; j <= i; ++j) {
                if (paid[j] != 0 && block.timestamp - paidAt[j] < 1 hours) sum += paid[j];
            }
            assertLe(sum, 70 * UNIT, "the group's hour");
        }
    }

    function _payBy(address spender, uint256 amount) private {
        bytes32 ref = _ref();
        vm.prank(spender);
        treasury.pay(address(token), payee, amount, ref);
    }
}
