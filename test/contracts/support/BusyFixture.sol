// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDisputes} from "../../../contracts/interfaces/trust/IDisputes.sol";
import {DisputesFixture} from "./DisputesFixture.sol";

/// @notice A pool that has more disputes than seats, each of a validator of its own, which hear them in turns.
abstract contract BusyFixture is DisputesFixture {
    /// @dev Draws whatever can be drawn: until three in a row had to wait, of either round.
    function _drawAll() internal {
        (uint256 id, ) = disputes.nextDraw();
        for (uint256 waiting = 0; id != 0 && waiting < 3; (id, ) = disputes.nextDraw()) {
            _draw(keccak256(abi.encode(id)));
            waiting = disputes.caseOf(id).stage == IDisputes.Stage.Drawing ? waiting + 1 : 0;
        }
    }

    /// @dev Whoever wants to move the pool draws first what comes first.
    function _thaw() internal {
        (uint256 id, uint256 seedBlock) = disputes.nextDraw();
        while (id != 0 && block.number + disputes.POOL_FREEZE() >= seedBlock) {
            _draw(keccak256(abi.encode(id)));
            (id, seedBlock) = disputes.nextDraw();
        }
    }

    /// @dev Draws what can be drawn; unless that is this case, five days pass, in which all panels vote and are settled.
    function _turn(uint256 id) internal returns (bool isWaiting) {
        _drawAll();
        if (id != 0 && disputes.caseOf(id).stage != IDisputes.Stage.Drawing) return false;
        uint256 count = disputes.disputeCount();
        for (uint256 i = 1; i <= count; ++i) {
            if (disputes.caseOf(i).stage != IDisputes.Stage.Committing) continue;
            _vote(i, _votes(1, 1, 1));
            disputes.tally(i);
        }
        skip(5 days);
        for (uint256 i = 1; i <= count; ++i)
            if (disputes.caseOf(i).stage == IDisputes.Stage.Appealable) disputes.settleSeats(i);
        return true;
    }
}
