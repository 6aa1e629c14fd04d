// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAgreements} from "../../../contracts/interfaces/payments/IAgreements.sol";
import {IERC8183} from "../../../contracts/interfaces/payments/IERC8183.sol";
import {Escrow} from "../../../contracts/payments/Escrow.sol";
import {EscrowFixture} from "../support/EscrowFixture.sol";
import {Judge} from "../support/Judge.sol";
import {Print} from "../support/Print.sol";
import {Test} from "../support/Test.sol";
import {Walk} from "../support/Walk.sol";
import {Blocklist} from "../support/tokens/Blocklist.sol";

/// @notice Parties of some agreements, mostly the newest six, an arbiter, an arbitrator and passers-by act at random, with time jumps and
///         a token that blocks them now and then.
contract EscrowHandler is Test {
    uint256 public constant MOST = 200;

    Escrow public escrow;
    Blocklist public token;
    Judge public judge;
    address public buyer;
    address public seller;
    address public arbiter;

    /// @dev ABI-encoded.
    bytes[] private _agreements;
    uint256 public cases;
    /// @dev How often each path was reached: opened, then the acts by number.
    uint256[12] public reached;
    bool public somethingForbidden;

    constructor(Escrow escrow_, Blocklist token_, Judge judge_, address[3] memory parties) {
        (escrow, token, judge) = (escrow_, token_, judge_);
        (buyer, seller, arbiter) = (parties[0], parties[1], parties[2]);
    }

    function count() public view returns (uint256) {
        return _agreements.length;
    }

    function agreementOf(uint256 id) public view returns (IAgreements.Agreement memory) {
        return abi.decode(_agreements[id - 1], (IAgreements.Agreement));
    }

    function idOf(uint256 id) public view returns (uint256) {
        return uint256(keccak256(_agreements[id - 1]));
    }

    function open(uint256 milestones, uint256 amount, uint256 who) external {
        if (_agreements.length == MOST) return;
        IAgreements.Milestone[] memory parts = new IAgreements.Milestone[](bound(milestones, 1, 3));
        for (uint256 i = 0; i < parts.length; ++i)
            parts[i] = IAgreements.Milestone(
                uint128(bound(amount, 1, 1e20) + i),
                uint40(block.timestamp + (10 + i * (amount % 5)) * 1 days)
            );
        IAgreements.Agreement memory agreement = IAgreements.Agreement({
            buyer: buyer,
            seller: seller,
            token: address(token),
            milestones: parts,
            acceptBy: amount % 3 == 0 ? uint40(block.timestamp + 5 days) : 0,
            reviewWindow: 1 days,
            arbiter: who % 2 == 0 ? address(judge) : arbiter,
            termsHash: bytes32(_agreements.length)
        });
        vm.prank(buyer);
        try escrow.open(agreement) {
            _agreements.push(abi.encode(agreement));
            ++reached[0];
        } catch {}
    }

    function act(uint256 at, uint256 what, uint256 who) external {
        if (_agreements.length == 0) return;
        uint256 count_ = _agreements.length;
        uint256 which = count_ - (at % (count_ < 6 ? count_ : 6));
        IAgreements.Agreement memory agreement = agreementOf(which);
        uint256 id = idOf(which);
        (IERC8183.Status before, uint256 settled, uint256 since) = escrow.statusOf(id);
        uint256 had = escrow.creditOf(address(token), seller) + token.balanceOf(seller);
        uint256 share = what / 11;
        what %= 11;
        // Giving in ends an agreement: mostly the seller delivers instead, and one side disputes.
        if ((what == 1 || what == 3) && share % 4 != 0) what = share % 4 == 1 ? 7 : 0;
        if (what > 8 && share % 2 == 0) what = 6;
        address caller = _callerOf(what, who);
        if (!_call(id, what, caller, share, agreement)) return;
        ++reached[1 + what];
        uint256 toSeller = escrow.creditOf(address(token), seller) + token.balanceOf(seller) - had;
        bool isDelivered = before == IERC8183.Status.Submitted || before == IERC8183.Status.Disputed;
        // An undelivered milestone is paid by nobody but the buyer.
        if (toSeller != 0 && !isDelivered && caller != buyer) somethingForbidden = true;
        // A delivered one is refunded by the seller, the arbiter, a ruling or an unanswered dispute, never by the mere
        // passage of time.
        if (what == 2 && isDelivered) somethingForbidden = true;
        if (what == 1 && before == IERC8183.Status.Submitted && caller != buyer)
            if (block.timestamp < since + 1 days) somethingForbidden = true;
        if (toSeller > agreement.milestones[settled].amount) somethingForbidden = true;
    }

    function rule(uint256 at, uint256 ruling) external {
        if (cases == 0) return;
        try judge.give(at % cases, ruling % 10_002) {} catch {}
    }

    function toggleBlock(uint256 who, uint256 isBlocked) external {
        token.setBlocked(who % 2 == 0 ? seller : buyer, isBlocked % 2 == 0);
    }

    function withdraw(uint256 who, uint256 what) external {
        address party = who % 2 == 0 ? seller : buyer;
        vm.prank(party);
        try escrow.withdrawCredit(what % 2 == 0 ? address(0) : address(token), party) {} catch {}
    }

    function pass(uint256 timeSeconds) external {
        // Mostly hours, so that parties meet in time.
        skip(bound(timeSeconds, 1, timeSeconds % 4 == 0 ? 12 days : 12 hours));
    }

    /// @dev Mostly the one whose act it is; it may be either side's to dispute and to answer.
    function _callerOf(uint256 what, uint256 who) private view returns (address) {
        address[4] memory all = [buyer, seller, arbiter, address(0xabc)];
        uint8[11] memory usual = [1, 0, 3, 1, 0, 2, 3, uint8(who % 2), uint8(who % 2), 1, 0];
        return all[who % 3 == 0 ? (who / 3) % 4 : usual[what]];
    }

    function _call(
        uint256 id,
        uint256 what,
        address caller,
        uint256 share,
        IAgreements.Agreement memory terms
    ) private returns (bool ok) {
        bytes memory agreement = abi.encode(terms);
        bytes memory data;
        if (what == 0) data = abi.encodeCall(escrow.submit, (id, "d", agreement));
        else if (what == 1) data = abi.encodeCall(escrow.release, (id, agreement));
        else if (what == 2) data = abi.encodeWithSignature("claimRefund(uint256,bytes)", id, agreement);
        else if (what == 3) data = abi.encodeCall(escrow.refund, (id, agreement));
        else if (what == 4) data = abi.encodeCall(escrow.complete, (id, 0, agreement));
        else if (what == 5) data = abi.encodeCall(escrow.resolve, (id, share % 10_001, agreement));
        else if (what == 6) data = abi.encodeCall(escrow.executeRuling, (id, agreement));
        else if (what == 7) data = abi.encodeCall(escrow.dispute, (id, agreement));
        else if (what == 8) data = abi.encodeCall(escrow.answer, (id, agreement));
        else if (what == 9) data = abi.encodeCall(escrow.accept, (id, agreement));
        else data = abi.encodeCall(escrow.extend, (id, block.timestamp + (share % 20 days), agreement));
        bool isPaid = (what == 7 || what == 8) && terms.arbiter == address(judge);
        uint256 value = isPaid ? judge.FEE() : 0;
        vm.deal(caller, 1 ether);
        vm.prank(caller);
        (ok, ) = address(escrow).call{value: value}(data);
        if (ok && what == 8) ++cases;
    }
}

