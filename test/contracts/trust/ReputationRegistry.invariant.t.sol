// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {TestUSDC} from "../../../contracts/dev/TestUSDC.sol";
import {ParameterRegistry} from "../../../contracts/governance/ParameterRegistry.sol";
import {IBatchSettlement} from "../../../contracts/interfaces/payments/IBatchSettlement.sol";
import {IParameterRegistry} from "../../../contracts/interfaces/governance/IParameterRegistry.sol";
import {BatchSettlement} from "../../../contracts/payments/BatchSettlement.sol";
import {IdentityRegistry} from "../../../contracts/trust/IdentityRegistry.sol";
import {ReputationRegistry} from "../../../contracts/trust/ReputationRegistry.sol";
import {EscrowFixture} from "../support/EscrowFixture.sol";
import {Test} from "../support/Test.sol";
import {Walk} from "../support/Walk.sol";

/// @notice Two payers pay an agent by channel, signal about it with and without tickets, revoke, and move its wallet.
contract ReputationHandler is Test {
    uint256 public constant PAYERS = 2;
    uint128 public constant TICKET = 2e6;

    ReputationRegistry private reputation;
    BatchSettlement private settlement;
    IdentityRegistry private agents;
    address private seller;
    uint256 private sellerKey;
    uint256 private agent;
    uint256[PAYERS] private keys;
    IBatchSettlement.ChannelConfig[PAYERS] private configs;
    uint128[PAYERS] public claimed;
    uint256[PAYERS] public spent;
    /// @dev Per payer: what each of its signals counts for now.
    mapping(uint256 payer => int8[]) private signals;
    bool public somethingForbidden;

    constructor(
        ReputationRegistry reputation_,
        BatchSettlement settlement_,
        IdentityRegistry agents_,
        TestUSDC usdc,
        uint256 sellerKey_,
        uint256 agent_
    ) {
        (reputation, settlement, agents) = (reputation_, settlement_, agents_);
        (seller, sellerKey, agent) = (vm.addr(sellerKey_), sellerKey_, agent_);
        for (uint256 i = 0; i < PAYERS; ++i) {
            keys[i] = uint256(keccak256(abi.encode("payer", i)));
            address payer = vm.addr(keys[i]);
            configs[i] = IBatchSettlement.ChannelConfig(
                payer,
                payer,
                seller,
                seller,
                address(usdc),
                1 hours,
                0
            );
        }
    }

    function payerAt(uint256 i) public view returns (address) {
        return configs[i].payer;
    }

    function config(uint256 i) external view returns (IBatchSettlement.ChannelConfig memory) {
        return configs[i];
    }

    /// @notice The seller claims more of a channel, by half tickets, so that some claims end exactly at one.
    function claim(uint256 i, uint256 halves) external {
        i %= PAYERS;
        uint128 total = claimed[i] + uint128(bound(halves, 1, 6)) * (TICKET / 2);
        bytes32 digest = settlement.getVoucherDigest(settlement.getChannelId(configs[i]), total);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keys[i], digest);
        IBatchSettlement.VoucherClaim[] memory rows = new IBatchSettlement.VoucherClaim[](1);
        rows[0] = IBatchSettlement.VoucherClaim({
            voucher: IBatchSettlement.Voucher(configs[i], total),
            signature: abi.encodePacked(r, s, v),
            totalClaimed: total
        });
        vm.prank(seller);
        try settlement.claim(rows) {
            claimed[i] = total;
        } catch {}
    }

    function signal(uint256 i, uint256 kind) external {
        i %= PAYERS;
        // Mostly good, so that the score moves away from 0.
        bool isPositive = kind % 4 != 0;
        vm.prank(configs[i].payer);
        try reputation.signalByChannel(agent, configs[i], isPositive) returns (uint64 index) {
            if (agents.getAgentWallet(agent) != seller) somethingForbidden = true;
            spent[i] += TICKET;
            signals[i].push(isPositive ? int8(1) : -1);
            if (index != signals[i].length) somethingForbidden = true;
        } catch {
            bool isWalletProven = agents.getAgentWallet(agent) == seller;
            if (isWalletProven && spent[i] + TICKET <= claimed[i]) somethingForbidden = true;
        }
    }

    /// @notice Feedback without a ticket.
    function praise(uint256 i, int128 value) external {
        i %= PAYERS;
        int256 before = reputation.scoreOf(agent);
        vm.prank(configs[i].payer);
        try reputation.giveFeedback(agent, value, 0, "", "", "", "", 0) {
            signals[i].push(0);
        } catch {}
        if (reputation.scoreOf(agent) != before) somethingForbidden = true;
    }

    function revoke(uint256 i, uint256 which) external {
        i %= PAYERS;
        if (signals[i].length == 0) return;
        which %= signals[i].length;
        vm.prank(configs[i].payer);
        try reputation.revokeFeedback(agent, uint64(which + 1)) {
            signals[i][which] = 0;
        } catch {}
    }

    /// @notice Now and then the agent has no proven wallet for a while.
    function moveWallet() external {
        if (agents.getAgentWallet(agent) == seller) {
            vm.prank(seller);
            return agents.unsetAgentWallet(agent);
        }
        bytes32 digest = _walletDigest(block.timestamp);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(sellerKey, digest);
        vm.prank(seller);
        agents.setAgentWallet(agent, seller, block.timestamp, abi.encodePacked(r, s, v));
    }

    function pass(uint256 timeSeconds) external {
        skip(bound(timeSeconds, 1, 1 days));
    }

    function signalCount() external view returns (uint256 count) {
        for (uint256 i = 0; i < PAYERS; ++i) count += spent[i] / TICKET;
    }

    function sum() external view returns (int256 total) {
        for (uint256 i = 0; i < PAYERS; ++i)
            for (uint256 j = 0; j < signals[i].length; ++j) total += signals[i][j];
    }

    function _walletDigest(uint256 deadline) private view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("ERC8004IdentityRegistry"),
                keccak256("1"),
                block.chainid,
                address(agents)
            )
        );
        bytes32 typehash = keccak256(
            "AgentWalletSet(uint256 agentId,address newWallet,address owner,uint256 deadline)"
        );
        bytes32 message = keccak256(abi.encode(typehash, agent, seller, seller, deadline));
        return keccak256(abi.encodePacked(hex"1901", domain, message));
    }
}

