// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestUSDC} from "../../../contracts/dev/TestUSDC.sol";
import {IAgreements} from "../../../contracts/interfaces/payments/IAgreements.sol";
import {IEscrow} from "../../../contracts/interfaces/payments/IEscrow.sol";
import {Escrow} from "../../../contracts/payments/Escrow.sol";
import {BusyFixture} from "../support/BusyFixture.sol";
import {Judge} from "../support/Judge.sol";

/// @notice An arbitrator that costs more than there is.
contract DearJudge is Judge {
    function arbitrationCost(bytes calldata) external pure override returns (uint256) {
        return 1 << 80;
    }
}

/// @notice One side of an agreement fills the pool, so that Disputes is dear when the other side must pay in time.
contract DisputesPrice is BusyFixture {
    uint256 private constant REVIEW = 1 days;

    Escrow private escrow;
    TestUSDC private usdc;
    IAgreements.Agreement private agreement;
    uint256 private job;

    function setUp() public override {
        super.setUp();
        usdc = new TestUSDC(address(this));
        escrow = new Escrow(address(usdc), "");
        usdc.mint(alice, 100e6);
        (agreement.buyer, agreement.seller, agreement.token) = (alice, bob, address(usdc));
        (agreement.reviewWindow, agreement.arbiter) = (uint32(REVIEW), address(disputes));
        agreement.milestones.push(IAgreements.Milestone(100e6, uint40(OPENED + 1 days)));
        // Each has what the arbitrator costs where nobody waits, and no more.
        vm.deal(alice, COST);
        vm.deal(bob, COST);
        vm.startPrank(alice);
        usdc.approve(address(escrow), 100e6);
        job = escrow.open(agreement);
        vm.stopPrank();
        vm.prank(bob);
        escrow.submit(job, "junk", abi.encode(agreement));
    }

    /// @dev Sixteen times the price, a second before the deadline.
    function _raise() private {
        vm.warp(OPENED + REVIEW - 1);
        for (uint256 i = 0; i < 7; ++i) _create();
        assertEq(disputes.arbitrationCost(""), 16 * COST, "dear");
    }

    function _dispute(address party) private {
        vm.prank(party);
        escrow.dispute{value: COST}(job, abi.encode(agreement));
    }

    function _answer(address party) private {
        vm.prank(party);
        escrow.answer{value: COST}(job, abi.encode(agreement));
    }

    /// @dev Cases are heard in turn, and the price falls.
    function _calm() private {
        while (disputes.arbitrationCost("") > 2 * COST) _turn(0);
    }

    /// @dev Escrow's dispute is the last one; those in front of it are heard first.
    function _rule(uint256 ruling) private {
        uint256 id = disputes.disputeCount();
        while (_turn(id)) {}
        _vote(id, _votes(ruling, ruling, ruling));
        disputes.tally(id);
        skip(2 days);
        disputes.execute(id);
        escrow.executeRuling(job, abi.encode(agreement));
    }

    /// @dev The seller delivered junk, and makes the arbitrator dear at the end of the review.
    function test_raisingThePriceBeforeADispute_keepsNobodyFromIt() public {
        _raise();
        assertEq(escrow.feeOf(job), COST, "as it was when they agreed");
        _dispute(alice);
        _answer(bob);
        assertEq(disputes.disputeCount(), 7, "not asked yet");
        bytes memory encoded = abi.encode(agreement);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_WrongFee.selector, 0, 14 * COST));
        escrow.askArbitrator(job, encoded);
        _calm();
        uint256 cost = disputes.arbitrationCost("");
        vm.prank(stranger);
        escrow.askArbitrator(job, encoded);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NothingToAsk.selector, job));
        escrow.askArbitrator(job, encoded);
        _rule(1);
        assertEq(usdc.balanceOf(alice), 100e6, "the buyer has its money again");
        assertEq(escrow.creditOf(address(0), alice), 2 * COST - cost, "and what the arbitrator left");
        assertEq(address(escrow).balance, 2 * COST - cost, "nobody else's");
    }

    /// @dev The buyer disputes what is good, and makes the arbitrator dear at the end of the time to answer.
    function test_raisingThePriceBeforeAnAnswer_keepsNobodyFromIt() public {
        vm.warp(OPENED);
        _dispute(alice);
        _raise();
        _answer(bob);
        skip(REVIEW);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NotRuled.selector, job));
        escrow.executeRuling(job, abi.encode(agreement));
        _calm();
        escrow.askArbitrator(job, abi.encode(agreement));
        _rule(10_001);
        assertEq(usdc.balanceOf(bob), 100e6, "the seller is paid");
    }

    /// @dev Who does not want to wait pays what is missing; what is too much is its own again.
    function test_askArbitrator_byPayingWhatIsMissing() public {
        _raise();
        _dispute(alice);
        _answer(bob);
        vm.deal(stranger, 15 * COST);
        vm.prank(stranger);
        escrow.askArbitrator{value: 15 * COST}(job, abi.encode(agreement));
        assertEq(escrow.creditOf(address(0), stranger), COST, "too much");
        assertEq(address(escrow).balance, COST, "the rest is paid");
        _rule(1);
        assertEq(usdc.balanceOf(alice), 100e6, "heard");
        assertEq(address(escrow).balance, COST, "nothing was left");
    }

    function test_askArbitrator_onlyOfWhatIsAnswered() public {
        bytes memory none = abi.encodeWithSelector(IEscrow.Escrow_NothingToAsk.selector, job);
        _dispute(alice);
        vm.expectRevert(none);
        escrow.askArbitrator(job, abi.encode(agreement));
        _answer(bob);
        vm.expectRevert(none);
        escrow.askArbitrator(job, abi.encode(agreement));
    }

    /// @dev Whoever could not have it asked for half a year: what was delivered is paid, and what they put down halved.
    function test_anArbitratorThatStaysTooDear_isASilentOne() public {
        _raise();
        _dispute(alice);
        skip(1 hours);
        _answer(bob);
        uint256 from = block.timestamp + 180 days;
        vm.warp(from - 1);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_TooEarly.selector, from - 1, from));
        escrow.release(job, abi.encode(agreement));
        uint256 before = vm.snapshotState();
        vm.warp(from);
        escrow.release(job, abi.encode(agreement));
        assertEq(escrow.creditOf(address(0), alice), COST, "its own");
        assertEq(escrow.creditOf(address(0), bob), COST, "its own");
        vm.revertToState(before);
        escrow.askArbitrator{value: 14 * COST}(job, abi.encode(agreement));
        vm.warp(from);
        vm.expectPartialRevert(IEscrow.Escrow_TooEarly.selector);
        escrow.release(job, abi.encode(agreement));
    }

    /// @dev A vote makes disputes dearer after one was opened: both put the same down.
    function test_aVoteThatRaisesTheFee_changesNoAnswer() public {
        _dispute(alice);
        registry.set("disputeFeeWei", 2 * FEE);
        _answer(bob);
        _rule(1);
        assertEq(usdc.balanceOf(alice), 100e6, "heard");
    }

    /// @dev An arbitrator that nobody could pay is refused when it is agreed on, not when it is too late.
    function test_anArbitratorBeyondAllMoney_isRefusedAtTheOpening() public {
        agreement.arbiter = address(new DearJudge());
        uint256 most = type(uint80).max;
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_WrongFee.selector, most + 1, most));
        vm.prank(alice);
        escrow.open(agreement);
    }
}
