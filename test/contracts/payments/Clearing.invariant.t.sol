// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {TestUSDC} from "../../../contracts/dev/TestUSDC.sol";
import {IBatchSettlement} from "../../../contracts/interfaces/payments/IBatchSettlement.sol";
import {IClearing} from "../../../contracts/interfaces/payments/IClearing.sol";
import {BatchSettlement} from "../../../contracts/payments/BatchSettlement.sol";
import {Clearing} from "../../../contracts/payments/Clearing.sol";
import {Test} from "../support/Test.sol";
import {ClearingFixture} from "./Clearing.t.sol";

/// @notice An operator credits three payees, now and then leaves a credit out of a root, and anyone challenges, claims,
///         pays out and blocks, with time jumps.
contract ClearingHandler is Test {
    struct Parts {
        Clearing clearing;
        BatchSettlement settlement;
        TestUSDC usdc;
        address operator;
        uint256 operatorKey;
        uint256 payerKey;
        address admin;
        IBatchSettlement.ChannelConfig config;
    }

    uint256 public constant PAYEES = 3;

    Parts private parts;
    address[PAYEES] public payees;
    uint128 private vouched;
    /// @dev All that each payee was ever credited, and what it was when a root was posted.
    uint96[PAYEES] private credits;
    mapping(uint256 epoch => uint96[PAYEES]) private owedAt;
    mapping(uint256 epoch => uint96[PAYEES]) private rowsAt;
    mapping(uint256 epoch => bool) public isExposed;
    uint256[] private challenges;
    mapping(uint256 challengeId => uint256) private epochOfChallenge;
    uint256 public voided;
    bool public somethingForbidden;

    constructor(Parts memory parts_, address[PAYEES] memory payees_) {
        (parts, payees) = (parts_, payees_);
    }

    function receiveMoney(uint128 amount) external {
        uint128 next = vouched + uint128(bound(amount, 1, 1e9));
        bytes32 digest = parts.settlement.getVoucherDigest(parts.settlement.getChannelId(parts.config), next);
        IBatchSettlement.VoucherClaim[] memory claims = new IBatchSettlement.VoucherClaim[](1);
        claims[0] = IBatchSettlement.VoucherClaim({
            voucher: IBatchSettlement.Voucher(parts.config, next),
            signature: _sign(parts.payerKey, digest),
            totalClaimed: next
        });
        vm.prank(parts.operator);
        try parts.settlement.claim(claims) {
            vouched = next;
        } catch {}
    }

    function credit(uint256 who, uint256 amount) external {
        uint256 free = parts.clearing.receivedOf(address(parts.usdc)) - _sum(credits);
        if (free != 0) credits[who % PAYEES] += uint96(bound(amount, 1, free));
    }

    /// @dev One root of four leaves out what one payee was credited since the last.
    function post(uint256 how) external {
        uint256 epoch = parts.clearing.epochOf(address(parts.usdc)) + 1;
        uint256 standing = parts.clearing.finalEpochOf(address(parts.usdc));
        uint96[PAYEES] memory rows = credits;
        if (how % 4 == 0) rows[(how >> 2) % PAYEES] = rowsAt[standing][(how >> 2) % PAYEES];
        bytes memory before = standing == 0 ? bytes("") : _pack(rowsAt[standing]);
        vm.prank(parts.operator);
        try parts.clearing.postRoot(address(parts.usdc), epoch, _pack(rows), before) {
            owedAt[epoch] = credits;
            rowsAt[epoch] = rows;
        } catch {
            if (!_isPending(epoch - 1)) somethingForbidden = true;
        }
    }

    /// @dev With the receipt that the payee got for all its credits. A truthful root is answered for at once.
    function challenge(uint256 who) external {
        who %= PAYEES;
        uint256 epoch = parts.clearing.epochOf(address(parts.usdc));
        if (epoch == 0) return;
        IClearing.CreditReceipt memory receipt = IClearing.CreditReceipt(
            address(parts.usdc),
            payees[who],
            owedAt[epoch][who],
            uint64(epoch)
        );
        bytes memory signature = _sign(parts.operatorKey, parts.clearing.receiptDigest(receipt));
        uint256 id;
        try parts.clearing.challenge(epoch, receipt, signature) returns (uint256 opened) {
            id = opened;
        } catch {
            return;
        }
        uint96 row = rowsAt[epoch][who];
        bool isTrue = row >= receipt.cumulative;
        try parts.clearing.answer(id, row, _proof(who, rowsAt[epoch])) {
            if (!isTrue) somethingForbidden = true;
        } catch {
            if (isTrue) somethingForbidden = true;
            isExposed[epoch] = true;
            challenges.push(id);
            epochOfChallenge[id] = epoch;
        }
    }

    function enforce(uint256 at) external {
        if (challenges.length == 0) return;
        uint256 id = challenges[at % challenges.length];
        try parts.clearing.enforce(id) {
            if (!isExposed[epochOfChallenge[id]]) somethingForbidden = true;
            ++voided;
        } catch {}
    }

    function claim(uint256 who, bool isOlder) external {
        who %= PAYEES;
        uint256 last = parts.clearing.finalEpochOf(address(parts.usdc));
        uint256 epoch = isOlder && last > 1 ? last - 1 : last;
        uint96[PAYEES] memory rows = rowsAt[epoch];
        uint256 before = parts.clearing.paidOf(address(parts.usdc), payees[who]);
        try
            parts.clearing.claim(address(parts.usdc), epoch, payees[who], rows[who], _proof(who, rows))
        returns (uint256 amount) {
            if (epoch != last || before + amount != rows[who]) somethingForbidden = true;
        } catch {
            bool isDue = epoch == last && last != 0 && rows[who] > before;
            if (isDue && !parts.usdc.isBlocklisted(payees[who])) somethingForbidden = true;
        }
    }

    function payOut() external {
        uint256 epoch = parts.clearing.finalEpochOf(address(parts.usdc));
        if (epoch == 0) return;
        parts.clearing.payOut(address(parts.usdc), epoch, _pack(rowsAt[epoch]));
        for (uint256 i = 0; i < PAYEES; ++i) {
            uint256 paid = parts.clearing.paidOf(address(parts.usdc), payees[i]);
            if (paid != rowsAt[epoch][i] && !parts.usdc.isBlocklisted(payees[i])) somethingForbidden = true;
        }
    }

    function blockPayee(uint256 who, bool isBlocked) external {
        vm.startPrank(parts.admin);
        if (isBlocked) parts.usdc.blocklist(payees[who % PAYEES]);
        else parts.usdc.unBlocklist(payees[who % PAYEES]);
        vm.stopPrank();
    }

    function pass(uint256 timeSeconds) external {
        skip(bound(timeSeconds, 1, 30 hours));
    }

    function rowOf(uint256 epoch, uint256 who) external view returns (uint256) {
        return rowsAt[epoch][who];
    }

    function _isPending(uint256 epoch) private view returns (bool) {
        if (epoch == 0) return false;
        IClearing.Root memory root = parts.clearing.rootOf(address(parts.usdc), epoch);
        return !root.isVoid && (root.openChallenges != 0 || block.timestamp < root.postedAt + 1 days);
    }

    function _pack(uint96[PAYEES] memory rows) private view returns (bytes memory) {
        return abi.encodePacked(payees[0], rows[0], payees[1], rows[1], payees[2], rows[2]);
    }

    function _proof(uint256 which, uint96[PAYEES] memory rows) private view returns (bytes32[] memory proof) {
        bytes32[PAYEES] memory leaves;
        for (uint256 i = 0; i < PAYEES; ++i)
            leaves[i] = keccak256(bytes.concat(keccak256(abi.encode(payees[i], rows[i]))));
        proof = new bytes32[](which == 2 ? 1 : 2);
        if (which == 2) proof[0] = Hashes.commutativeKeccak256(leaves[0], leaves[1]);
        else (proof[0], proof[1]) = (leaves[1 - which], leaves[2]);
    }

    function _sum(uint96[PAYEES] memory amounts) private pure returns (uint256 sum) {
        for (uint256 i = 0; i < PAYEES; ++i) sum += amounts[i];
    }

    function _sign(uint256 key, bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }
}

