// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBatchSettlement} from "../../../contracts/interfaces/payments/IBatchSettlement.sol";
import {Print} from "../support/Print.sol";
import {ReputationFixture} from "../support/ReputationFixture.sol";

/// @notice The rules of a score written down once more, with lists of all that ever happened and no packed words: what
///         it says after each step is what the registry says.
contract ScoreModel {
    struct Signal {
        address client;
        int256 given;
        uint256 day;
        bool isRevoked;
        bool isCutOff;
    }

    int256 private constant POINT = 1e6;
    /// @dev Thirty places: 2^(-1/180).
    int256 private constant DAILY = 996156587220575217647424913422;
    int256 private constant ONE = 1e30;

    struct Raise {
        int256 points;
        uint256 day;
    }

    Signal[] public signals;
    /// @dev What signals that lowered have raised when they were taken back.
    Raise[] private _raises;
    /// @dev With thirty places, as of `today`.
    int256 private _score;
    uint256 private _today;
    mapping(address client => uint256) private _value;

    /// @notice Time is now.
    function turnTo(uint256 time) public {
        for (; _today < time / 1 days; ++_today) {
            if (_score == 0) _today = time / 1 days - 1;
            _score = (_score * DAILY) / ONE;
        }
    }

    /// @notice The client's payments have come to so many millionths of a point more.
    function pay(address client, uint256 value) external {
        _value[client] += value;
    }

    /// @notice What a signal gives; 0 if it is refused.
    function signal(address client, bool isPositive, uint256 time) external returns (int256 given) {
        turnTo(time);
        int256 most = int256(_value[client]);
        most = _least(most, 10 * POINT - _movedBy(client));
        if (isPositive) most = _least(most, 150 * POINT - _raised());
        int256 score = exactScore();
        most = _least(most, isPositive ? 1_000 * POINT - score : score + 1_000 * POINT);
        if (most < POINT / 10) return 0;
        _value[client] = 0;
        given = isPositive ? most : -most;
        _move(given);
        signals.push(Signal(client, given, _today, false, false));
    }

    /// @notice A signal is taken back.
    function revoke(uint256 index, uint256 time) external {
        turnTo(time);
        Signal storage taken = signals[index];
        if (taken.isRevoked) return;
        taken.isRevoked = true;
        (int256 by, int256 before) = (-left(index), _score);
        if (by > 0) by = _least(by, 150 * POINT - _raised());
        taken.isCutOff = _score / ONE + by < -1_000 * POINT;
        _move(by);
        if (by > 0) _raises.push(Raise((_score - before) / ONE, _today));
    }

    /// @notice What a signal has left, in millionths.
    function left(uint256 index) public view returns (int256) {
        int256 amount = signals[index].given * ONE;
        for (uint256 day = signals[index].day; day < _today; ++day) amount = (amount * DAILY) / ONE;
        return amount / ONE;
    }

    function exactScore() public view returns (int256) {
        return _score / ONE;
    }

    function signalCount() external view returns (uint256) {
        return signals.length;
    }

    function _move(int256 by) private {
        _score += by * ONE;
        if (_score > 1_000 * POINT * ONE) _score = 1_000 * POINT * ONE;
        if (_score < -1_000 * POINT * ONE) _score = -1_000 * POINT * ONE;
    }

    /// @dev Since the beginning of the third ten days before these.
    function _movedBy(address client) private view returns (int256 sum) {
        for (uint256 i = 0; i < signals.length; ++i)
            if (signals[i].client == client && _counts(signals[i].day)) sum += _size(signals[i].given);
    }

    function _raised() private view returns (int256 sum) {
        for (uint256 i = 0; i < signals.length; ++i)
            if (
                signals[i].given > 0 &&
                (!signals[i].isRevoked || signals[i].isCutOff) &&
                _counts(signals[i].day)
            ) sum += signals[i].given;
        for (uint256 i = 0; i < _raises.length; ++i) if (_counts(_raises[i].day)) sum += _raises[i].points;
    }

    function _counts(uint256 day) private view returns (bool) {
        return day + 30 >= _today - (_today % 10);
    }

    function _size(int256 number) private pure returns (int256) {
        return number < 0 ? -number : number;
    }

    function _least(int256 one, int256 other) private pure returns (int256) {
        return one < other ? one : other;
    }
}

