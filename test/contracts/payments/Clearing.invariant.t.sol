// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IClearing} from "../../../contracts/interfaces/payments/IClearing.sol";
import {Clearing} from "../../../contracts/payments/Clearing.sol";
import {IBatchSettlement} from "../../../contracts/interfaces/payments/IBatchSettlement.sol";
import {BatchSettlement} from "../../../contracts/payments/BatchSettlement.sol";
import {TestUSDC} from "../../../contracts/dev/TestUSDC.sol";
import {Test} from "../support/Test.sol";
import {ClearingFixture} from "../support/ClearingFixture.sol";
import {Walk} from "../support/Walk.sol";

/// @notice An adversary that owns the operator's key, a payee, a reporter and who brings receipts, against two honest
///         payees that watch: each brings its newest receipt against any epoch that says less, in time, and demands what
///         is due. Money arrives, time passes, tokens block.
contract ClearingHandler is Test {
    struct Parts {
        Clearing clearing;
        BatchSettlement settlement;
        TestUSDC usdc;
        address operator;
        uint256 operatorKey;
        uint256 payerKey;
        IBatchSettlement.ChannelConfig config;
    }

    uint256 public constant HONEST = 2;
    /// @dev The third is the adversary's.
    address[3] public payees;
    Parts private parts;
    uint128 private vouched;
    /// @dev What the honest were promised, by receipts that the adversary signed for money that had arrived.
    uint128[2] public promised;
    uint256 public promisedTotal;
    /// @dev What demands of forged receipts brought the adversary.
    uint256 public forged;
    bool public somethingForbidden;
    mapping(string what => uint256) public reached;

    constructor(Parts memory parts_, address[3] memory payees_) {
        (parts, payees) = (parts_, payees_);
    }

    function receiveMoney(uint128 amount) external {
        uint128 next = vouched + uint128(bound(amount, 100, 1e6));
        bytes32 digest = parts.settlement.getVoucherDigest(parts.settlement.getChannelId(parts.config), next);
        IBatchSettlement.VoucherClaim[] memory claims = new IBatchSettlement.VoucherClaim[](1);
        claims[0] = IBatchSettlement.VoucherClaim({
            voucher: IBatchSettlement.Voucher(parts.config, next),
            signature: _sign(parts.payerKey, digest),
            totalClaimed: next
        });
        parts.clearing.claim(claims);
        vouched = next;
        ++reached["receiveMoney"];
    }

    /// @dev A receipt for an honest payee, for money that is there and promised to nobody.
    function promiseMoney(uint256 who, uint256 amount) external {
        uint256 received = parts.clearing.receivedOf(address(parts.usdc));
        (uint256 settled, uint256 pending) = parts.clearing.creditedOf(address(parts.usdc));
        uint256 adversarys = parts.clearing.creditOf(address(parts.usdc), payees[2]).settled;
        uint256 taken = promisedTotal + adversarys + pending;
        if (taken < settled + pending) taken = settled + pending;
        if (received <= taken + 10) return;
        amount = bound(amount, 10, received - taken);
        promised[who % HONEST] += uint128(amount);
        promisedTotal += amount;
        ++reached["promise"];
    }

    /// @dev Any rows at all, in one or two calls: the truth, a lie, or gibberish that the contract must refuse.
    function credit(uint256 how, uint96 a, uint96 b) external {
        (uint96 c, bool isLast) = (uint96(how >> 16), (how >> 8) % 2 == 0);
        address token = address(parts.usdc);
        uint256 last = parts.clearing.lastEpochOf(token);
        IClearing.Epoch memory epoch = parts.clearing.epochOf(token, last);
        bool isOpen = last != 0 && epoch.sealedAt == 0 && !epoch.isVoid;
        if (how % 3 == 0) (a, b, c) = (uint96(promised[0]), uint96(promised[1]), 0);
        else (a, b, c) = (_more(0, a % 1e5), _more(1, b % 1e5), _more(HONEST, c % 1e6));
        bytes memory rows = abi.encodePacked(payees[0], a, payees[1], b, payees[2], c);
        uint256 number = isOpen ? last : last + 1;
        vm.prank(parts.operator);
        try parts.clearing.credit(token, number, isOpen ? epoch.rows : 0, rows, isLast) {
            ++reached[isLast ? "seal" : "fill"];
        } catch {
            ++reached["credit refused"];
        }
    }

    function abandon() external {
        uint256 last = parts.clearing.lastEpochOf(address(parts.usdc));
        vm.prank(parts.operator);
        try parts.clearing.abandon(address(parts.usdc), last) {
            ++reached["abandon"];
        } catch {}
    }

    /// @dev The adversary demands with a receipt that it wrote itself.
    function forge(uint128 amount) external {
        IClearing.CreditReceipt memory receipt = _receipt(payees[2], uint128(bound(amount, 100, 1e12)));
        bytes memory signature = _sign(parts.operatorKey, parts.clearing.receiptDigest(receipt));
        try parts.clearing.demand(receipt, signature) returns (uint256 given) {
            forged += given;
            ++reached["forge"];
        } catch {}
    }

    /// @dev What an honest payee has demanded stays a debt: anybody demands it again.
    function demandDebt(uint256 who) external {
        try parts.clearing.demandDebt(address(parts.usdc), payees[who % 3], 0) returns (uint256 given) {
            if (who % 3 == HONEST) forged += given;
            ++reached["demandDebt"];
        } catch {}
    }

    /// @dev An honest payee demands what it was promised, once it is due.
    function demandPromised(uint256 who) external {
        who = who % HONEST;
        uint96 missing = _missing(who);
        if (missing < 10) return;
        IClearing.CreditReceipt memory receipt = _receipt(payees[who], promised[who]);
        bytes memory signature = _sign(parts.operatorKey, parts.clearing.receiptDigest(receipt));
        bool isNew = parts.clearing.debtOf(receipt.token, payees[who], 0).cumulative < promised[who];
        try parts.clearing.demand(receipt, signature) returns (uint256 given) {
            if (given > missing) somethingForbidden = true;
            ++reached["demand"];
        } catch {
            // A new word is always heard.
            if (isNew) somethingForbidden = true;
        }
    }

    /// @dev The honest watch before time passes: never longer than a challenge window.
    function pass(uint256 timeSeconds) external {
        for (uint256 who = 0; who < HONEST; ++who) _watch(who);
        skip(bound(timeSeconds, 1, 23 hours));
        ++reached["pass"];
    }

    function payOut(uint256 who) external {
        address payee = payees[who % 3];
        uint256 before = parts.usdc.balanceOf(payee);
        try parts.clearing.payOut(address(parts.usdc), payee) returns (uint256 amount) {
            if (parts.usdc.balanceOf(payee) != before + amount) somethingForbidden = true;
            ++reached["payOut"];
        } catch {
            IClearing.Credit memory credit_ = parts.clearing.creditOf(address(parts.usdc), payee);
            if (credit_.settled > credit_.paid) somethingForbidden = true;
        }
    }

    function _watch(uint256 who) private {
        address token = address(parts.usdc);
        uint256 last = parts.clearing.lastEpochOf(token);
        IClearing.CreditReceipt memory receipt = _receipt(payees[who], promised[who]);
        receipt.epoch = 0;
        bytes memory signature = _sign(parts.operatorKey, parts.clearing.receiptDigest(receipt));
        IClearing.Epoch memory epoch = parts.clearing.epochOf(token, last);
        bool isOpen = epoch.sealedAt != 0 && !epoch.isVoid && block.timestamp < epoch.sealedAt + 1 days;
        if (!isOpen || _missing(who) < 10) return;
        if (parts.clearing.debtOf(token, payees[who], 0).cumulative == promised[who]) {
            try parts.clearing.challengeByDebt(token, last, payees[who], 0) {
                ++reached["challengeByDebt"];
            } catch {
                somethingForbidden = true;
            }
            return;
        }
        try parts.clearing.challenge(last, receipt, signature) {
            ++reached["challenge"];
        } catch {
            // A good receipt against a sealed epoch that says less is never refused.
            somethingForbidden = true;
        }
    }

    function _missing(uint256 who) private view returns (uint96) {
        uint96 has = _more(who, 0);
        return promised[who] > has ? uint96(promised[who]) - has : 0;
    }

    /// @dev So much more than a payee is credited; nothing at all for a little, so that a row may say too little.
    function _more(uint256 who, uint96 amount) private view returns (uint96) {
        if (amount != 0 && amount % 7 == 0) return 0;
        IClearing.Credit memory credit_ = parts.clearing.creditOf(address(parts.usdc), payees[who]);
        return uint96(credit_.settled + credit_.pending) + amount;
    }

    function _receipt(
        address payee,
        uint128 cumulative
    ) private view returns (IClearing.CreditReceipt memory) {
        return
            IClearing.CreditReceipt({
                token: address(parts.usdc),
                payee: payee,
                cumulative: cumulative,
                epoch: 0,
                office: 0,
                expiresAt: uint40(block.timestamp + 10 days)
            });
    }

    function _sign(uint256 key, bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }
}

