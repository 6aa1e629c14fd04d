// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAgreements} from "../../../contracts/interfaces/payments/IAgreements.sol";
import {IBatchSettlement} from "../../../contracts/interfaces/payments/IBatchSettlement.sol";
import {IReputationRegistry} from "../../../contracts/interfaces/trust/IReputationRegistry.sol";
import {ReputationFixture} from "../support/ReputationFixture.sol";
import {PlainToken} from "../support/tokens/PlainToken.sol";

/// @notice Eighteen clients of an honest agent: some pay and say what they think, some are one adversary's identities,
///         who also has a token of its own, some are accounts with delegated code. The agent's owner leaves its wallet
///         and approves clients as it likes, and silences nobody. The handler keeps a list of all that was paid and
///         signalled.
contract ReputationHandler is ReputationFixture {
    struct Signal {
        uint256 client;
        uint64 index;
        int256 given;
        uint256 day;
        bool isRevoked;
        bool isCutOff;
    }

    struct Job {
        uint256 client;
        uint256 id;
        bytes agreement;
    }

    uint256 public constant CLIENTS = 18;
    uint256 private constant MONTH = 30;

    PlainToken private junk;
    /// @dev Another agent with the same wallet: what was paid serves one of them.
    uint256 private twin;
    /// @dev What a client's payments were and are still worth, in base units, by channel and by agreements.
    mapping(uint256 client => uint256) private paid;
    mapping(uint256 client => uint256) private given;
    mapping(uint256 client => uint128) private claimed;
    Signal[] private signals;
    /// @dev What was raised by taking signals back, and when.
    int256[] private raises;
    uint256[] private raiseDays;
    Job[] private jobs;
    int256 private base;
    uint256 private baseDay;
    uint256 private passLimit;
    uint256 private oneOf;
    /// @dev What so many days leave, with thirty places.
    int256[] private powers = [int256(1e30)];

    /// @notice What bounds and months have cut off revocations: by so much the score may differ from its signals.
    uint256 public cutOff;
    bool public somethingForbidden;
    string public what;

    string[15] public paths = [
        "paid by channel",
        "paid by agreement",
        "paid in junk",
        "raised",
        "lowered",
        "refused",
        "junk refused",
        "revoked",
        "revoked and cut off",
        "feedback without a payment",
        "wallet moved",
        "days passed",
        "signalled about a twin",
        "signalled about a wallet that was left",
        "signalled by an operator"
    ];
    uint256[15] public reached;

    /// @param start Where the agent's score begins.
    /// @param passLimit_ The longest time that passes at once.
    /// @param oneOf_ Of how many signals one raises the score.
    function begin(int256 start, uint256 passLimit_, uint256 oneOf_) external {
        if (passLimit != 0) return;
        (passLimit, oneOf) = (passLimit_, oneOf_);
        super.setUp();
        junk = new PlainToken();
        vm.prank(seller);
        twin = agents.register();
        for (uint256 i = 0; i < CLIENTS; ++i) {
            (address client, ) = _client(i);
            usdc.mint(client, 1e15);
            junk.mint(client, 1e30);
            // EIP-7702: every third is an account with delegated code.
            if (i % 3 == 0) vm.etch(client, abi.encodePacked(hex"ef0100", address(junk)));
        }
        _bringTo(start);
        (base, baseDay) = (reputation.exactScoreOf(agent), block.timestamp / 1 days);
    }

    /// @dev The engine calls whatever is public: nothing begins twice.
    function setUp() public override {}

    function payByChannel(uint256 i, uint256 amount) external {
        i %= CLIENTS;
        uint128 more = uint128(bound(amount, 1, 20 * USD));
        (address client, uint256 key) = _client(i);
        _claim(_channel(client, address(usdc)), key, claimed[i] + more);
        claimed[i] += more;
        paid[i] += more;
        ++reached[0];
    }

    function payByAgreement(uint256 i, uint256 amount, uint256 milestones) external {
        i %= CLIENTS;
        (address client, ) = _client(i);
        IAgreements.Agreement memory agreement = _of(bound(milestones, 1, 4));
        (agreement.buyer, agreement.termsHash) = (client, bytes32(jobs.length));
        _deliverBy(agreement, block.timestamp + 1 days);
        for (uint256 j = 0; j < agreement.milestones.length; ++j)
            agreement.milestones[j].amount = uint128(bound(amount >> (8 * j), 1, 10 * USD));
        vm.startPrank(client);
        usdc.approve(address(escrow), type(uint256).max);
        uint256 id = escrow.open(agreement);
        // The last milestone stays unpaid where there are several.
        uint256 released = agreement.milestones.length > 1 ? agreement.milestones.length - 1 : 1;
        for (uint256 j = 0; j < released; ++j) {
            escrow.release(id, abi.encode(agreement));
            paid[i] += agreement.milestones[j].amount;
        }
        vm.stopPrank();
        jobs.push(Job(i, id, abi.encode(agreement)));
        ++reached[1];
    }

    function payInJunk(uint256 i, uint256 amount, uint256 kind) external {
        i %= CLIENTS;
        (address client, uint256 key) = _client(i);
        IBatchSettlement.ChannelConfig memory config = _channel(client, address(junk));
        config.receiverAuthorizer = client;
        config.salt = bytes32(amount);
        _claim(config, key, uint128(bound(amount, 1, 1e24)));
        ++reached[2];
        int256 before = reputation.exactScoreOf(agent);
        vm.prank(client);
        try reputation.signalByChannel(agent, config, kind % 2 == 0) {
            _forbid("junk counted");
        } catch {
            ++reached[6];
        }
        if (reputation.exactScoreOf(agent) != before) _forbid("junk moved the score");
    }

    function signalByChannel(uint256 i, uint256 kind) external {
        i %= CLIENTS;
        (address client, ) = _client(i);
        IBatchSettlement.ChannelConfig memory config = _channel(client, address(usdc));
        bool isPositive = kind % oneOf == 0;
        vm.prank(client);
        try reputation.signalByChannel(agent, config, isPositive) returns (uint64 index) {
            _signalled(i, client, index, isPositive);
        } catch (bytes memory reason) {
            _refused(reason);
        }
    }

    function signalByAgreement(uint256 which, uint256 kind) external {
        if (jobs.length == 0) return;
        Job memory job = jobs[which % jobs.length];
        (address client, ) = _client(job.client);
        bool isPositive = kind % oneOf == 0;
        vm.prank(client);
        IAgreements.Agreement memory agreement = abi.decode(job.agreement, (IAgreements.Agreement));
        try reputation.signalByAgreement(agent, job.id, agreement, isPositive) returns (uint64 index) {
            _signalled(job.client, client, index, isPositive);
        } catch (bytes memory reason) {
            _refused(reason);
        }
    }

    function signalAboutTheTwin(uint256 i, uint256 kind) external {
        i %= CLIENTS;
        (address client, ) = _client(i);
        if (kind % 3 != 0) return;
        vm.prank(client);
        try reputation.signalByChannel(twin, _channel(client, address(usdc)), true) returns (uint64 index) {
            (int256 moved, ) = reputation.signalOf(twin, client, index);
            _use(i, moved);
            ++reached[12];
        } catch {}
    }

    /// @notice Feedback without a payment.
    function praise(uint256 i, int128 value) external {
        int256 before = reputation.exactScoreOf(agent);
        (address client, ) = _client(i % CLIENTS);
        vm.prank(client);
        try reputation.giveFeedback(agent, value, 0, "", "", "", "", 0) {
            ++reached[9];
        } catch {}
        if (reputation.exactScoreOf(agent) != before) _forbid("feedback moved the score");
    }

    function revoke(uint256 which) external {
        if (signals.length == 0) return;
        Signal storage signal = signals[which % signals.length];
        (address client, ) = _client(signal.client);
        (, int256 left) = reputation.signalOf(agent, client, signal.index);
        int256 before = reputation.exactScoreOf(agent);
        vm.prank(client);
        try reputation.revokeFeedback(agent, signal.index) {
            if (signal.isRevoked) _forbid("revoked twice");
            signal.isRevoked = true;
            int256 moved = reputation.exactScoreOf(agent) - before;
            if (moved > 0) {
                raises.push(moved);
                raiseDays.push(block.timestamp / 1 days);
                if (_inAMonth(CLIENTS, true) > 150e6) _forbid("raised too much in a month by revoking");
            }
            if (moved < -left && reputation.roomOf(agent, arbiter, true) != 0)
                _forbid("a revocation raised less than there was room for");
            if (moved != -left) {
                signal.isCutOff = true;
                cutOff += _size(moved + left);
                ++reached[8];
            }
            if (_size(moved) > _size(left)) _forbid("more was taken back than was left");
            if (_size(left) > _size(signal.given)) _forbid("more was left than was given");
            ++reached[7];
        } catch {
            if (!signal.isRevoked) _forbid("a signal could not be revoked");
        }
    }

    /// @notice Now and then the agent has no proven wallet for a while.
    function moveWallet(uint256 kind) external {
        if (kind % 4 != 0) return;
        if (agents.getAgentWallet(agent) == seller) {
            vm.prank(seller);
            agents.unsetAgentWallet(agent);
        } else _setWallet(seller, seller, sellerKey);
        ++reached[10];
    }

    /// @notice The owner approves a client, or one less.
    function approve(uint256 i, uint256 kind) external {
        (address client, ) = _client(i % CLIENTS);
        vm.prank(seller);
        if (kind % 2 == 0) agents.approve(client, agent);
        else agents.setApprovalForAll(client, kind % 8 != 1);
    }

    function pass(uint256 timeSeconds) external {
        uint256 before = block.timestamp / 1 days;
        skip(bound(timeSeconds, 1, passLimit));
        uint256 passed = block.timestamp / 1 days - before;
        for (uint256 i = 0; i < passed; ++i)
            powers.push((powers[powers.length - 1] * 996156587220575217647424913422) / 1e30);
        reached[11] += passed;
    }

    function score() external view returns (int256) {
        return reputation.exactScoreOf(agent);
    }

    /// @notice What the agent began with and all signals that were not revoked come to now, and how many roundings
    ///         by a millionth there may have been.
    function sum() external view returns (int256 total, uint256 roundings) {
        uint256 day = block.timestamp / 1 days;
        total = _faded(base, day - baseDay);
        for (uint256 i = 0; i < signals.length; ++i)
            if (!signals[i].isRevoked) total += _faded(signals[i].given, day - signals[i].day);
        roundings = 4 * signals.length + 2;
    }

    function _signalled(uint256 i, address client, uint64 index, bool isPositive) private {
        if (agents.getAgentWallet(agent) != seller) ++reached[13];
        if (agents.isAuthorizedOrOwner(client, agent)) ++reached[14];
        (int256 moved, ) = reputation.signalOf(agent, client, index);
        if (moved == 0 || moved > 0 != isPositive) _forbid("moved the other way");
        signals.push(Signal(i, index, moved, block.timestamp / 1 days, false, false));
        _use(i, moved);
        if (_inAMonth(i, false) > 10e6) _forbid("one client moved too much in a month");
        if (_inAMonth(CLIENTS, true) > 150e6) _forbid("raised too much in a month");
        ++reached[isPositive ? 3 : 4];
    }

    function _refused(bytes memory reason) private {
        bytes4 selector = bytes4(reason);
        if (selector == IReputationRegistry.ReputationRegistry_NotPaid.selector)
            _forbid("silenced by leaving the wallet");
        if (selector == IReputationRegistry.ReputationRegistry_SelfFeedback.selector)
            _forbid("silenced by an approval");
        ++reached[5];
    }

    function _use(uint256 i, int256 moved) private {
        given[i] += _size(moved);
        if (given[i] > paid[i]) _forbid("moved more than was paid for");
    }

    /// @dev Of one client, or of all that raised, in the last thirty days.
    function _inAMonth(uint256 client, bool isOfAll) private view returns (uint256 moved) {
        uint256 day = block.timestamp / 1 days;
        for (uint256 i = 0; i < signals.length; ++i) {
            Signal storage signal = signals[i];
            if (signal.day + MONTH <= day) continue;
            if (
                isOfAll ? signal.given > 0 && (!signal.isRevoked || signal.isCutOff) : signal.client == client
            ) moved += _size(signal.given);
        }
        if (!isOfAll) return moved;
        for (uint256 i = 0; i < raises.length; ++i)
            if (raiseDays[i] + MONTH > day) moved += uint256(raises[i]);
    }

    function _forbid(string memory why) private {
        (somethingForbidden, what) = (true, why);
    }

    function _faded(int256 points, uint256 elapsedDays) private view returns (int256) {
        return (points * powers[elapsedDays]) / 1e30;
    }

    function _size(int256 number) private pure returns (uint256) {
        return uint256(number < 0 ? -number : number);
    }
}
