// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDisputes} from "../../../contracts/interfaces/trust/IDisputes.sol";
import {DisputesFixture} from "../support/DisputesFixture.sol";

/// @notice What a member of the pool can do whom somebody else than Disputes has slashed: the bounds of docs/trust.md.
contract SlashedMember is DisputesFixture {
    address private mallory;

    /// @dev Six of 17 seats, and one unit less than is locked for them.
    function _slashed() private returns (uint256 id) {
        mallory = _panelist(makeAddr("mallory"), 6 * BOND, 6);
        staking.slash(mallory, 1, fees, "elsewhere");
        avt.mint(mallory, 1);
        vm.prank(mallory);
        avt.approve(address(staking), 1);
        id = _create();
    }

    function _seatsOn(address[] memory panel) private view returns (uint256 count) {
        for (uint256 i = 0; i < panel.length; ++i) if (panel[i] == mallory) ++count;
    }

    function test_addingStakeAfterTheSeed_choosesBetweenTwoPanels() public {
        uint256 id = _slashed();
        uint256 choices;
        for (uint256 seed = 0; seed < 20; ++seed) {
            uint256 start = vm.snapshotState();
            bytes memory header = _reachSeed(keccak256(abi.encode(seed)));
            uint256 known = vm.snapshotState();
            disputes.draw(header);
            assertEq(_seatsOn(_panel(id)), 0, "passed over");
            vm.revertToState(known);
            vm.prank(mallory);
            staking.stake(mallory, 1);
            disputes.draw(header);
            if (_seatsOn(_panel(id)) >= 2) ++choices;
            vm.revertToState(start);
        }
        assertTrue(choices != 0, "a majority or nothing");
    }

    function test_whoIsEvictedInTime_choosesNothing() public {
        uint256 id = _slashed();
        disputes.evict(mallory);
        bytes memory header = _reachSeed("random");
        vm.prank(mallory);
        staking.stake(mallory, 1);
        disputes.draw(header);
        assertEq(_seatsOn(_panel(id)), 0, "out");
    }

    function test_afterASlash_oneStakeStandsBehindTwoLocks() public {
        mallory = _panelist(makeAddr("mallory"), 2 * BOND, 1);
        // This contract is a bonder, as Clearing is.
        staking.lock(mallory, BOND);
        staking.slash(mallory, BOND, fees, "elsewhere");
        assertEq(staking.bondOf(mallory), BOND, "what is left");
        assertEq(staking.lockedBy(mallory, address(disputes)), BOND, "for its seat");
        assertEq(staking.lockedBy(mallory, address(this)), BOND, "and for the other");
        vm.expectPartialRevert(IDisputes.Disputes_Bonded.selector);
        disputes.evict(mallory);
    }
}
