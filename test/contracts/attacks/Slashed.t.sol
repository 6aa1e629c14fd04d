// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DisputesFixture} from "../support/DisputesFixture.sol";

/// @notice What a member of the pool can do whom somebody else than Disputes has slashed, as Clearing its operator.
contract SlashedMember is DisputesFixture {
    address private mallory;

    /// @dev Some of the seats, and one unit less than is locked for them; it may add that unit at any time.
    function _slashed(uint256 seats) private returns (uint256 id) {
        mallory = _panelist(makeAddr("mallory"), seats * BOND, seats);
        staking.slash(mallory, 1, fees, "elsewhere");
        avt.mint(mallory, 1);
        vm.prank(mallory);
        avt.approve(address(staking), 1);
        id = _create();
    }

    /// @dev Was: whoever lacked its bond was passed over, so that adding stake after the seed chose another panel; and
    ///      with eight of 19 seats another draw.
    function test_addingStakeAfterTheSeed_changesNoPanel() public {
        for (uint256 seats = 6; seats <= 8; seats += 2) {
            uint256 start = vm.snapshotState();
            uint256 id = _slashed(seats);
            uint256 asked = vm.snapshotState();
            for (uint256 seed = 0; seed < 20; ++seed) {
                bytes memory header = _reachSeed(keccak256(abi.encode(seed)));
                uint256 known = vm.snapshotState();
                disputes.draw(header);
                address[] memory without = _panel(id);
                assertEq(without.length, 3, "drawn");
                vm.revertToState(known);
                vm.prank(mallory);
                staking.stake(mallory, 1);
                disputes.draw(header);
                for (uint256 i = 0; i < 3; ++i) assertEq(_panel(id)[i], without[i], "the same panel");
                vm.revertToState(asked);
                asked = vm.snapshotState();
            }
            vm.revertToState(start);
        }
    }

    /// @dev Was: who knew the seed could have itself, or another, passed over by a slash.
    function test_beingSlashedAfterTheSeed_changesNoPanel() public {
        uint256 id = _create();
        bytes memory header = _reachSeed("random");
        address[] memory panel = _foreseen(id, header);
        for (uint256 i = 0; i < 3; ++i) staking.slash(panel[i], BOND, fees, "elsewhere");
        disputes.draw(header);
        for (uint256 i = 0; i < 3; ++i) assertEq(_panel(id)[i], panel[i], "the same panel");
    }

    /// @dev The bound of docs/trust.md: whom nobody evicts in time sits, with what is left of its stake behind its vote.
    function test_whoIsNotEvictedInTime_sits_andAnswersWithWhatIsLeft() public {
        uint256 id = _create();
        bytes memory header = _reachSeed("random");
        for (uint256 i = 0; i < POOL; ++i) staking.slash(pool[i], BOND, fees, "elsewhere");
        disputes.draw(header);
        address[] memory panel = _panel(id);
        _vote(id, _votes(1, 1, 9_000));
        disputes.tally(id);
        skip(2 days);
        disputes.settleSeats(id);
        assertEq(staking.bondOf(panel[2]), BOND / 2, "the bound of all slashes is used up");
        assertEq(staking.lockedBy(panel[2], address(disputes)), 0, "and its seat is lost");
        disputes.evict(panel[0]);
        assertEq(_freeOf(panel[0]), 0, "the others leave, too");
    }

    function test_whoIsEvictedInTime_isNotDrawn() public {
        uint256 id = _slashed(6);
        disputes.evict(mallory);
        bytes memory header = _reachSeed("random");
        vm.prank(mallory);
        staking.stake(mallory, 1);
        disputes.draw(header);
        for (uint256 i = 0; i < 3; ++i) assertTrue(_panel(id)[i] != mallory, "out");
    }

    /// @dev Was: each bonder looked for its own lock alone.
    function test_afterASlash_noStakeStandsBehindTwoLocks() public {
        mallory = _panelist(makeAddr("mallory"), 2 * BOND, 1);
        // This contract is a bonder, as Clearing is.
        staking.lock(mallory, BOND);
        assertEq(staking.bondFor(mallory, address(this)), BOND, "a bond each");
        staking.slash(mallory, BOND, fees, "elsewhere");
        assertEq(staking.bondOf(mallory), BOND, "what is left");
        assertEq(staking.bondFor(mallory, address(this)), 0, "the seat's");
        assertEq(staking.bondFor(mallory, address(disputes)), 0, "and the other's");
        disputes.evict(mallory);
        assertEq(_freeOf(mallory), 0, "out");
        assertEq(staking.bondFor(mallory, address(this)), BOND, "the other's alone");
    }
}
