// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAgreements} from "../../../contracts/interfaces/payments/IAgreements.sol";
import {IArbitrable} from "../../../contracts/interfaces/trust/IArbitrable.sol";
import {IERC8183} from "../../../contracts/interfaces/payments/IERC8183.sol";
import {IEscrow} from "../../../contracts/interfaces/payments/IEscrow.sol";
import {IEvidence} from "../../../contracts/interfaces/trust/IEvidence.sol";
import {Escrow} from "../../../contracts/payments/Escrow.sol";
import {EscrowFixture} from "../support/EscrowFixture.sol";
import {FeeOnTransfer} from "../support/tokens/FeeOnTransfer.sol";

/// @notice How agreements are opened and funded, and what no job is.
contract EscrowOpenTest is EscrowFixture {
    function test_constructor_saysWhatRulingsMean() public {
        vm.expectEmit(true, true, true, true);
        emit IEvidence.MetaEvidence(0, "ipfs://rules");
        Escrow fresh = new Escrow(address(usdc), "ipfs://rules");
        assertEq(fresh.jobToken(), address(usdc), "job token");
        assertEq(fresh.jobCount(), 0, "no jobs");
        assertEq(fresh.MAX_MILESTONES(), 50, "milestones");
        assertEq(fresh.MAX_DURATION(), 5 * 365 days, "duration");
        assertEq(fresh.MIN_REVIEW_WINDOW(), 1 hours, "least review");
        assertEq(fresh.MAX_REVIEW_WINDOW(), 90 days, "most review");
        assertEq(fresh.ARBITRATION_LIMIT(), 180 days, "arbitration");
    }

    function test_supportsInterface() public view {
        assertTrue(escrow.supportsInterface(0x01ffc9a7), "ERC-165");
        assertTrue(escrow.supportsInterface(type(IArbitrable).interfaceId), "ERC-792");
        assertTrue(escrow.supportsInterface(type(IERC8183).interfaceId), "ERC-8183");
        assertTrue(escrow.supportsInterface(type(IAgreements).interfaceId), "agreements");
        assertFalse(escrow.supportsInterface(0xffffffff), "nothing else");
    }

    function test_open_takesTheWholeAmount() public {
        IAgreements.Agreement memory agreement = _three();
        vm.expectEmit(true, true, true, true);
        emit IEscrow.AgreementOpened(_idOf(agreement), buyer, false, agreement);
        uint256 id = _open(agreement);
        assertEq(id, _idOf(agreement), "its hash");
        assertEq(usdc.balanceOf(address(escrow)), 60 * USD, "in escrow");
        _assertStatus(id, IERC8183.Status.Funded);
        (uint256 paid, bool closed) = escrow.outcomeOf(id, agreement);
        assertEq(paid, 0, "paid");
        assertFalse(closed, "closed");
    }

    function test_open_somebodyElseMayPay() public {
        usdc.mint(stranger, 100 * USD);
        vm.startPrank(stranger);
        usdc.approve(address(escrow), 100 * USD);
        uint256 id = escrow.open(_one());
        vm.stopPrank();
        skip(11 days);
        escrow.claimRefund(id, abi.encode(_one()));
        assertEq(usdc.balanceOf(buyer), 1_000_100 * USD, "but the buyer is refunded");
    }

    function _refused(IAgreements.Agreement memory agreement, bytes memory reason) private {
        vm.expectRevert(reason);
        _open(agreement);
    }

    function test_open_refusesBadParties() public {
        IAgreements.Agreement memory agreement = _one();
        agreement.seller = address(0);
        _refused(agreement, abi.encodeWithSelector(IEscrow.Escrow_BadParties.selector, buyer, 0, arbiter));
        agreement.seller = buyer;
        _refused(
            agreement,
            abi.encodeWithSelector(IEscrow.Escrow_BadParties.selector, buyer, buyer, arbiter)
        );
        agreement.seller = arbiter;
        _refused(
            agreement,
            abi.encodeWithSelector(IEscrow.Escrow_BadParties.selector, buyer, arbiter, arbiter)
        );
        agreement = _one();
        agreement.buyer = address(0);
        _refused(agreement, abi.encodeWithSelector(IEscrow.Escrow_BadParties.selector, 0, seller, arbiter));
        agreement.buyer = arbiter;
        _refused(
            agreement,
            abi.encodeWithSelector(IEscrow.Escrow_BadParties.selector, arbiter, seller, arbiter)
        );
        agreement = _one();
        agreement.token = stranger;
        _refused(agreement, abi.encodeWithSelector(IEscrow.Escrow_NotAToken.selector, stranger));
    }

    function test_open_refusesBadMilestones() public {
        _refused(_of(0), abi.encodeWithSelector(IEscrow.Escrow_BadMilestones.selector, 0, 50));
        _refused(_of(51), abi.encodeWithSelector(IEscrow.Escrow_BadMilestones.selector, 51, 50));
        IAgreements.Agreement memory agreement = _three();
        agreement.milestones[1].amount = 0;
        _refused(agreement, abi.encodeWithSelector(IEscrow.Escrow_ZeroAmount.selector));
        IAgreements.Agreement memory most = _of(50);
        for (uint256 i = 0; i < 50; ++i) most.milestones[i].amount = 1;
        _assertStatus(_open(most), IERC8183.Status.Funded);
    }

    function test_open_refusesBadTimes() public {
        IAgreements.Agreement memory agreement = _one();
        uint256 latest = START + 5 * 365 days;
        bytes4 bad = IEscrow.Escrow_BadDeadline.selector;
        _deliverBy(agreement, START);
        _refused(agreement, abi.encodeWithSelector(bad, START, START + 1, latest));
        _deliverBy(agreement, latest + 1);
        _refused(agreement, abi.encodeWithSelector(bad, latest + 1, START + 1, latest));
        _deliverBy(agreement, latest);
        agreement.acceptBy = uint40(START);
        _refused(agreement, abi.encodeWithSelector(bad, START, START + 1, latest));
        agreement.acceptBy = uint40(latest + 1);
        _refused(agreement, abi.encodeWithSelector(bad, latest + 1, START + 1, latest));
        agreement.acceptBy = 0;
        bad = IEscrow.Escrow_BadReviewWindow.selector;
        agreement.reviewWindow = 1 hours - 1;
        _refused(agreement, abi.encodeWithSelector(bad, 1 hours - 1, 1 hours, 90 days));
        agreement.reviewWindow = 90 days + 1;
        _refused(agreement, abi.encodeWithSelector(bad, 90 days + 1, 1 hours, 90 days));
        agreement.reviewWindow = 90 days;
        _open(agreement);
        agreement.reviewWindow = 1 hours;
        _deliverBy(agreement, START + 1);
        _open(agreement);
    }

    function test_open_refusesAMilestoneThatIsDueBeforeAnEarlierOne() public {
        IAgreements.Agreement memory agreement = _three();
        agreement.milestones[1].deliverBy = DELIVER_BY - 1;
        bytes4 bad = IEscrow.Escrow_BadDeadline.selector;
        _refused(agreement, abi.encodeWithSelector(bad, DELIVER_BY - 1, DELIVER_BY, START + 5 * 365 days));
    }

    function test_open_twice_needsOtherTerms() public {
        IAgreements.Agreement memory agreement = _one();
        uint256 id = _open(agreement);
        _refused(agreement, abi.encodeWithSelector(IEscrow.Escrow_AlreadyOpened.selector, id));
        vm.prank(buyer);
        escrow.release(id, abi.encode(agreement));
        // Nor when it is over: what was said about it stays about it.
        _refused(agreement, abi.encodeWithSelector(IEscrow.Escrow_AlreadyOpened.selector, id));
        agreement.termsHash = "other terms";
        assertFalse(_open(agreement) == id, "another one");
    }

    function test_open_refusesATokenThatTakesAFee() public {
        FeeOnTransfer token = new FeeOnTransfer();
        token.mint(buyer, 100 * USD);
        vm.prank(buyer);
        token.approve(address(escrow), 100 * USD);
        IAgreements.Agreement memory agreement = _one();
        agreement.token = address(token);
        _refused(
            agreement,
            abi.encodeWithSelector(
                IEscrow.Escrow_AmountNotExact.selector,
                address(token),
                99 * USD,
                100 * USD
            )
        );
    }

    function test_openWithPermit() public {
        (address owner, uint256 key) = makeAddrAndKey("owner");
        usdc.mint(owner, 100 * USD);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _permitDigest(owner));
        vm.prank(owner);
        uint256 id = escrow.openWithPermit(_one(), START, v, r, s);
        _assertStatus(id, IERC8183.Status.Funded);
        assertEq(usdc.balanceOf(address(escrow)), 100 * USD, "in escrow");
    }

    function test_openWithPermit_usedByAnotherBefore_works() public {
        (address owner, uint256 key) = makeAddrAndKey("owner");
        usdc.mint(owner, 100 * USD);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _permitDigest(owner));
        usdc.permit(owner, address(escrow), 100 * USD, START, v, r, s);
        vm.prank(owner);
        escrow.openWithPermit(_one(), START, v, r, s);
        assertEq(usdc.balanceOf(address(escrow)), 100 * USD, "in escrow");
    }

    function test_openWithAuthorization_opensThatAgreementOnly() public {
        IAgreements.Agreement memory agreement = _one();
        bytes memory signature = _authorize(agreement, "salt");
        IAgreements.Agreement memory other = _one();
        other.seller = stranger;
        vm.expectRevert();
        escrow.openWithAuthorization(other, buyer, 0, START + 1, "salt", signature);
        vm.expectEmit(true, true, true, true);
        emit IEscrow.AgreementOpened(_idOf(agreement), buyer, false, agreement);
        vm.prank(stranger);
        uint256 id = escrow.openWithAuthorization(agreement, buyer, 0, START + 1, "salt", signature);
        assertEq(usdc.balanceOf(address(escrow)), 100 * USD, "in escrow");
        vm.expectRevert();
        escrow.openWithAuthorization(agreement, buyer, 0, START + 1, "salt", signature);
        _assertStatus(id, IERC8183.Status.Funded);
    }

    function test_unknownJobsAndAgreements_areRefused() public {
        IAgreements.Agreement memory agreement = _one();
        uint256 id = _open(agreement);
        bytes memory unknown = abi.encodeWithSelector(IEscrow.Escrow_UnknownJob.selector, id + 1);
        vm.expectRevert(unknown);
        escrow.statusOf(id + 1);
        vm.expectRevert(unknown);
        escrow.outcomeOf(id + 1, agreement);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_UnknownJob.selector, 0));
        escrow.release(0, abi.encode(agreement));
        bytes memory mismatch = abi.encodeWithSelector(IEscrow.Escrow_AgreementMismatch.selector, id);
        vm.expectRevert(mismatch);
        escrow.release(id, NONE);
        vm.expectRevert(mismatch);
        escrow.claimRefund(id);
        vm.expectRevert(mismatch);
        escrow.deadlineOf(id, NONE);
        agreement.milestones[0].amount += 1;
        vm.expectRevert(mismatch);
        vm.prank(buyer);
        escrow.release(id, abi.encode(agreement));
        vm.expectRevert(mismatch);
        escrow.outcomeOf(id, agreement);
        // The hash of an agreement that was never opened is no number.
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_UnknownJob.selector, _idOf(agreement)));
        escrow.release(_idOf(agreement), abi.encode(agreement));
    }

    function _permitDigest(address owner) private view returns (bytes32) {
        bytes32 typehash = keccak256(
            "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
        );
        bytes32 message = keccak256(abi.encode(typehash, owner, address(escrow), 100 * USD, 0, START));
        return keccak256(abi.encodePacked(hex"1901", usdc.DOMAIN_SEPARATOR(), message));
    }

    function _authorize(
        IAgreements.Agreement memory agreement,
        bytes32 salt
    ) private view returns (bytes memory) {
        bytes32 typehash = keccak256(
            "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
        );
        bytes32 nonce = escrow.authorizationNonce(agreement, salt);
        bytes32 message = keccak256(
            abi.encode(typehash, buyer, address(escrow), 100 * USD, 0, START + 1, nonce)
        );
        return _sign(buyerKey, keccak256(abi.encodePacked(hex"1901", usdc.DOMAIN_SEPARATOR(), message)));
    }
}