contract EscrowInvariantTest is EscrowFixture, Walk {
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

    /// @notice Escrow holds exactly what its open agreements, its credits and what was put down for arbitrators come to.
    function check_holdsExactlyWhatIsOwed() public view {
        uint256 owed = escrow.creditOf(address(token), buyer) + escrow.creditOf(address(token), seller);
        uint256 coin = escrow.creditOf(address(0), buyer) + escrow.creditOf(address(0), seller);
        for (uint256 id = 1; id <= handler.count(); ++id) {
            IAgreements.Agreement memory agreement = handler.agreementOf(id);
            (IERC8183.Status status, uint256 settled, ) = escrow.statusOf(handler.idOf(id));
            bool isDisputed = status == IERC8183.Status.Disputed;
            if (isDisputed && agreement.arbiter == address(judge)) coin += judge.FEE();
            if (!isDisputed && status != IERC8183.Status.Funded && status != IERC8183.Status.Submitted)
                continue;
            for (uint256 i = settled; i < agreement.milestones.length; ++i)
                owed += agreement.milestones[i].amount;
        }
        assertEq(token.balanceOf(address(escrow)), owed, "held and owed");
        assertEq(address(escrow).balance, coin, "put down for arbitrators");
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

    function test_aWalk_reachesEveryAct() public {
        bytes4[] memory selectors = new bytes4[](20);
        for (uint256 i = 0; i < 20; ++i) selectors[i] = handler.act.selector;
        selectors[0] = handler.open.selector;
        selectors[1] = handler.rule.selector;
        selectors[2] = handler.withdraw.selector;
        selectors[3] = handler.pass.selector;
        selectors[4] = handler.rule.selector;
        string[12] memory paths = [
            string("open"),
            "submit",
            "release",
            "claimRefund",
            "refund",
            "complete",
            "resolve",
            "executeRuling",
            "dispute",
            "answer",
            "accept",
            "extend"
        ];
        _walk(address(handler), selectors, 1, 1_200);
        invariant_allHold();
        for (uint256 i = 0; i < 12; ++i) {
            Print.count(paths[i], handler.reached(i));
            assertLe(1, handler.reached(i), paths[i]);
        }
    }
}
