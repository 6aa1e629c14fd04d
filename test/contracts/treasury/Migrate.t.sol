// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITreasury} from "../../../contracts/interfaces/treasury/ITreasury.sol";
import {Treasury} from "../../../contracts/treasury/Treasury.sol";
import {TreasuryFixture} from "../support/TreasuryFixture.sol";

contract MigrateTest is TreasuryFixture {
    Treasury private successor;

    function setUp() public override {
        super.setUp();
        successor = new Treasury(owners, 2, scopes);
    }

    function test_migrate_byAQuorum_movesAllThatIsThere_andStopsSpenders() public {
        (uint256 tokens, uint256 coin) = (token.balanceOf(address(treasury)), address(treasury).balance);
        vm.expectEmit();
        emit ITreasury.Migrated(address(successor));
        _migrate(address(successor));
        assertEq(token.balanceOf(address(successor)), tokens, "tokens");
        assertEq(address(successor).balance, coin, "coin");
        assertTrue(treasury.isPaused(), "paused");
        token.mint(address(treasury), 5);
        _expectDenied(ITreasury.Reason.Paused, 5, 0, 0);
        _pay(5);
        // What comes in later follows.
        _migrate(address(successor));
        assertEq(token.balanceOf(address(successor)), tokens + 5, "the rest");
    }

    function test_migrate_byAnyoneElse_reverts() public {
        address[] memory tokens = _tokens();
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_NotSelf.selector, owners[0]));
        vm.prank(owners[0]);
        treasury.migrate(address(successor), tokens);
    }

    function test_migrate_toNoOtherTreasuryWithOwners_reverts() public {
        Treasury fresh = new Treasury(owners, 2, scopes);
        vm.store(address(fresh), 0, 0);
        _expectInvalid(address(fresh));
        // What answers nothing is no Treasury either.
        vm.expectPartialRevert(ITreasury.Treasury_CallFailed.selector);
        this.migrateTo(payee);
        vm.expectPartialRevert(ITreasury.Treasury_CallFailed.selector);
        this.migrateTo(address(token));
        assertEq(address(treasury).balance, 1_000_000 ether, "nothing has moved");
    }

    function migrateTo(address to) external {
        _migrate(to);
    }

    function _expectInvalid(address to) private {
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_SuccessorInvalid.selector, to));
        vm.prank(address(treasury));
        treasury.migrate(to, _tokens());
    }

    function _migrate(address to) private {
        _execute(_self(abi.encodeCall(treasury.migrate, (to, _tokens()))));
    }

    function _tokens() private view returns (address[] memory tokens) {
        tokens = new address[](2);
        (tokens[0], tokens[1]) = (address(token), address(0));
    }
}
