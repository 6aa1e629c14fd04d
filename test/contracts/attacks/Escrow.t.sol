// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IAgreements} from "../../../contracts/interfaces/payments/IAgreements.sol";
import {IERC8183} from "../../../contracts/interfaces/payments/IERC8183.sol";
import {IEscrow} from "../../../contracts/interfaces/payments/IEscrow.sol";
import {Escrow} from "../../../contracts/payments/Escrow.sol";
import {EscrowFixture} from "../support/EscrowFixture.sol";
import {Judge} from "../support/Judge.sol";
import {Hooked} from "../support/tokens/Hooked.sol";
import {ReturnsFalse} from "../support/tokens/ReturnsFalse.sol";

/// @notice An arbitrator that denies being one when it suits it.
contract Turncoat is Judge {
    bool public isPlain;

    function turn() external {
        isPlain = true;
    }

    function supportsInterface(bytes4 interfaceId) public view override returns (bool) {
        return !isPlain && super.supportsInterface(interfaceId);
    }
}

/// @notice What an attacker of Escrow would try, and the mistakes that would let it.
contract EscrowAttacks is EscrowFixture {
    bytes private _again;

    /// @dev The token tells this contract of its transfers, and it calls again.
    function onTokenTransfer(address from, address, uint256) external {
        if (from != address(escrow) || _again.length == 0) return;
        (bool ok, bytes memory answer) = address(escrow).call(_again);
        if (!ok) {
            assembly ("memory-safe") {
                revert(add(answer, 0x20), mload(answer))
            }
        }
    }

    function test_reenteringOnPayout_paysOnce() public {
        Hooked token = new Hooked();
        token.mint(buyer, 200 * USD);
        vm.prank(buyer);
        token.approve(address(escrow), 200 * USD);
        IAgreements.Agreement memory agreement = _one();
        (agreement.token, agreement.seller) = (address(token), address(this));
        uint256 id = _open(agreement);
        agreement.termsHash = "others";
        _open(agreement);
        agreement = _one();
        (agreement.token, agreement.seller) = (address(token), address(this));
        escrow.submit(id, "d", abi.encode(agreement));
        skip(REVIEW);
        _again = abi.encodeCall(Escrow.release, (id, abi.encode(agreement)));
        escrow.release(id, abi.encode(agreement));
        assertEq(token.balanceOf(address(this)), 0, "the payout was refused by its own recipient");
        assertEq(escrow.creditOf(address(token), address(this)), 100 * USD, "so it is credited, once");
        _again = abi.encodeCall(IEscrow.withdrawCredit, (address(token), address(this)));
        vm.expectRevert(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        escrow.withdrawCredit(address(token), address(this));
    }

    /// @dev The refund of one job calls back, and its evaluator rejects another.
    function test_reenteringFromARefund_reachesNoOtherJob() public {
        Hooked token = new Hooked();
        token.mint(address(this), 100 * USD);
        escrow = new Escrow(address(token), "");
        token.approve(address(escrow), 100 * USD);
        uint256[2] memory jobs;
        for (uint256 i = 0; i < 2; ++i) {
            jobs[i] = escrow.createJob(seller, address(this), DELIVER_BY, "work", address(0));
            escrow.setBudget(jobs[i], 40 * USD, NONE);
            escrow.fund(jobs[i], 40 * USD, NONE);
        }
        _again = abi.encodeCall(IERC8183.reject, (jobs[1], 0, NONE));
        escrow.reject(jobs[0], 0, NONE);
        _assertStatus(jobs[1], IERC8183.Status.Funded);
        assertEq(
            escrow.creditOf(address(token), address(this)),
            40 * USD,
            "who calls back is credited instead"
        );
    }

    function test_anArbitratorThatDeniesBeingOne_isHeldToWhatWasAgreed() public {
        Turncoat turncoat = new Turncoat();
        IAgreements.Agreement memory agreement = _one();
        agreement.arbiter = address(turncoat);
        uint256 id = _open(agreement);
        _submit(id, agreement);
        turncoat.turn();
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_WrongFee.selector, 0, 0.01 ether));
        _dispute(id, agreement);
        _ask(id, agreement);
        turncoat.give(0, 10_001);
        escrow.executeRuling(id, abi.encode(agreement));
        assertEq(usdc.balanceOf(seller), 100 * USD, "ruled, as agreed");
    }

    function test_jointSettlement_fitsNoOtherJobNorChainNorEscrow() public {
        uint256 id = _open(_one());
        IAgreements.Agreement memory second = _one();
        second.termsHash = "others";
        uint256 other = _open(second);
        bytes memory encoded = abi.encode(_one());
        (uint256 toSeller, uint256 toBuyer) = (USD, 99 * USD);
        bytes32 digest = escrow.settlementDigest(IEscrow.Settlement(id, toSeller, toBuyer, START));
        (bytes memory ofBuyer, bytes memory ofSeller) = (_sign(buyerKey, digest), _sign(sellerKey, digest));
        bytes memory bad = abi.encodeWithSelector(IEscrow.Escrow_BadSignature.selector, buyer);
        vm.expectRevert(bad);
        escrow.settle(
            IEscrow.Settlement(other, toSeller, toBuyer, START),
            ofBuyer,
            ofSeller,
            abi.encode(second)
        );
        vm.expectRevert(bad);
        escrow.settle(IEscrow.Settlement(id, toSeller + 1, toBuyer - 1, START), ofBuyer, ofSeller, encoded);
        vm.expectRevert(bad);
        escrow.settle(IEscrow.Settlement(id, toSeller, toBuyer, START + 1), ofBuyer, ofSeller, encoded);
        vm.chainId(5);
        vm.expectRevert(bad);
        escrow.settle(IEscrow.Settlement(id, toSeller, toBuyer, START), ofBuyer, ofSeller, encoded);
        vm.chainId(31_337);
        Escrow another = new Escrow(address(usdc), "");
        vm.startPrank(buyer);
        usdc.approve(address(another), type(uint256).max);
        another.open(_one());
        vm.stopPrank();
        vm.expectRevert(bad);
        another.settle(IEscrow.Settlement(id, toSeller, toBuyer, START), ofBuyer, ofSeller, encoded);
    }

    /// @dev Both sign that the seller gets 45 of 60. Then the buyer releases 10, and the seller comes with the paper.
    function test_aJointSettlement_isNotPaidOnTopOfAReleasedMilestone() public {
        IAgreements.Agreement memory agreement = _three();
        bytes memory encoded = abi.encode(agreement);
        uint256 id = _open(agreement);
        bytes32 digest = escrow.settlementDigest(IEscrow.Settlement(id, 45 * USD, 15 * USD, START));
        (bytes memory ofBuyer, bytes memory ofSeller) = (_sign(buyerKey, digest), _sign(sellerKey, digest));
        vm.prank(buyer);
        escrow.release(id, encoded);
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.Escrow_NotTheRest.selector, 45 * USD, 15 * USD, 50 * USD)
        );
        escrow.settle(IEscrow.Settlement(id, 45 * USD, 15 * USD, START), ofBuyer, ofSeller, encoded);
        // Nor with another remainder than both signed.
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_BadSignature.selector, buyer));
        escrow.settle(IEscrow.Settlement(id, 45 * USD, 5 * USD, START), ofBuyer, ofSeller, encoded);
        assertEq(usdc.balanceOf(seller), 10 * USD, "what was released");
    }

    function test_malleatedSignature_isRefused() public {
        uint256 id = _open(_one());
        bytes32 digest = escrow.settlementDigest(IEscrow.Settlement(id, USD, 99 * USD, START));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(buyerKey, digest);
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        bytes memory twin = abi.encodePacked(r, bytes32(order - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        bytes memory ofSeller = _sign(sellerKey, digest);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_BadSignature.selector, buyer));
        escrow.settle(IEscrow.Settlement(id, USD, 99 * USD, START), twin, ofSeller, abi.encode(_one()));
    }

    /// @dev Somebody opens the buyer's agreement in front of it: with its own money, and it is the buyer's all the same.
    function test_openingInFrontOfTheBuyer_isAGift() public {
        usdc.mint(stranger, 100 * USD);
        vm.startPrank(stranger);
        usdc.approve(address(escrow), 100 * USD);
        uint256 id = escrow.open(_one());
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_AlreadyOpened.selector, id));
        _open(_one());
        assertEq(usdc.balanceOf(buyer), 1_000_000 * USD, "the buyer keeps its own");
        vm.warp(DELIVER_BY);
        escrow.claimRefund(id, abi.encode(_one()));
        assertEq(usdc.balanceOf(buyer), 1_000_100 * USD, "and has the refund");
    }

    /// @dev An agreement is known by all 256 bits of its hash: what agrees in the first 192 is another one.
    function test_anAgreementIsKnownByItsWholeHash() public {
        uint256 id = _open(_one());
        bytes memory unknown = abi.encodeWithSelector(IEscrow.Escrow_UnknownJob.selector, id ^ 1);
        vm.expectRevert(unknown);
        escrow.outcomeOf(id ^ 1, _one());
        vm.expectRevert(unknown);
        escrow.release(id ^ 1, abi.encode(_one()));
    }

    /// @dev The buyer drags a dispute out until the next milestone is overdue, to be refunded what the seller had no
    ///      time to deliver.
    function test_disputingUntilTheNextMilestoneIsOverdue_gainsNothing() public {
        IAgreements.Agreement memory agreement = _three();
        uint256 id = _open(agreement);
        _submit(id, agreement);
        _dispute(id, agreement);
        vm.warp(DELIVER_BY + 1);
        vm.prank(arbiter);
        escrow.resolve(id, 10_000, abi.encode(agreement));
        uint256 until = escrow.deadlineOf(id, abi.encode(agreement));
        assertEq(until - block.timestamp, DELIVER_BY - START, "the time that it had");
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_TooEarly.selector, block.timestamp, until));
        vm.prank(buyer);
        escrow.claimRefund(id, abi.encode(agreement));
    }

    /// @dev Junk costs who delivers it: an honest buyer has its fee back, answered or not.
    function test_disputingJunk_costsTheHonestBuyerNothing() public {
        IAgreements.Agreement memory agreement = _one();
        agreement.arbiter = address(judge);
        for (uint256 i = 0; i < 2; ++i) {
            agreement.termsHash = bytes32(i);
            uint256 id = _open(agreement);
            _submit(id, agreement);
            vm.prank(buyer);
            escrow.dispute{value: 0.01 ether}(id, abi.encode(agreement));
            if (i == 1) {
                vm.prank(seller);
                escrow.answer{value: 0.01 ether}(id, abi.encode(agreement));
                judge.give(0, 1);
            }
            skip(REVIEW);
            escrow.executeRuling(id, abi.encode(agreement));
            vm.prank(buyer);
            escrow.withdrawCredit(address(0), buyer);
            assertEq(buyer.balance, 1 ether, "the coin");
            assertEq(usdc.balanceOf(buyer), 1_000_000 * USD, "the money");
        }
        assertEq(seller.balance, 0.99 ether, "the loser paid");
    }

    function test_changingThePriceBeforeFunding_isNoticed() public {
        vm.prank(buyer);
        uint256 id = escrow.createJob(seller, buyer, DELIVER_BY, "", address(0));
        vm.prank(buyer);
        escrow.setBudget(id, 10 * USD, NONE);
        vm.prank(seller);
        escrow.setBudget(id, 1_000 * USD, NONE);
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.Escrow_BudgetMismatch.selector, 1_000 * USD, 10 * USD)
        );
        vm.prank(buyer);
        escrow.fund(id, 10 * USD, NONE);
    }

    function test_anArbiterCannotTakeAnythingItself() public {
        IAgreements.Agreement memory agreement = _one();
        uint256 id = _open(agreement);
        _submit(id, agreement);
        _dispute(id, agreement);
        vm.prank(arbiter);
        escrow.resolve(id, 3_333, abi.encode(agreement));
        assertEq(usdc.balanceOf(arbiter), 0, "the arbiter");
        assertEq(usdc.balanceOf(address(escrow)), 0, "all of it went to the two");
    }

    function test_aTokenThatReturnsFalse_opensNothing() public {
        ReturnsFalse token = new ReturnsFalse();
        token.mint(buyer, 100 * USD);
        IAgreements.Agreement memory agreement = _one();
        agreement.token = address(token);
        vm.expectRevert();
        _open(agreement);
    }

    function test_deliveringAtTheLastSecond_andDisputingAtTheLast_areBothHeard() public {
        IAgreements.Agreement memory agreement = _one();
        uint256 id = _open(agreement);
        vm.warp(DELIVER_BY - 1);
        _submit(id, agreement);
        vm.warp(DELIVER_BY - 1 + REVIEW - 1);
        _dispute(id, agreement);
        _assertStatus(id, IERC8183.Status.Disputed);
    }

    // Mistakes that an escrow is easily built with

    function test_noInstantRefundBeforeTheDeadline() public {
        uint256 id = _open(_one());
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_TooEarly.selector, START, DELIVER_BY));
        vm.prank(buyer);
        escrow.claimRefund(id, abi.encode(_one()));
    }

    function test_noRefundOfADeliveryAfterTheDeadline() public {
        uint256 id = _open(_one());
        _submit(id, _one());
        vm.warp(DELIVER_BY + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.Escrow_WrongStatus.selector, id, IERC8183.Status.Submitted)
        );
        vm.prank(buyer);
        escrow.claimRefund(id, abi.encode(_one()));
    }

    function test_aSilentBuyerDoesNotKeepTheSellersMoney() public {
        uint256 id = _open(_one());
        _submit(id, _one());
        skip(REVIEW);
        vm.prank(seller);
        escrow.release(id, abi.encode(_one()));
        assertEq(usdc.balanceOf(seller), 100 * USD, "paid");
    }

    function test_noZeroSellerAmountOrEndlessTermAndNoSelfDealing() public {
        IAgreements.Agreement memory agreement = _one();
        agreement.seller = address(0);
        vm.expectPartialRevert(IEscrow.Escrow_BadParties.selector);
        _open(agreement);
        agreement.seller = buyer;
        vm.expectPartialRevert(IEscrow.Escrow_BadParties.selector);
        _open(agreement);
        agreement = _one();
        agreement.milestones[0].amount = 0;
        vm.expectRevert(IEscrow.Escrow_ZeroAmount.selector);
        _open(agreement);
        agreement = _one();
        _deliverBy(agreement, type(uint40).max);
        vm.expectPartialRevert(IEscrow.Escrow_BadDeadline.selector);
        _open(agreement);
    }

    function test_oneStatusAtATime() public {
        uint256 id = _open(_one());
        vm.prank(seller);
        escrow.refund(id, abi.encode(_one()));
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.Escrow_WrongStatus.selector, id, IERC8183.Status.Rejected)
        );
        _submit(id, _one());
    }

    function test_aBlockedBuyerDoesNotJamTheSeller() public {
        IAgreements.Agreement memory agreement = _one();
        uint256 id = _open(agreement);
        _submit(id, agreement);
        _dispute(id, agreement);
        usdc.blocklist(buyer);
        vm.prank(arbiter);
        escrow.resolve(id, 5_000, abi.encode(agreement));
        assertEq(usdc.balanceOf(seller), 50 * USD, "the seller is paid");
        assertEq(escrow.creditOf(address(usdc), buyer), 50 * USD, "the buyer is credited");
    }

    function test_anArbitrator_rulesAndDoesNotResolve() public {
        IAgreements.Agreement memory agreement = _three();
        uint256 id = _asked(agreement);
        judge.give(0, 1);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_Arbitrated.selector, id));
        vm.prank(address(judge));
        escrow.resolve(id, 10_000, abi.encode(agreement));
        escrow.executeRuling(id, abi.encode(agreement));
        assertEq(usdc.balanceOf(seller), 0, "as it was ruled");
        assertEq(escrow.creditOf(address(0), buyer), 0.01 ether, "the winner has the fee");
        assertEq(address(escrow).balance, 0.01 ether, "and nothing is left over");
    }

    function test_aRulingThatAReleaseOvertook_isNotCarriedOutOnTheNextMilestone() public {
        IAgreements.Agreement memory agreement = _three();
        uint256 id = _asked(agreement);
        judge.give(0, 1);
        vm.prank(buyer);
        escrow.release(id, abi.encode(agreement));
        _submit(id, agreement);
        _ask(id, agreement);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NotRuled.selector, id));
        escrow.executeRuling(id, abi.encode(agreement));
    }

    function test_ruling_theFeeIsTheSellers_fromTheFirstBasisPointAboveHalf() public {
        IAgreements.Agreement memory agreement = _one();
        uint256 id = _asked(agreement);
        judge.give(0, 5_002);
        escrow.executeRuling(id, abi.encode(agreement));
        assertEq(escrow.creditOf(address(0), seller), 0.01 ether, "the seller's");
    }
}
