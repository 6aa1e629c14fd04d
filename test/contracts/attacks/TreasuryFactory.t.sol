// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITreasury} from "../../../contracts/interfaces/treasury/ITreasury.sol";
import {Treasury} from "../../../contracts/treasury/Treasury.sol";
import {TreasuryFactory} from "../../../contracts/treasury/TreasuryFactory.sol";
import {TreasuryFixture} from "../support/TreasuryFixture.sol";

/// @notice What an attacker of TreasuryFactory would try: an address that others pay to, and one treasury's
///         signatures at another.
contract TreasuryFactoryAttacks is TreasuryFixture {
    uint256 private constant SENT = 100 * UNIT;

    TreasuryFactory private factory;
    address[] private mine;

    function setUp() public override {
        super.setUp();
        factory = new TreasuryFactory(address(new Treasury(new address[](0), 0, scopes)));
        mine.push(stranger);
    }

    /// @dev Money that lies where a treasury will stand.
    function _paidAhead(bytes32 salt) private returns (Treasury predicted) {
        predicted = Treasury(payable(factory.treasuryOf(owners, 2, salt)));
        token.mint(address(predicted), SENT);
    }

    function test_makingAPredictedTreasuryOfOnesOwn_isNotPossible() public {
        Treasury predicted = _paidAhead("salt");
        vm.startPrank(stranger);
        assertFalse(factory.createTreasury(mine, 1, "salt") == address(predicted), "other owners");
        assertFalse(factory.createTreasury(owners, 1, "salt") == address(predicted), "a lower threshold");
        TreasuryFactory another = new TreasuryFactory(factory.implementation());
        assertFalse(another.createTreasury(owners, 2, "salt") == address(predicted), "another factory");
        vm.stopPrank();
        assertEq(address(predicted).code.length, 0, "nothing stands there yet");
        assertEq(token.balanceOf(address(predicted)), SENT, "and the money lies there");
    }

    /// @notice Who makes it first only pays the gas.
    function test_makingItAheadOfItsOwners_givesItToThem() public {
        Treasury predicted = _paidAhead("salt");
        vm.startPrank(stranger);
        assertEq(factory.createTreasury(owners, 2, "salt"), address(predicted), "made");
        vm.expectRevert(ITreasury.Treasury_AlreadyInitialized.selector);
        predicted.initialize(mine, 1);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_NotSelf.selector, stranger));
        predicted.addOwner(stranger);
        _expectDenied(ITreasury.Reason.NoBudget, SENT, 0, 0);
        predicted.pay(address(token), stranger, SENT, "ref");
        vm.stopPrank();
        assertEq(factory.createTreasury(owners, 2, "salt"), address(predicted), "and its owners find it");
        assertFalse(predicted.isOwner(stranger), "no owner");
        assertEq(predicted.threshold(), 2, "threshold");
    }

    function test_signaturesForOneTreasury_fitNoSibling() public {
        Treasury one = Treasury(payable(factory.createTreasury(owners, 2, "one")));
        Treasury other = Treasury(payable(factory.createTreasury(owners, 2, "other")));
        token.mint(address(one), SENT);
        token.mint(address(other), SENT);
        ITreasury.Call[] memory calls = _transfer(payee, SENT);
        bytes32 id = one.hashProposal(calls, 0, FOREVER);
        bytes[] memory signatures = _signed(id, 2);
        vm.expectPartialRevert(ITreasury.Treasury_NotOwner.selector);
        other.execute(calls, 0, FOREVER, signatures);
        vm.chainId(5);
        vm.expectPartialRevert(ITreasury.Treasury_NotOwner.selector);
        one.execute(calls, 0, FOREVER, signatures);
        vm.chainId(31_337);
        one.execute(calls, 0, FOREVER, signatures);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_NonceUsed.selector, 0));
        one.execute(calls, 0, FOREVER, signatures);
        assertEq(token.balanceOf(address(other)), SENT, "the sibling keeps its own");
    }

    function test_theImplementation_isNobodys() public {
        Treasury implementation = Treasury(payable(factory.implementation()));
        token.mint(address(implementation), SENT);
        vm.expectRevert(ITreasury.Treasury_AlreadyInitialized.selector);
        implementation.initialize(mine, 1);
        vm.expectRevert(
            abi.encodeWithSelector(ITreasury.Treasury_QuorumNotReached.selector, 0, uint256(type(uint16).max))
        );
        implementation.execute(_transfer(stranger, SENT), 0, FOREVER, new bytes[](0));
    }

    /// @notice Terms that no treasury can have make nothing, and nothing is spoilt for the right ones.
    function test_badTerms_makeNothing_byName() public {
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_ThresholdOutOfRange.selector, 0, 3));
        factory.createTreasury(owners, 0, "salt");
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_ThresholdOutOfRange.selector, 4, 3));
        factory.createTreasury(owners, 4, "salt");
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_ThresholdOutOfRange.selector, 1, 0));
        factory.createTreasury(new address[](0), 1, "salt");
        // One vote counted twice.
        address[] memory twice = new address[](2);
        (twice[0], twice[1]) = (stranger, stranger);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_OwnerExists.selector, stranger));
        factory.createTreasury(twice, 2, "salt");
        twice[1] = address(0);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_OwnerInvalid.selector, address(0)));
        factory.createTreasury(twice, 1, "salt");
        address[] memory many = new address[](33);
        for (uint160 i = 0; i < 33; ++i) many[i] = address(i + 1);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_TooManyOwners.selector, 33, 32));
        factory.createTreasury(many, 1, "salt");
        assertEq(factory.treasuryOf(owners, 4, "salt").code.length, 0, "nothing stands there");
        assertTrue(factory.createTreasury(owners, 2, "salt").code.length != 0, "the right ones still work");
    }

    /// @notice The address says who the owners are: no list, threshold or salt stands for another.
    function testFuzz_otherTerms_areAnotherAddress(address owner, uint8 threshold, bytes32 salt) public view {
        address[] memory terms = new address[](1);
        terms[0] = owner;
        vm.assume(owner != stranger || threshold != 1 || salt != "salt");
        assertFalse(
            factory.treasuryOf(terms, threshold, salt) == factory.treasuryOf(mine, 1, "salt"),
            "another address"
        );
    }
}