contract ClearingInvariantTest is ClearingFixture, Walk {
    ClearingHandler private handler;

    function setUp() public override {
        super.setUp();
        ClearingHandler.Parts memory parts = ClearingHandler.Parts({
            clearing: clearing,
            settlement: settlement,
            usdc: usdc,
            operator: operator,
            operatorKey: operatorKey,
            payerKey: payerKey,
            config: config
        });
        // The bond may be slashed away: what stands then must stay true.
        registry.set("clearingMinBond", 1);
        handler = new ClearingHandler(parts, payees);
        targetContract(address(handler));
    }

    /// @dev One campaign asks all of them after each call: a campaign of its own for each would walk the same ways.
    function invariant_allHold() public view {
        check_everyCreditIsFunded();
        check_theSumIsThePayees();
        check_theAdversaryTakesFromTheHonestNoMoreThanTheCaps();
        check_nothingForbiddenHappened();
    }

    /// @notice What is credited, or would be when the pending epoch is settled, was received.
    function check_everyCreditIsFunded() public view {
        (uint256 settled, uint256 pending) = clearing.creditedOf(address(usdc));
        assertLe(settled + pending, clearing.receivedOf(address(usdc)), "funded");
        (uint128 claimed, uint128 paidOver) = settlement.receivers(address(clearing), address(usdc));
        uint256 there = usdc.balanceOf(address(clearing)) + claimed - paidOver;
        uint256 paid;
        for (uint256 i = 0; i < 3; ++i) paid += clearing.creditOf(address(usdc), payees[i]).paid;
        assertLe(settled + pending - paid, there, "owed and there");
    }

    function check_theSumIsThePayees() public view {
        (uint256 settled, uint256 pending) = clearing.creditedOf(address(usdc));
        uint256 sumSettled;
        uint256 sumPending;
        for (uint256 i = 0; i < 3; ++i) {
            IClearing.Credit memory credit = clearing.creditOf(address(usdc), payees[i]);
            (sumSettled, sumPending) = (sumSettled + credit.settled, sumPending + credit.pending);
            assertEq(usdc.balanceOf(payees[i]), credit.paid, "paid");
            assertLe(credit.paid, credit.settled, "only what is settled");
        }
        assertEq(settled, sumSettled, "settled");
        assertEq(pending, sumPending, "pending");
    }

    /// @notice What was promised to the honest and has arrived is theirs, but for what forged demands took.
    function check_theAdversaryTakesFromTheHonestNoMoreThanTheCaps() public view {
        uint256 adversarys = clearing.creditOf(address(usdc), payees[2]).settled;
        uint256 received = clearing.receivedOf(address(usdc));
        if (adversarys + handler.promisedTotal() > received)
            assertLe(adversarys + handler.promisedTotal() - received, handler.forged(), "taken by lies");
        uint256 refilled = (EXIT_CAP * (block.timestamp - START)) / DAY;
        assertLe(handler.forged(), EXIT_CAP + refilled, "by demands");
    }

    function check_nothingForbiddenHappened() public view {
        assertFalse(handler.somethingForbidden(), "see the handler");
    }

    function test_aWalk_reachesEveryPath() public {
        bytes4[] memory calls = new bytes4[](9);
        calls[0] = ClearingHandler.receiveMoney.selector;
        calls[1] = ClearingHandler.promiseMoney.selector;
        calls[2] = ClearingHandler.credit.selector;
        calls[3] = ClearingHandler.abandon.selector;
        calls[4] = ClearingHandler.forge.selector;
        calls[5] = ClearingHandler.demandDebt.selector;
        calls[6] = ClearingHandler.demandPromised.selector;
        calls[7] = ClearingHandler.pass.selector;
        calls[8] = ClearingHandler.payOut.selector;
        for (uint256 seed = 0; seed < 6; ++seed) {
            _walk(address(handler), calls, seed, 250);
            invariant_allHold();
        }
        string[13] memory paths = [
            "receiveMoney",
            "promise",
            "fill",
            "seal",
            "credit refused",
            "abandon",
            "forge",
            "demand",
            "demandDebt",
            "challenge",
            "challengeByDebt",
            "pass",
            "payOut"
        ];
        for (uint256 i = 0; i < paths.length; ++i) assertTrue(handler.reached(paths[i]) != 0, paths[i]);
    }
}
