// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestUSDC} from "../../../contracts/dev/TestUSDC.sol";
import {IAgreements} from "../../../contracts/interfaces/payments/IAgreements.sol";
import {IERC8183} from "../../../contracts/interfaces/payments/IERC8183.sol";
import {Escrow} from "../../../contracts/payments/Escrow.sol";
import {Judge} from "./Judge.sol";
import {Test} from "./Test.sol";

/// @notice An Escrow, a buyer with money, a seller, a person who arbitrates and an arbitrator.
abstract contract EscrowFixture is Test {
    uint256 internal constant START = 1_700_000_000;
    uint128 internal constant USD = 1e6;
    uint40 internal constant DELIVER_BY = uint40(START + 10 days);
    uint32 internal constant REVIEW = 2 days;
    bytes internal constant NONE = "";

    Escrow internal escrow;
    TestUSDC internal usdc;
    Judge internal judge;
    address internal buyer;
    uint256 internal buyerKey;
    address internal seller;
    uint256 internal sellerKey;
    address internal arbiter;
    address internal stranger;

    function setUp() public virtual {
        vm.warp(START);
        (buyer, buyerKey) = makeAddrAndKey("buyer");
        (seller, sellerKey) = makeAddrAndKey("seller");
        arbiter = makeAddr("arbiter");
        stranger = makeAddr("stranger");
        usdc = new TestUSDC(address(this));
        escrow = new Escrow(address(usdc), "ipfs://meta");
        judge = new Judge();
        usdc.mint(buyer, 1_000_000 * USD);
        vm.prank(buyer);
        usdc.approve(address(escrow), type(uint256).max);
        vm.deal(buyer, 1 ether);
        vm.deal(seller, 1 ether);
    }

    /// @dev 100 USDC in one milestone, with a person as arbiter.
    function _one() internal view returns (IAgreements.Agreement memory agreement) {
        agreement = _of(1);
        agreement.milestones[0].amount = 100 * USD;
    }

    /// @dev 10, 20 and 30 USDC.
    function _three() internal view returns (IAgreements.Agreement memory agreement) {
        agreement = _of(3);
        for (uint128 i = 0; i < 3; ++i) agreement.milestones[i].amount = (i + 1) * 10 * USD;
    }

    function _of(uint256 milestones) internal view returns (IAgreements.Agreement memory agreement) {
        agreement = IAgreements.Agreement({
            buyer: buyer,
            seller: seller,
            token: address(usdc),
            milestones: new IAgreements.Milestone[](milestones),
            acceptBy: 0,
            reviewWindow: REVIEW,
            arbiter: arbiter,
            termsHash: "terms"
        });
        _deliverBy(agreement, DELIVER_BY);
    }

    function _deliverBy(IAgreements.Agreement memory agreement, uint256 time) internal pure {
        for (uint256 i = 0; i < agreement.milestones.length; ++i)
            agreement.milestones[i].deliverBy = uint40(time);
    }

    function _idOf(IAgreements.Agreement memory agreement) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(agreement)));
    }

    function _open(IAgreements.Agreement memory agreement) internal returns (uint256 id) {
        vm.prank(buyer);
        id = escrow.open(agreement);
    }

    function _submit(uint256 id, IAgreements.Agreement memory agreement) internal {
        vm.prank(seller);
        escrow.submit(id, "deliverable", abi.encode(agreement));
    }

    function _dispute(uint256 id, IAgreements.Agreement memory agreement) internal {
        vm.prank(buyer);
        escrow.dispute(id, abi.encode(agreement));
    }

    /// @dev Disputes before the judge; the seller answers.
    function _ask(uint256 id, IAgreements.Agreement memory agreement) internal {
        vm.prank(buyer);
        escrow.dispute{value: 0.01 ether}(id, abi.encode(agreement));
        vm.prank(seller);
        escrow.answer{value: 0.01 ether}(id, abi.encode(agreement));
    }

    /// @dev Opened and submitted, and a dispute about it is before the judge.
    function _asked(IAgreements.Agreement memory agreement) internal returns (uint256 id) {
        agreement.arbiter = address(judge);
        id = _open(agreement);
        _submit(id, agreement);
        _ask(id, agreement);
    }

    function _statusOf(uint256 id) internal view returns (IERC8183.Status status) {
        (status, , ) = escrow.statusOf(id);
    }

    function _assertStatus(uint256 id, IERC8183.Status wanted) internal view {
        assertEq(uint256(_statusOf(id)), uint256(wanted), "status");
    }

    function _sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }
}
