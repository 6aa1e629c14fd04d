// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestUSDC} from "../../../contracts/dev/TestUSDC.sol";
import {IBatchSettlement} from "../../../contracts/interfaces/payments/IBatchSettlement.sol";
import {BatchSettlement} from "../../../contracts/payments/BatchSettlement.sol";
import {Test} from "../support/Test.sol";

/// @notice Lets payers, payees and time act at random on twelve channels: two payers, three payees, two tokens.
/// @dev In this file because the runner targets only contracts of the test files themselves. Keeps its own books and
///      checks, at every step, what a single call must guarantee.
contract ChannelHandler is Test {
    uint256 internal constant PAYERS = 2;
    uint256 internal constant PAYEES = 3;
    uint256 internal constant TOKENS = 2;
    uint256 public constant CHANNELS = PAYERS * PAYEES * TOKENS;
    uint40 internal constant DELAY = 1 hours;

    BatchSettlement public settlement;
    TestUSDC[TOKENS] public tokens;
    uint256[PAYERS] internal payerKeys;
    address[PAYERS] public payers;
    address[PAYEES] public payees;
    IBatchSettlement.ChannelConfig[] internal configs;
    bytes32[] public ids;

    /// @dev Per channel: the highest voucher signed, the last total seen, all money in and back out.
    uint128[CHANNELS] internal promised;
    uint128[CHANNELS] internal claimed;
    uint256[CHANNELS] internal paidIn;
    uint256[CHANNELS] internal paidBack;
    /// @dev A payer once got less or more than it asked for and was unclaimed.
    bool public shortPaid;

    constructor(BatchSettlement settlement_) {
        settlement = settlement_;
        for (uint256 t = 0; t < TOKENS; ++t) tokens[t] = new TestUSDC(address(this));
        for (uint256 p = 0; p < PAYERS; ++p) {
            payerKeys[p] = uint256(keccak256(abi.encode("payer", p)));
            payers[p] = vm.addr(payerKeys[p]);
            for (uint256 t = 0; t < TOKENS; ++t) {
                tokens[t].mint(payers[p], type(uint128).max);
                vm.prank(payers[p]);
                tokens[t].approve(address(settlement), type(uint256).max);
            }
        }
        for (uint256 r = 0; r < PAYEES; ++r) payees[r] = vm.addr(uint256(keccak256(abi.encode("payee", r))));
        for (uint256 i = 0; i < CHANNELS; ++i) {
            address payer = payers[i % PAYERS];
            address payee = payees[(i / PAYERS) % PAYEES];
            configs.push(
                IBatchSettlement.ChannelConfig({
                    payer: payer,
                    payerAuthorizer: payer,
                    receiver: payee,
                    receiverAuthorizer: payee,
                    token: address(tokens[i / (PAYERS * PAYEES)]),
                    withdrawDelay: DELAY,
                    salt: 0
                })
            );
            ids.push(settlement.getChannelId(configs[i]));
        }
    }

    function booksOf(uint256 i) external view returns (uint128, uint128, uint256, uint256) {
        return (promised[i], claimed[i], paidIn[i], paidBack[i]);
    }

    function deposit(uint256 i, uint128 amount) external {
        i = _pick(i);
        amount = uint128(bound(amount, 1, 1e12));
        (, uint40 initiatedAt) = settlement.pendingWithdrawals(ids[i]);
        if (initiatedAt != 0) return;
        vm.prank(configs[i].payer);
        settlement.deposit(configs[i], amount, address(0), "");
        paidIn[i] += amount;
    }

    /// @notice The payer signs a higher voucher, never beyond the balance; the payee accepts it if that is safe.
    function sign(uint256 i, uint128 rise) external {
        i = _pick(i);
        (uint256 until, ) = settlement.acceptUntil(ids[i]);
        if (until < block.timestamp) return;
        (uint128 balance, ) = settlement.channels(ids[i]);
        uint128 room = balance > promised[i] ? balance - promised[i] : 0;
        promised[i] += uint128(bound(rise, 0, room));
    }

    function claim(uint256 i, uint128 total) external {
        i = _pick(i);
        total = uint128(bound(total, 0, promised[i]));
        if (settlement.channelIndex(ids[i]) == 0) return;
        IBatchSettlement.VoucherClaim[] memory rows = new IBatchSettlement.VoucherClaim[](1);
        (uint8 v, bytes32 r, bytes32 s) = _voucher(i, promised[i]);
        rows[0] = IBatchSettlement.VoucherClaim({
            voucher: IBatchSettlement.Voucher({channel: configs[i], maxClaimableAmount: promised[i]}),
            signature: abi.encodePacked(r, s, v),
            totalClaimed: total
        });
        vm.prank(configs[i].receiver);
        settlement.claim(rows);
        if (total > claimed[i]) claimed[i] = total;
    }

    /// @notice A payee claims all its vouchers of one token in one packed batch.
    function claimPacked(uint256 payee, uint256 token, bool settleNow) external {
        payee %= PAYEES;
        token %= TOKENS;
        bytes memory rows = abi.encodePacked(payees[payee], payees[payee], address(tokens[token]));
        uint256 headerLength = rows.length;
        for (uint256 p = 0; p < PAYERS; ++p) {
            uint256 i = token * PAYERS * PAYEES + payee * PAYERS + p;
            if (settlement.channelIndex(ids[i]) == 0) continue;
            (uint8 v, bytes32 r, bytes32 s) = _voucher(i, promised[i]);
            bytes32 vs = bytes32((uint256(v - 27) << 255) | uint256(s));
            rows = abi.encodePacked(rows, ids[i], r, vs, uint96(promised[i]));
            if (promised[i] > claimed[i]) claimed[i] = promised[i];
        }
        if (rows.length == headerLength) return;
        vm.prank(payees[payee]);
        if (settleNow) settlement.claimPackedAndSettle(rows);
        else settlement.claimPacked(rows);
    }

    function settle(uint256 payee, uint256 token) external {
        settlement.settle(payees[payee % PAYEES], address(tokens[token % TOKENS]));
    }

    function initiateWithdraw(uint256 i, uint128 amount) external {
        i = _pick(i);
        (uint128 balance, uint128 total) = settlement.channels(ids[i]);
        (, uint40 initiatedAt) = settlement.pendingWithdrawals(ids[i]);
        if (balance == total || initiatedAt != 0) return;
        vm.prank(configs[i].payer);
        settlement.initiateWithdraw(configs[i], uint128(bound(amount, 1, balance - total)));
    }

    /// @notice The payee claims what it was promised in time, as it must; then the payer takes the rest.
    function finalizeWithdraw(uint256 i) external {
        i = _pick(i);
        (uint128 asked, uint40 initiatedAt) = settlement.pendingWithdrawals(ids[i]);
        if (initiatedAt == 0) return;
        if (block.timestamp < uint256(initiatedAt) + DELAY) {
            this.claim(i, promised[i]);
            vm.warp(uint256(initiatedAt) + DELAY);
        }
        (uint128 balance, uint128 total) = settlement.channels(ids[i]);
        uint256 rest = balance - total;
        uint256 paid = _received(i);
        vm.prank(configs[i].payer);
        settlement.finalizeWithdraw(configs[i]);
        paid = _received(i) - paid;
        // a revert here would only be skipped by the engine
        if (paid != (asked < rest ? asked : rest)) shortPaid = true;
        paidBack[i] += paid;
        _renegotiate(i);
    }

    function refund(uint256 i, uint128 amount) external {
        i = _pick(i);
        if (settlement.channelIndex(ids[i]) == 0) return;
        uint256 paid = _received(i);
        vm.prank(configs[i].receiver);
        settlement.refund(configs[i], uint128(bound(amount, 1, 1e12)));
        paidBack[i] += _received(i) - paid;
        _renegotiate(i);
    }

    function passTime(uint256 timeSeconds) external {
        skip(bound(timeSeconds, 1, 2 * uint256(DELAY)));
    }

    /// @dev A payee that gave money back, or let a withdrawal pass unclaimed, holds vouchers for what is left
    ///         at most.
    function _renegotiate(uint256 i) private {
        (uint128 balance, uint128 total) = settlement.channels(ids[i]);
        if (promised[i] > balance) promised[i] = balance;
        if (promised[i] < total) promised[i] = total;
    }

    function _received(uint256 i) private view returns (uint256) {
        return TestUSDC(configs[i].token).balanceOf(configs[i].payer);
    }

    function _voucher(uint256 i, uint128 limit) private view returns (uint8, bytes32, bytes32) {
        return vm.sign(payerKeys[i % PAYERS], settlement.getVoucherDigest(ids[i], limit));
    }

    function _pick(uint256 i) private pure returns (uint256) {
        return i % CHANNELS;
    }
}