contract ClearingInvariantTest is ClearingFixture {
    ClearingHandler private handler;
    uint256 private bonded;

    function setUp() public override {
        super.setUp();
        ClearingHandler.Parts memory parts = ClearingHandler.Parts({
            clearing: clearing,
            settlement: settlement,
            usdc: usdc,
            operator: operator,
            operatorKey: operatorKey,
            payerKey: payerKey,
            admin: address(this),
            config: config
        });
        // The bond may be slashed away: what stands then must stay true, and claimable.
        registry.set("clearingMinBond", 0);
        handler = new ClearingHandler(parts, payees);
        bonded = staking.bondOf(operator);
        targetContract(address(handler));
    }

    /// @dev One campaign asks all of them after each call: a campaign of its own for each would walk the same ways.
    function invariant_allHold() public view {
        check_whatIsPromisedIsThere();
        check_payeesHaveWhatTheyWerePaid();
        check_anExposedRootNeverStands();
        check_onlyALieIsSlashed();
        check_nothingForbiddenHappened();
    }

    /// @notice What the last root promises and was not paid yet is there.
    function check_whatIsPromisedIsThere() public view {
        uint256 epoch = clearing.finalEpochOf(address(usdc));
        uint256 owed;
        uint256 paid;
        for (uint256 i = 0; i < handler.PAYEES(); ++i) {
            owed += handler.rowOf(epoch, i);
            paid += clearing.paidOf(address(usdc), payees[i]);
        }
        (uint128 claimed, uint128 settled) = settlement.receivers(address(clearing), address(usdc));
        uint256 there = usdc.balanceOf(address(clearing)) + claimed - settled;
        assertLe(owed - paid, there, "owed and there");
        assertEq(clearing.receivedOf(address(usdc)), there + paid, "received");
    }

    /// @notice Each payee has what it was paid by the books, and never more than the last root gives it.
    function check_payeesHaveWhatTheyWerePaid() public view {
        uint256 epoch = clearing.finalEpochOf(address(usdc));
        for (uint256 i = 0; i < handler.PAYEES(); ++i) {
            uint256 paid = clearing.paidOf(address(usdc), payees[i]);
            assertEq(usdc.balanceOf(payees[i]), paid, "paid");
            assertLe(paid, handler.rowOf(epoch, i), "paid and the root's");
        }
    }

    /// @notice A root that a receipt contradicted in time never becomes final.
    function check_anExposedRootNeverStands() public view {
        assertFalse(handler.isExposed(clearing.finalEpochOf(address(usdc))), "exposed root");
    }

    /// @notice The bond is slashed for voided roots, and for nothing else.
    function check_onlyALieIsSlashed() public view {
        if (handler.voided() == 0) assertEq(staking.bondOf(operator), bonded, "bond");
        else assertLe(staking.bondOf(operator), bonded - SLASH, "bond after a lie");
    }

    function check_nothingForbiddenHappened() public view {
        assertFalse(handler.somethingForbidden(), "see the handler");
    }
}
