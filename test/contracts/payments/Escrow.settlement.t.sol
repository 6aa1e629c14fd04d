// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAgreements} from "../../../contracts/interfaces/payments/IAgreements.sol";
import {IERC8183} from "../../../contracts/interfaces/payments/IERC8183.sol";
import {IEscrow} from "../../../contracts/interfaces/payments/IEscrow.sol";
import {ContractWallet} from "../support/ContractWallet.sol";
import {EscrowFixture} from "../support/EscrowFixture.sol";
import {NoReturn} from "../support/tokens/NoReturn.sol";

/// @notice What both sides settle, and payouts that fail.
contract EscrowSettlementTest is EscrowFixture {
    function test_settle_asBothSigned() public {
        IAgreements.Agreement memory agreement = _three();
        uint256 id = _open(agreement);
        bytes32 digest = escrow.settlementDigest(IEscrow.Settlement(id, 45 * USD, 15 * USD, START + 5));
        bytes memory encoded = abi.encode(agreement);
        (bytes memory ofBuyer, bytes memory ofSeller) = (_sign(buyerKey, digest), _sign(sellerKey, digest));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_BadSignature.selector, buyer));
        escrow.settle(IEscrow.Settlement(id, 45 * USD, 15 * USD, START + 5), ofSeller, ofSeller, encoded);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_BadSignature.selector, seller));
        escrow.settle(IEscrow.Settlement(id, 45 * USD, 15 * USD, START + 5), ofBuyer, ofBuyer, encoded);
        vm.warp(START + 6);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_DeadlinePassed.selector, START + 6, START + 5));
        escrow.settle(IEscrow.Settlement(id, 45 * USD, 15 * USD, START + 5), ofBuyer, ofSeller, encoded);
        vm.warp(START + 5);
        vm.expectEmit(true, true, true, true);
        emit IEscrow.JointlySettled(id, 45 * USD, 15 * USD);
        escrow.settle(IEscrow.Settlement(id, 45 * USD, 15 * USD, START + 5), ofBuyer, ofSeller, encoded);
        assertEq(usdc.balanceOf(seller), 45 * USD, "seller");
        assertEq(usdc.balanceOf(buyer), 999_955 * USD, "buyer");
        _assertStatus(id, IERC8183.Status.Completed);
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.Escrow_WrongStatus.selector, id, IERC8183.Status.Completed)
        );
        escrow.settle(IEscrow.Settlement(id, 45 * USD, 15 * USD, START + 5), ofBuyer, ofSeller, encoded);
    }

    function test_settle_forNothing_isARejection() public {
        IAgreements.Agreement memory agreement = _one();
        uint256 id = _open(agreement);
        bytes32 digest = escrow.settlementDigest(IEscrow.Settlement(id, 0, 100 * USD, START));
        (bytes memory ofBuyer, bytes memory ofSeller) = (_sign(buyerKey, digest), _sign(sellerKey, digest));
        vm.expectEmit(true, true, true, true);
        emit IERC8183.JobRejected(id, address(this), 0);
        escrow.settle(IEscrow.Settlement(id, 0, 100 * USD, START), ofBuyer, ofSeller, abi.encode(agreement));
        _assertStatus(id, IERC8183.Status.Rejected);
    }

    function test_settle_forMoreOrLessThanIsThere_isRefused() public {
        IAgreements.Agreement memory agreement = _one();
        uint256 id = _open(agreement);
        uint128[2][3] memory shares = [[100 * USD + 1, 0], [60 * USD, 41 * USD], [60 * USD, 39 * USD]];
        for (uint256 i = 0; i < 3; ++i) {
            (uint128 ofSeller, uint128 ofBuyer) = (shares[i][0], shares[i][1]);
            vm.expectRevert(
                abi.encodeWithSelector(IEscrow.Escrow_NotTheRest.selector, ofSeller, ofBuyer, 100 * USD)
            );
            escrow.settle(
                IEscrow.Settlement(id, ofSeller, ofBuyer, START),
                NONE,
                NONE,
                abi.encode(agreement)
            );
        }
    }

    function test_settle_inADispute_sharesWhatWasPutDown() public {
        IAgreements.Agreement memory agreement = _one();
        agreement.arbiter = address(judge);
        uint256 id = _open(agreement);
        _submit(id, agreement);
        _ask(id, agreement);
        bytes32 digest = escrow.settlementDigest(IEscrow.Settlement(id, 60 * USD, 40 * USD, START));
        (bytes memory ofBuyer, bytes memory ofSeller) = (_sign(buyerKey, digest), _sign(sellerKey, digest));
        escrow.settle(
            IEscrow.Settlement(id, 60 * USD, 40 * USD, START),
            ofBuyer,
            ofSeller,
            abi.encode(agreement)
        );
        assertEq(escrow.creditOf(address(0), buyer), 0.005 ether, "half");
        assertEq(escrow.creditOf(address(0), seller), 0.005 ether, "half");
    }

    function test_settle_withAContractAsBuyer() public {
        ContractWallet wallet = new ContractWallet(buyer);
        IAgreements.Agreement memory agreement = _one();
        agreement.buyer = address(wallet);
        uint256 id = _open(agreement);
        bytes32 digest = escrow.settlementDigest(IEscrow.Settlement(id, 60 * USD, 40 * USD, START));
        bytes memory encoded = abi.encode(agreement);
        escrow.settle(
            IEscrow.Settlement(id, 60 * USD, 40 * USD, START),
            _sign(buyerKey, digest),
            _sign(sellerKey, digest),
            encoded
        );
        assertEq(usdc.balanceOf(address(wallet)), 40 * USD, "the contract's part");
    }

    function test_settle_byKeysOfAccountsWhoseCodeDenies() public {
        IAgreements.Agreement memory agreement = _one();
        uint256 id = _open(agreement);
        bytes32 digest = escrow.settlementDigest(IEscrow.Settlement(id, 60 * USD, 40 * USD, START));
        (bytes memory ofBuyer, bytes memory ofSeller) = (_sign(buyerKey, digest), _sign(sellerKey, digest));
        // EIP-7702: this code takes nobody's word but another key's.
        bytes memory code = abi.encodePacked(hex"ef0100", address(new ContractWallet(makeAddr("other"))));
        vm.etch(buyer, code);
        vm.etch(seller, code);
        escrow.settle(
            IEscrow.Settlement(id, 60 * USD, 40 * USD, START),
            ofBuyer,
            ofSeller,
            abi.encode(agreement)
        );
        assertEq(usdc.balanceOf(seller), 60 * USD, "the seller's part");
    }

    // Payouts that fail

    function test_blockedSeller_isCredited() public {
        IAgreements.Agreement memory agreement = _one();
        uint256 id = _open(agreement);
        usdc.blocklist(seller);
        _submit(id, agreement);
        vm.expectEmit(true, true, true, true);
        emit IEscrow.PayoutCredited(address(usdc), seller, 100 * USD);
        vm.prank(buyer);
        escrow.complete(id, 0, abi.encode(agreement));
        assertEq(escrow.creditOf(address(usdc), seller), 100 * USD, "credit");
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NoCredit.selector, address(usdc), stranger));
        vm.prank(stranger);
        escrow.withdrawCredit(address(usdc), stranger);
        vm.expectEmit(true, true, true, true);
        emit IEscrow.CreditWithdrawn(address(usdc), seller, stranger, 100 * USD);
        vm.prank(seller);
        assertEq(escrow.withdrawCredit(address(usdc), stranger), 100 * USD, "withdrawn");
        assertEq(usdc.balanceOf(stranger), 100 * USD, "to where it can go");
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NoCredit.selector, address(usdc), seller));
        vm.prank(seller);
        escrow.withdrawCredit(address(usdc), stranger);
    }

    function test_tokenWithoutReturnValue_works() public {
        NoReturn token = new NoReturn();
        token.mint(buyer, 100 * USD);
        vm.prank(buyer);
        token.approve(address(escrow), 100 * USD);
        IAgreements.Agreement memory agreement = _one();
        agreement.token = address(token);
        uint256 id = _open(agreement);
        vm.prank(buyer);
        escrow.release(id, abi.encode(agreement));
        assertEq(token.balanceOf(seller), 100 * USD, "paid");
    }
}
