// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITreasury} from "../../../contracts/interfaces/treasury/ITreasury.sol";
import {Treasury} from "../../../contracts/treasury/Treasury.sol";
import {TreasuryFixture} from "../support/TreasuryFixture.sol";

/// @notice Answers every question with one word.
contract Yes {
    fallback() external {
        assembly ("memory-safe") {
            mstore(0, 1)
            return(0, 0x20)
        }
    }
}

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
        // Was: all of it went to what clones are made of, which has a threshold that no owners reach.
        _expectInvalid(address(new Treasury(new address[](0), 0, scopes)));
        Treasury fresh = new Treasury(owners, 2, scopes);
        vm.store(address(fresh), 0, 0);
        _expectInvalid(address(fresh));
        vm.store(address(fresh), 0, bytes32(uint256(4)));
        _expectInvalid(address(fresh));
        // What answers something else is no Treasury, nor what answers nothing.
        _expectInvalid(address(token));
        _expectInvalid(address(new Yes()));
        _expectInvalid(payee);
        assertEq(address(treasury).balance, 1_000_000 ether, "nothing has moved");
        vm.store(address(fresh), 0, bytes32(uint256(3)));
        _migrate(address(fresh));
        assertEq(address(fresh).balance, 1_000_000 ether, "all three decide");
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
