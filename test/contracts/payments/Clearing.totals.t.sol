// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IClearing} from "../../../contracts/interfaces/payments/IClearing.sol";
import {ClearingFixture} from "../support/ClearingFixture.sol";

/// @notice Whoever writes receipts and rows, in whatever order they are mined: nobody is credited more than the highest
///         total that was ever said for it.
contract ClearingTotalsTest is ClearingFixture {
    address private token;
    address private successor;
    /// @dev The key of each office.
    uint256[] private keys;
    uint256 private earned;
    mapping(address payee => uint256) private said;
    mapping(string what => uint256) private reached;

    function setUp() public override {
        super.setUp();
        token = address(usdc);
        keys.push(operatorKey);
        (successor, ) = makeAddrAndKey("successor");
        _bond(successor, 2 * BOND);
        // Lies are told for as long as one likes: what they cost is other tests' matter.
        registry.set("clearingSlash", 0);
        clearing.listToken(token, IClearing.TokenTerms(true, LEAST, 300));
        _receive(30_000);
    }

    function testFuzz_anyOrder_creditsNobodyMoreThanWasSaid(uint256 seed) public {
        _tell(seed, 60);
    }

    function test_anyOrder_reachesEveryPath() public {
        for (uint256 seed = 0; seed < 4; ++seed) _tell(seed, 150);
        string[9] memory paths = [
            "fill",
            "seal",
            "nothing added",
            "demand",
            "debt",
            "void",
            "abandon",
            "handover",
            "earlier office"
        ];
        for (uint256 i = 0; i < paths.length; ++i) assertTrue(reached[paths[i]] != 0, paths[i]);
    }

    function test_theHighestTotals_areNoSealedEpochs_andFailNothingAfterwards() public {
        uint96 most = type(uint96).max;
        bytes memory rows = abi.encodePacked(payees[0], most, payees[1], most, payees[0], most);
        vm.startPrank(operator);
        clearing.credit(token, 1, 0, rows, false);
        assertEq(clearing.epochOf(token, 1).total, 2 * uint256(most), "each once");
        vm.expectPartialRevert(IClearing.Clearing_TotalTooHigh.selector);
        clearing.credit(token, 1, 3, rows, true);
        clearing.abandon(token, 1);
        clearing.credit(token, 2, 0, _rows(100, 200, 300), true);
        vm.stopPrank();
        skip(DAY);
        assertEq(_settled(payees[0]), 100, "as if they had not been");
    }

    function _tell(uint256 seed, uint256 steps) private {
        for (uint256 i = 0; i < steps; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            uint256 what = random % 16;
            earned += 10;
            if (what < 6) _credit(random >> 8);
            else if (what < 9) _demand(random >> 8);
            else if (what < 11) _demandDebt(random >> 8);
            else if (what == 11) _void(random >> 8);
            else if (what == 12 && random % 5 == 0) _abandon();
            else if (what == 13 && random % 3 == 0) _handOver();
            else skip((random >> 8) % (2 * DAY));
            _check();
        }
    }

    /// @dev Two rows, of one payee or of two, in an epoch that is sealed or goes on.
    function _credit(uint256 random) private {
        uint256 last = clearing.lastEpochOf(token);
        IClearing.Epoch memory epoch = clearing.epochOf(token, last);
        bool isOpen = last != 0 && epoch.sealedAt == 0 && !epoch.isVoid;
        address[2] memory who = [payees[random % 3], payees[(random >> 8) % 3]];
        uint96[2] memory total = [_amount(random >> 16), _amount(random >> 48)];
        bool isLast = (random >> 96) % 2 == 0;
        bytes memory rows = abi.encodePacked(who[0], total[0], who[1], total[1]);
        (address inOffice, ) = clearing.operator();
        vm.prank(inOffice);
        try clearing.credit(token, isOpen ? last : last + 1, isOpen ? epoch.rows : 0, rows, isLast) {
            ++reached[isLast ? "seal" : "fill"];
            uint256 before = isOpen ? epoch.total : 0;
            if (clearing.epochOf(token, clearing.lastEpochOf(token)).total == before)
                ++reached["nothing added"];
            for (uint256 i = 0; i < 2; ++i) {
                _say(who[i], total[i]);
                if (isLast) assertLe(total[i], _credited(who[i]), "a sealed row has what it says");
            }
        } catch {}
    }

    function _demand(uint256 random) private {
        uint32 office = uint32(random % keys.length);
        address payee = payees[(random >> 8) % 3];
        uint96 total = _amount(random >> 16);
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _due(
            keys[office],
            office,
            payee,
            total
        );
        try clearing.demand(receipt, signature) returns (uint256 amount) {
            _say(payee, total);
            if (amount == 0) return;
            ++reached["demand"];
            if (office + 1 < keys.length) ++reached["earlier office"];
        } catch {}
    }

    function _demandDebt(uint256 random) private {
        try clearing.demandDebt(token, payees[random % 3], (random >> 8) % keys.length) returns (
            uint256 amount
        ) {
            if (amount != 0) ++reached["debt"];
        } catch {}
    }

    function _void(uint256 random) private {
        (, uint256 office) = clearing.operator();
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _due(
            keys[office],
            uint32(office),
            payees[random % 3],
            type(uint96).max
        );
        try clearing.challenge(clearing.lastEpochOf(token), receipt, signature) {
            ++reached["void"];
        } catch {}
    }

    function _abandon() private {
        (address inOffice, ) = clearing.operator();
        uint256 last = clearing.lastEpochOf(token);
        vm.prank(inOffice);
        try clearing.abandon(token, last) {
            ++reached["abandon"];
        } catch {}
    }

    function _handOver() private {
        (address inOffice, ) = clearing.operator();
        (address next, uint256 key) = makeAddrAndKey(inOffice == operator ? "successor" : "operator");
        clearing.appoint(next);
        keys.push(key);
        skip(3 days);
        ++reached["handover"];
    }

    /// @dev Few at a time, so that the same is said again and again; more as time goes by.
    function _amount(uint256 random) private view returns (uint96) {
        return uint96(earned + (random % 40) * 25);
    }

    function _say(address payee, uint256 total) private {
        if (total > said[payee]) said[payee] = total;
    }

    function _credited(address payee) private view returns (uint256) {
        IClearing.Credit memory credit = clearing.creditOf(token, payee);
        return credit.settled + credit.pending;
    }

    function _check() private view {
        uint256 sum;
        for (uint256 i = 0; i < 3; ++i) {
            uint256 credited = _credited(payees[i]);
            assertLe(credited, said[payees[i]], "more than was ever said");
            sum += credited;
        }
        (uint256 settled, uint256 pending) = clearing.creditedOf(token);
        assertEq(settled + pending, sum, "the sum is the payees'");
    }
}