/// @notice The numbers are those of test/INVARIANTS.md, "BatchSettlement".
contract BatchSettlementInvariantTest is Test {
    BatchSettlement internal settlement;
    ChannelHandler internal handler;
    bytes32[] internal ids;
    TestUSDC[2] internal tokens;
    address[3] internal payees;

    function setUp() public {
        vm.warp(1_800_000_000);
        settlement = new BatchSettlement();
        handler = new ChannelHandler(settlement);
        for (uint256 i = 0; i < handler.CHANNELS(); ++i) ids.push(handler.ids(i));
        for (uint256 t = 0; t < 2; ++t) tokens[t] = handler.tokens(t);
        for (uint256 r = 0; r < 3; ++r) payees[r] = handler.payees(r);
        targetContract(address(handler));
    }

    /// @notice 1 to 7, in one pass over the channels: it is made after every call of the campaign.
    function invariant_allHold() public view {
        uint256 perToken = ids.length / 2;
        for (uint256 t = 0; t < 2; ++t) {
            uint256 owed;
            for (uint256 i = t * perToken; i < (t + 1) * perToken; ++i) owed += check_channel(i);
            for (uint256 r = 0; r < 3; ++r) owed += check_payee(tokens[t], payees[r]);
            assertEq(tokens[t].balanceOf(address(settlement)), owed, "1. what is held is what is owed");
        }
        assertFalse(handler.shortPaid(), "6. the payer gets the unclaimed rest");
    }

    /// @return unclaimed what the channel holds for its payer or for later claims
    function check_channel(uint256 i) public view returns (uint256 unclaimed) {
        (uint128 balance, uint128 claimed) = settlement.channels(ids[i]);
        (uint128 pending, ) = settlement.pendingWithdrawals(ids[i]);
        (uint128 promised, uint128 highest, uint256 paidIn, uint256 paidBack) = handler.booksOf(i);
        assertEq(claimed, highest, "2. the highest total claimed");
        assertLe(claimed, promised, "2. claimed within the signed maximum");
        assertLe(claimed, balance, "2. claimed within the balance");
        assertEq(balance + paidBack, paidIn, "3. money in is there or back");
        assertLe(promised, balance, "4. an accepted voucher is covered");
        assertLe(pending, balance, "7. a pending withdrawal within the balance");
        return balance - claimed;
    }

    /// @return unsettled what was claimed for the payee and not paid yet
    function check_payee(TestUSDC token, address payee) public view returns (uint256 unsettled) {
        (uint128 claimed, uint128 settled) = settlement.receivers(payee, address(token));
        assertEq(token.balanceOf(payee), settled, "5. a payee received its settled total");
        return claimed - settled;
    }
}
