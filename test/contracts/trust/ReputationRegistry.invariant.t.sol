// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Print} from "../support/Print.sol";
import {Walk} from "../support/Walk.sol";
import {ReputationHandler} from "./ReputationHandler.sol";

abstract contract ReputationInvariants is Walk {
    ReputationHandler internal handler;

    function setUp() public {
        handler = new ReputationHandler();
        _begin();
        targetContract(address(handler));
    }

    /// @dev One campaign asks all of them after each call: a campaign of its own for each would walk the same ways.
    function invariant_allHold() public view {
        check_theScoreIsWithinItsBounds();
        check_theScoreIsItsSignals();
        check_nothingForbiddenHappened();
    }

    function check_theScoreIsWithinItsBounds() public view {
        int256 score = handler.score();
        assertTrue(score <= 1_000e6 && score >= -1_000e6, "bounds");
    }

    /// @notice What was revoked leaves no trace but what a bound or a full month cut off it.
    function check_theScoreIsItsSignals() public view {
        (int256 sum, uint256 roundings) = handler.sum();
        int256 off = handler.score() - sum;
        assertLe(uint256(off < 0 ? -off : off), roundings + handler.cutOff(), "off");
    }

    /// @notice Nothing but payments moves the score; a client's signals together, up and down, weigh no more than a
    ///         point for each USDC that it paid; a month's limits hold over any thirty days; a revocation takes back
    ///         no more than was left; whoever paid is heard, whatever the owner does with wallets and approvals.
    function check_nothingForbiddenHappened() public view {
        assertFalse(handler.somethingForbidden(), handler.what());
    }

    function _walkAndPrint(uint256 seed, uint256 steps) internal {
        _walk(address(handler), _selectors(), seed, steps);
        for (uint256 i = 0; i < 15; ++i) Print.count(handler.paths(i), handler.reached(i));
        invariant_allHold();
    }

    function _selectors() private view returns (bytes4[] memory selectors) {
        selectors = new bytes4[](11);
        selectors[0] = handler.payByChannel.selector;
        selectors[1] = handler.payByAgreement.selector;
        selectors[2] = handler.payInJunk.selector;
        selectors[3] = handler.signalByChannel.selector;
        selectors[4] = handler.signalByAgreement.selector;
        selectors[5] = handler.praise.selector;
        selectors[6] = handler.revoke.selector;
        selectors[7] = handler.moveWallet.selector;
        selectors[8] = handler.pass.selector;
        selectors[9] = handler.signalAboutTheTwin.selector;
        selectors[10] = handler.approve.selector;
    }

    function _begin() internal virtual;
}

contract ReputationInvariantTest is ReputationInvariants {
    function test_aWalk_reachesEveryPath() public {
        _walkAndPrint(1, 600);
        // All but a revocation that a bound cuts off: that is the other contract's.
        for (uint256 i = 0; i < 15; ++i) if (i != 8) assertLe(5, handler.reached(i), handler.paths(i));
    }

    function _begin() internal override {
        handler.begin(0, 5 days, 2);
    }
}

contract ReputationAtTheBoundInvariantTest is ReputationInvariants {
    function test_aWalk_isCutOffAtTheBound() public {
        for (uint256 i = 1; i <= 2; ++i) {
            handler.payByChannel(i, 10e6);
            // One raises, the other lowers by as much.
            handler.signalByChannel(i, i == 1 ? 0 : 1);
        }
        handler.revoke(0);
        assertEq(handler.reached(8), 1, handler.paths(8));
        invariant_allHold();
        _walkAndPrint(2, 600);
        assertLe(10, handler.reached(4), handler.paths(4));
        assertLe(10, handler.reached(7), handler.paths(7));
    }

    /// @dev In slow time, or the score would fade away from its bound.
    function _begin() internal override {
        handler.begin(-1_000, 4 hours, 3);
    }
}
