// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAgreements} from "../../../contracts/interfaces/payments/IAgreements.sol";
import {IERC8183} from "../../../contracts/interfaces/payments/IERC8183.sol";
import {Escrow} from "../../../contracts/payments/Escrow.sol";
import {EscrowFixture} from "../support/EscrowFixture.sol";
import {Judge} from "../support/Judge.sol";
import {Test} from "../support/Test.sol";
import {Blocklist} from "../support/tokens/Blocklist.sol";

/// @notice Parties of up to six agreements, an arbiter, an arbitrator and passers-by act at random, with time
///         jumps and
///         a token that blocks them now and then.
contract EscrowHandler is Test {
    uint256 public constant MOST = 6;

    Escrow public escrow;
    Blocklist public token;
    Judge public judge;
    address public buyer;
    address public seller;
    address public arbiter;

    IAgreements.Agreement[] private _agreements;
    uint256 public cases;
    /// @dev What left escrow for each agreement, by the balances and credits of its parties.
    uint256 public out;
    uint256 public paidIn;
    bool public somethingForbidden;

    constructor(Escrow escrow_, Blocklist token_, Judge judge_, address[3] memory parties) {
        (escrow, token, judge) = (escrow_, token_, judge_);
        (buyer, seller, arbiter) = (parties[0], parties[1], parties[2]);
    }

    function count() public view returns (uint256) {
        return _agreements.length;
    }

    function agreementOf(uint256 id) public view returns (IAgreements.Agreement memory) {
        return _agreements[id - 1];
    }

    function open(uint256 milestones, uint256 amount, bool byArbitrator) external {
        if (_agreements.length == MOST) return;
        uint128[] memory amounts = new uint128[](bound(milestones, 1, 3));
        for (uint256 i = 0; i < amounts.length; ++i) amounts[i] = uint128(bound(amount, 1, 1e20) + i);
        IAgreements.Agreement memory agreement = IAgreements.Agreement({
            buyer: buyer,
            seller: seller,
            token: address(token),
            milestones: amounts,
            deliverBy: uint40(block.timestamp + 10 days),
            reviewWindow: 1 days,
            arbiter: byArbitrator ? address(judge) : arbiter,
            termsHash: 0
        });
        vm.prank(buyer);
        try escrow.open(agreement) {
            _agreements.push(agreement);
            for (uint256 i = 0; i < amounts.length; ++i) paidIn += amounts[i];
        } catch {}
    }

    function act(uint256 at, uint256 what, uint256 who, uint256 share) external {
        if (_agreements.length == 0) return;
        uint256 id = 1 + (at % _agreements.length);
        IAgreements.Agreement memory agreement = agreementOf(id);
        (IERC8183.Status before, uint256 settled, uint256 since) = escrow.statusOf(id);
        uint256 had = escrow.creditOf(address(token), seller) + token.balanceOf(seller);
        address caller = [buyer, seller, arbiter, address(0xabc)][who % 4];
        what %= 8;
        vm.deal(caller, 1 ether);
        vm.startPrank(caller);
        bool ok = _call(id, what, share, abi.encode(agreement));
        vm.stopPrank();
        if (!ok) return;
        uint256 toSeller = escrow.creditOf(address(token), seller) + token.balanceOf(seller) - had;
        bool isDelivered = before == IERC8183.Status.Submitted || before == IERC8183.Status.Disputed;
        // An undelivered milestone is paid by nobody but the buyer.
        if (toSeller != 0 && !isDelivered && caller != buyer) somethingForbidden = true;
        // A delivered one is refunded by the seller, the arbiter or a ruling, never by the mere passage of time.
        if (what == 2 && isDelivered) somethingForbidden = true;
        if (what == 1 && before == IERC8183.Status.Submitted && caller != buyer)
            if (block.timestamp < since + 1 days) somethingForbidden = true;
        if (toSeller > agreement.milestones[settled]) somethingForbidden = true;
    }

    function rule(uint256 at, uint256 ruling) external {
        if (cases == 0) return;
        try judge.give(at % cases, ruling % 10_002) {} catch {}
    }

    function toggleBlock(bool ofSeller, bool blocked) external {
        token.setBlocked(ofSeller ? seller : buyer, blocked);
    }

    function withdraw(bool ofSeller) external {
        vm.prank(ofSeller ? seller : buyer);
        try escrow.withdrawCredit(address(token), ofSeller ? seller : buyer) {} catch {}
    }

    function pass(uint256 timeSeconds) external {
        skip(bound(timeSeconds, 1, 12 days));
    }

    function _call(uint256 id, uint256 what, uint256 share, bytes memory agreement) private returns (bool) {
        bytes memory data;
        uint256 value;
        if (what == 0) data = abi.encodeCall(escrow.submit, (id, "d", agreement));
        else if (what == 1) data = abi.encodeCall(escrow.release, (id, agreement));
        else if (what == 2) data = abi.encodeWithSignature("claimRefund(uint256,bytes)", id, agreement);
        else if (what == 3) data = abi.encodeCall(escrow.refund, (id, agreement));
        else if (what == 4) data = abi.encodeCall(escrow.complete, (id, 0, agreement));
        else if (what == 5) data = abi.encodeCall(escrow.resolve, (id, share % 10_001, agreement));
        else if (what == 6) data = abi.encodeCall(escrow.executeRuling, (id, agreement));
        else {
            data = abi.encodeCall(escrow.dispute, (id, agreement));
            value = agreementOf(id).arbiter == address(judge) ? judge.FEE() : 0;
        }
        (bool ok, ) = address(escrow).call{value: value}(data);
        if (ok && value != 0) ++cases;
        return ok;
    }
}

contract EscrowInvariantTest is EscrowFixture {
    EscrowHandler private handler;
    Blocklist private token;

    function setUp() public override {
        super.setUp();
        token = new Blocklist();
        token.mint(buyer, 1e30);
        vm.prank(buyer);
        token.approve(address(escrow), type(uint256).max);
        handler = new EscrowHandler(escrow, token, judge, [buyer, seller, arbiter]);
        targetContract(address(handler));
    }

    /// @dev One campaign asks all of them after each call: a campaign of its own for each would walk the same ways.
    function invariant_allHold() public view {
        check_holdsExactlyWhatIsOwed();
        check_nothingIsLost();
        check_nothingForbiddenHappened();
    }

    /// @notice Escrow holds exactly what its open agreements and its credits come to.
    function check_holdsExactlyWhatIsOwed() public view {
        uint256 owed = escrow.creditOf(address(token), buyer) + escrow.creditOf(address(token), seller);
        for (uint256 id = 1; id <= handler.count(); ++id) {
            (IERC8183.Status status, uint256 settled, ) = escrow.statusOf(id);
            if (
                status != IERC8183.Status.Funded &&
                status != IERC8183.Status.Submitted &&
                status != IERC8183.Status.Disputed
            ) continue;
            uint128[] memory milestones = handler.agreementOf(id).milestones;
            for (uint256 i = settled; i < milestones.length; ++i) owed += milestones[i];
        }
        assertEq(token.balanceOf(address(escrow)), owed, "held and owed");
    }

    /// @notice Nothing is made or lost: all tokens are in escrow or with the parties.
    function check_nothingIsLost() public view {
        assertEq(
            token.balanceOf(address(escrow)) + token.balanceOf(buyer) + token.balanceOf(seller),
            token.totalSupply(),
            "all tokens"
        );
    }

    function check_nothingForbiddenHappened() public view {
        assertFalse(handler.somethingForbidden(), "see the handler");
    }
}