contract ReputationInvariantTest is EscrowFixture, Walk {
    ReputationRegistry private reputation;
    ReputationHandler private handler;
    uint256 private agent;

    function setUp() public override {
        super.setUp();
        IdentityRegistry agents = new IdentityRegistry();
        BatchSettlement settlement = new BatchSettlement();
        IParameterRegistry.Declaration[] memory declarations = new IParameterRegistry.Declaration[](1);
        declarations[0] = IParameterRegistry.Declaration("ticketMinAmount", 1, 1e12, 2 * USD);
        ParameterRegistry registry = new ParameterRegistry(
            address(new AccessManager(address(this))),
            declarations
        );
        reputation = new ReputationRegistry(agents, escrow, settlement, registry);
        vm.prank(seller);
        agent = agents.register("ipfs://seller");
        handler = new ReputationHandler(reputation, settlement, agents, usdc, sellerKey, agent);
        for (uint256 i = 0; i < handler.PAYERS(); ++i) {
            address payer = handler.payerAt(i);
            usdc.mint(payer, 1_000 * USD);
            vm.startPrank(payer);
            usdc.approve(address(settlement), 1_000 * USD);
            settlement.deposit(handler.config(i), 1_000 * USD, address(0), "");
            vm.stopPrank();
        }
        targetContract(address(handler));
    }

    /// @dev One campaign asks all of them after each call: a campaign of its own for each would walk the same ways.
    function invariant_allHold() public view {
        check_theScoreIsItsSignals();
        check_ticketsArePaidFor();
        check_nothingForbiddenHappened();
    }

    /// @notice The score is the sum of the signals that were not revoked, each of them paid for.
    function check_theScoreIsItsSignals() public view {
        assertTrue(reputation.scoreOf(agent) == handler.sum(), "score");
    }

    /// @notice Nobody signals for more than was paid to the agent's wallet.
    function check_ticketsArePaidFor() public view {
        for (uint256 i = 0; i < handler.PAYERS(); ++i)
            assertLe(handler.spent(i), handler.claimed(i), "spent and paid");
    }

    function check_nothingForbiddenHappened() public view {
        assertFalse(handler.somethingForbidden(), "see the handler");
    }

    function test_aWalk_makesSignalsThatArePaidFor() public {
        bytes4[] memory selectors = new bytes4[](6);
        selectors[0] = handler.claim.selector;
        selectors[1] = handler.signal.selector;
        selectors[2] = handler.praise.selector;
        selectors[3] = handler.revoke.selector;
        selectors[4] = handler.moveWallet.selector;
        selectors[5] = handler.pass.selector;
        _walk(address(handler), selectors, 1, 200);
        assertLe(3, handler.signalCount(), "signals with a ticket");
        assertFalse(handler.somethingForbidden(), "see the handler");
    }
}
