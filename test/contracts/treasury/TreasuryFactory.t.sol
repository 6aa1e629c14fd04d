// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITreasury} from "../../../contracts/interfaces/treasury/ITreasury.sol";
import {Treasury} from "../../../contracts/treasury/Treasury.sol";
import {TreasuryFactory} from "../../../contracts/treasury/TreasuryFactory.sol";
import {TreasuryFixture} from "../support/TreasuryFixture.sol";

/// @notice Treasuries at addresses that bind their owners, whoever makes them.
contract TreasuryFactoryTest is TreasuryFixture {
    TreasuryFactory private factory;

    function setUp() public override {
        super.setUp();
        factory = new TreasuryFactory(address(new Treasury(new address[](0), 0, scopes)));
    }

    function test_createTreasury_whereItWasPredicted() public {
        address wanted = factory.treasuryOf(owners, 2, "salt");
        vm.expectEmit(true, true, true, true);
        emit TreasuryFactory.TreasuryCreated(wanted, agent, owners, 2, "salt");
        vm.prank(agent);
        address made = factory.createTreasury(owners, 2, "salt");
        assertEq(made, wanted, "address");
        assertEq(Treasury(payable(made)).threshold(), 2, "threshold");
        assertEq(Treasury(payable(made)).owners().length, 3, "owners");
    }

    function test_createTreasury_twice_givesTheSame() public {
        address first = factory.createTreasury(owners, 2, "salt");
        vm.prank(stranger);
        assertEq(factory.createTreasury(owners, 2, "salt"), first, "whoever comes first");
    }

    function test_otherOwnersThresholdOrSalt_isAnotherAddress() public view {
        address one = factory.treasuryOf(owners, 2, "salt");
        assertFalse(one == factory.treasuryOf(owners, 3, "salt"), "threshold");
        assertFalse(one == factory.treasuryOf(owners, 2, "tlas"), "salt");
        address[] memory fewer = new address[](2);
        (fewer[0], fewer[1]) = (owners[0], owners[1]);
        assertFalse(one == factory.treasuryOf(fewer, 2, "salt"), "owners");
    }

    function test_nobodyInitialisesAgain_norTheImplementation() public {
        Treasury made = Treasury(payable(factory.createTreasury(owners, 2, "salt")));
        address[] memory mine = new address[](1);
        mine[0] = stranger;
        vm.expectRevert(ITreasury.Treasury_AlreadyInitialized.selector);
        made.initialize(mine, 1);
        Treasury implementation = Treasury(payable(factory.implementation()));
        vm.expectRevert(ITreasury.Treasury_AlreadyInitialized.selector);
        implementation.initialize(mine, 1);
    }

    function test_badOwners_makeNothing() public {
        address[] memory twice = new address[](2);
        (twice[0], twice[1]) = (stranger, stranger);
        vm.expectRevert();
        factory.createTreasury(twice, 1, "salt");
        assertEq(factory.treasuryOf(twice, 1, "salt").code.length, 0, "nothing stands there");
    }
}