contract ReputationFuzzTest is ReputationFixture {
    uint256 private constant CLIENTS = 24;
    /// @dev Each step rounds by a millionth or two.
    uint256 private constant TOLERANCE = 400;

    ScoreModel private model;
    uint128[CLIENTS] private claimed;
    mapping(address client => uint64[]) private indexes;
    uint64[] private indexOf;
    uint256[3] private reached;

    function setUp() public override {
        super.setUp();
        model = new ScoreModel();
        for (uint256 i = 0; i < CLIENTS; ++i) {
            (address client, ) = _client(i);
            usdc.mint(client, 1_000_000 * USD);
        }
    }

    function testFuzz_score_followsTheModel(uint256 seed) public {
        _walk(seed, 120, 12);
    }

    /// @dev Few days and many clients: the month's limit and the bounds are met, too.
    function testFuzz_score_followsTheModel_atTheBounds(uint256 seed) public {
        bool isDown = seed % 2 == 0;
        if (isDown) _bringToBound();
        _walk(seed, 80, 2);
    }

    function test_theWalk_reachesEverything() public {
        _walk(7, 400, 6);
        Print.count("signals that moved the score", reached[0]);
        Print.count("signals that were refused", reached[1]);
        Print.count("revocations", reached[2]);
        assertLe(40, reached[0], "signals");
        assertLe(10, reached[1], "refusals");
        assertLe(20, reached[2], "revocations");
    }

    function _walk(uint256 seed, uint256 steps, uint256 dayLimit) private {
        for (uint256 i = 0; i < steps; ++i) {
            seed = uint256(keccak256(abi.encode(seed, i)));
            (address client, uint256 key) = _client((seed >> 8) % CLIENTS);
            uint256 what = seed % 8;
            if (what < 2) _pay(client, key, (seed >> 8) % CLIENTS, uint128((seed >> 32) % (30 * USD)) + 1);
            else if (what < 6) _signal(client, (seed >> 16) % 4 != 0);
            else if (what == 6) _takeBack(seed >> 16);
            else skip(((seed >> 16) % dayLimit) * 1 days + ((seed >> 64) % 1 days));
            model.turnTo(block.timestamp);
            _assertSame();
        }
    }

    function _pay(address client, uint256 key, uint256 i, uint128 amount) private {
        claimed[i] += amount;
        _claim(_channel(client, address(usdc)), key, claimed[i]);
        model.pay(client, amount);
    }

    function _signal(address client, bool isPositive) private {
        int256 wanted = model.signal(client, isPositive, block.timestamp);
        IBatchSettlement.ChannelConfig memory config = _channel(client, address(usdc));
        vm.prank(client);
        try reputation.signalByChannel(agent, config, isPositive) returns (uint64 index) {
            (int256 given, ) = reputation.signalOf(agent, client, index);
            _assertNear(given, wanted, "given");
            indexOf.push(index);
            ++reached[0];
        } catch {
            assertEq(wanted, 0, "refused by the model, too");
            ++reached[1];
        }
    }

    function _takeBack(uint256 which) private {
        if (indexOf.length == 0) return;
        which %= indexOf.length;
        (address client, , , bool isRevoked, ) = model.signals(which);
        if (isRevoked) return;
        model.revoke(which, block.timestamp);
        _revoke(client, indexOf[which]);
        ++reached[2];
    }

    /// @dev By clients that are not of the walk.
    function _bringToBound() private {
        for (uint256 i = 0; i < 100; ++i) {
            (address client, ) = _client(100 + i);
            model.pay(client, 10 * USD);
            model.signal(client, false, block.timestamp);
            indexOf.push(_payAndSignal(client, 10 * USD, false));
        }
    }

    function _assertSame() private view {
        _assertNear(reputation.exactScoreOf(agent), model.exactScore(), "score");
    }

    function _assertNear(int256 got, int256 wanted, string memory what) private pure {
        int256 off = got > wanted ? got - wanted : wanted - got;
        assertLe(uint256(off), TOLERANCE, what);
    }
}
