// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IScopes} from "../../../contracts/interfaces/treasury/IScopes.sol";
import {TreasuryFixture} from "../support/TreasuryFixture.sol";

/// @notice What owners say of spenders' calls, asked by the Treasury itself.
contract ScopesTest is TreasuryFixture {
    bytes4 private constant SELECTOR = bytes4(
        keccak256("order(address,uint256,(address,uint256[],uint256))")
    );
    address private target;

    function setUp() public override {
        super.setUp();
        target = makeAddr("target");
    }

    function test_requireAllowed_ofWhatNobodyAllowed_reverts() public {
        _expectDenied(agent, target, SELECTOR);
        _ask(agent, target, _call(payee, 1, payee, 1));
    }

    function test_allowCall_allowsOneSpenderOneFunctionOfOneContract() public {
        IScopes.Rule[] memory rules = new IScopes.Rule[](1);
        rules[0] = _rule(hex"00", IScopes.Test.Own);
        vm.expectEmit();
        emit IScopes.CallAllowed(address(treasury), agent, target, SELECTOR, address(token), target, rules);
        _allow(rules);
        bytes memory data = _call(address(treasury), 1, payee, 1);
        (address measured, address puller) = _ask(agent, target, data);
        assertEq(measured, address(token), "the token to be measured");
        assertEq(puller, target, "who may take it");
        _expectDenied(stranger, target, SELECTOR);
        _ask(stranger, target, data);
        _expectDenied(agent, payee, SELECTOR);
        _ask(agent, payee, data);
        _expectDenied(agent, target, 0x12345678);
        _ask(agent, target, hex"12345678");
        // Another Treasury's owners have allowed nothing.
        _expectDenied(agent, target, SELECTOR);
        vm.prank(stranger);
        scopes.requireAllowed(agent, target, data);
        IScopes.Rule[] memory said;
        (measured, puller, said) = scopes.scopeOf(address(treasury), agent, target, SELECTOR);
        assertEq(measured, address(token), "token");
        assertEq(puller, target, "puller");
        assertTrue(keccak256(abi.encode(said)) == keccak256(abi.encode(rules)), "rules");
    }

    function test_allowCall_ofAPullerBesideTheTarget_namesIt() public {
        vm.expectEmit();
        emit IScopes.CallAllowed(
            address(treasury),
            agent,
            target,
            SELECTOR,
            address(token),
            stranger,
            new IScopes.Rule[](0)
        );
        vm.prank(address(treasury));
        scopes.allowCall(agent, target, SELECTOR, address(token), stranger, new IScopes.Rule[](0));
        (, address puller) = _ask(agent, target, _call(payee, 1, payee, 1));
        assertEq(puller, stranger, "who may take it");
        vm.prank(owners[0]);
        scopes.forbidCall(address(treasury), agent, target, SELECTOR);
        (, puller, ) = scopes.scopeOf(address(treasury), agent, target, SELECTOR);
        assertEq(puller, address(0), "nobody any more");
    }

    function test_requireAllowed_ofLessThanASelector_reverts() public {
        vm.prank(address(treasury));
        scopes.allowCall(agent, target, 0x12345600, address(0), address(0), new IScopes.Rule[](0));
        _expectDenied(agent, target, 0x12345600);
        _ask(agent, target, hex"123456");
        _expectDenied(agent, target, 0);
        _ask(agent, target, "");
    }

    function test_eachTest_asksWhatItSays() public {
        IScopes.Rule[] memory rules = new IScopes.Rule[](3);
        rules[0] = _rule(hex"00", IScopes.Test.OneOf, _word(payee), _word(stranger));
        rules[1] = _rule(hex"01", IScopes.Test.AtMost, bytes32(uint256(7)));
        rules[2] = _rule(hex"0200", IScopes.Test.Own);
        _allow(rules);
        _ask(agent, target, _call(payee, 7, address(treasury), 9));
        _ask(agent, target, _call(stranger, 0, address(treasury), 9));
        _expectArgument(0, _word(agent));
        _ask(agent, target, _call(agent, 7, address(treasury), 9));
        _expectArgument(1, bytes32(uint256(8)));
        _ask(agent, target, _call(payee, 8, address(treasury), 9));
        _expectArgument(2, _word(payee));
        _ask(agent, target, _call(payee, 7, payee, 9));
    }

    /// @dev Whatever offsets the caller chooses: the rule sees the word that the called contract reads.
    function testFuzz_aRule_seesWhatSolidityDecodes(bytes memory tail, uint256 first, uint256 second) public {
        IScopes.Rule[] memory rules = new IScopes.Rule[](2);
        rules[0] = _rule(hex"0200", IScopes.Test.OneOf, _word(payee));
        rules[1] = _rule(hex"0202", IScopes.Test.AtMost, bytes32(uint256(5)));
        _allow(rules);
        first = bound(first, 0, 12) * 16;
        // A struct at one place, or at another, or nowhere.
        bytes memory body = abi.encodePacked(
            _word(agent),
            uint256(0),
            first,
            _word(second % 2 == 0 ? payee : agent),
            uint256(96),
            second % 9,
            uint256(0),
            tail,
            uint256(0)
        );
        bytes memory data = abi.encodePacked(SELECTOR, body);
        vm.prank(address(treasury));
        try scopes.requireAllowed(agent, target, data) {
            try this.order(body) returns (address seller, uint256 price) {
                assertEq(seller, payee, "seller");
                assertLe(price, 5, "price");
            } catch {}
        } catch {}
    }

    /// @dev As the called contract reads it.
    function order(bytes calldata body) external pure returns (address seller, uint256 price) {
        (, , Order memory decoded) = abi.decode(body, (address, uint256, Order));
        return (decoded.seller, decoded.price);
    }

    struct Order {
        address seller;
        uint256[] parts;
        uint256 price;
    }

    function test_anArgumentThatIsNotThere_reverts() public {
        IScopes.Rule[] memory rules = new IScopes.Rule[](1);
        rules[0] = _rule(hex"0200", IScopes.Test.Own);
        _allow(rules);
        bytes memory missing = abi.encodeWithSelector(IScopes.Scopes_ArgumentMissing.selector, 0);
        vm.expectRevert(missing);
        _ask(agent, target, abi.encodePacked(SELECTOR));
        vm.expectRevert(missing);
        _ask(
            agent,
            target,
            abi.encodePacked(SELECTOR, uint256(0), uint256(0), type(uint256).max, uint256(0))
        );
        vm.expectRevert(missing);
        _ask(agent, target, abi.encodePacked(SELECTOR, uint256(0), uint256(0), uint256(97), uint256(0)));
    }

    function test_allowCall_again_replacesWhatWasSaid() public {
        IScopes.Rule[] memory rules = new IScopes.Rule[](2);
        rules[0] = _rule(hex"00", IScopes.Test.Own);
        rules[1] = _rule(hex"01", IScopes.Test.AtMost, bytes32(uint256(7)));
        _allow(rules);
        rules = new IScopes.Rule[](1);
        rules[0] = _rule(hex"01", IScopes.Test.AtMost, bytes32(uint256(9)));
        _allow(rules);
        _ask(agent, target, _call(payee, 9, payee, 1));
        _expectArgument(0, bytes32(uint256(10)));
        _ask(agent, target, _call(payee, 10, payee, 1));
    }

    function test_allowCall_ofTheTreasuryTheScopesOrTheToken_reverts() public {
        address[3] memory targets = [address(treasury), address(scopes), address(token)];
        for (uint256 i; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IScopes.Scopes_TargetInvalid.selector, targets[i]));
            vm.prank(address(treasury));
            scopes.allowCall(agent, targets[i], SELECTOR, address(token), address(0), new IScopes.Rule[](0));
        }
    }

    function test_allowCall_withARuleThatSaysNothing_reverts() public {
        IScopes.Rule[] memory rules = new IScopes.Rule[](2);
        rules[0] = _rule(hex"00", IScopes.Test.Own);
        IScopes.Rule[5] memory bad = [
            _rule("", IScopes.Test.Own),
            _rule(hex"00", IScopes.Test.OneOf),
            _rule(hex"00", IScopes.Test.AtMost),
            _rule(hex"00", IScopes.Test.AtMost, 0, 0),
            _rule(hex"00", IScopes.Test.Own, 0)
        ];
        for (uint256 i; i < 5; ++i) {
            rules[1] = bad[i];
            vm.expectRevert(abi.encodeWithSelector(IScopes.Scopes_RuleInvalid.selector, 1));
            _allow(rules);
        }
    }

    function test_forbidCall_byOneOwnerOrTheTreasury_countsAtOnce() public {
        for (uint256 i; i < 2; ++i) {
            _allow(new IScopes.Rule[](0));
            address by = i == 0 ? owners[2] : address(treasury);
            vm.expectEmit();
            emit IScopes.CallForbidden(address(treasury), agent, target, SELECTOR, by);
            vm.prank(by);
            scopes.forbidCall(address(treasury), agent, target, SELECTOR);
            _expectDenied(agent, target, SELECTOR);
            _ask(agent, target, _call(payee, 1, payee, 1));
        }
    }

    function test_forbidCall_byAnyoneElse_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IScopes.Scopes_NotOwner.selector, agent));
        vm.prank(agent);
        scopes.forbidCall(address(treasury), agent, target, SELECTOR);
    }

    function _allow(IScopes.Rule[] memory rules) private {
        vm.prank(address(treasury));
        scopes.allowCall(agent, target, SELECTOR, address(token), address(0), rules);
    }

    function _ask(
        address spender,
        address to,
        bytes memory data
    ) private returns (address measured, address puller) {
        vm.prank(address(treasury));
        return scopes.requireAllowed(spender, to, data);
    }

    function _call(
        address who,
        uint256 amount,
        address seller,
        uint256 price
    ) private pure returns (bytes memory) {
        return abi.encodeWithSelector(SELECTOR, who, amount, Order(seller, new uint256[](2), price));
    }

    function _expectDenied(address spender, address to, bytes4 selector) private {
        vm.expectRevert(abi.encodeWithSelector(IScopes.Scopes_CallDenied.selector, spender, to, selector));
    }

    function _expectArgument(uint256 rule, bytes32 got) private {
        vm.expectRevert(abi.encodeWithSelector(IScopes.Scopes_ArgumentDenied.selector, rule, got));
    }
}
