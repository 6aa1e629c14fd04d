// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IAgreements} from "../../../contracts/interfaces/payments/IAgreements.sol";
import {IBatchSettlement} from "../../../contracts/interfaces/payments/IBatchSettlement.sol";
import {IReputationRegistry} from "../../../contracts/interfaces/trust/IReputationRegistry.sol";
import {BatchSettlement} from "../../../contracts/payments/BatchSettlement.sol";
import {IdentityRegistry} from "../../../contracts/trust/IdentityRegistry.sol";
import {ReputationRegistry} from "../../../contracts/trust/ReputationRegistry.sol";
import {EscrowFixture} from "./EscrowFixture.sol";

/// @notice An agent whose wallet is the seller, clients with money, and a registry in which a USDC weighs a point.
abstract contract ReputationFixture is EscrowFixture {
    int256 internal constant POINT = 1e6;

    AccessManager internal manager;
    IdentityRegistry internal agents;
    BatchSettlement internal settlement;
    ReputationRegistry internal reputation;
    uint256 internal agent;
    uint256 private _agreed;

    function setUp() public virtual override {
        super.setUp();
        manager = new AccessManager(address(this));
        agents = new IdentityRegistry();
        settlement = new BatchSettlement();
        IReputationRegistry.TokenUnit[] memory tokens = new IReputationRegistry.TokenUnit[](1);
        tokens[0] = IReputationRegistry.TokenUnit(address(usdc), USD);
        reputation = new ReputationRegistry(agents, escrow, settlement, address(manager), tokens);
        vm.prank(seller);
        agent = agents.register("ipfs://seller");
    }

    function _list(address one) internal pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = one;
    }

    /// @dev The agent's owner, or whom it has approved, gives it a wallet, which agrees by its key.
    function _setWallet(address caller, address wallet, uint256 key) internal {
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
        bytes32 message = keccak256(
            abi.encode(typehash, agent, wallet, agents.ownerOf(agent), block.timestamp)
        );
        bytes memory signature = _sign(key, keccak256(abi.encodePacked(hex"1901", domain, message)));
        vm.prank(caller);
        agents.setAgentWallet(agent, wallet, block.timestamp, signature);
    }

    /// @dev A client by number, with a name for the trace.
    function _client(uint256 number) internal returns (address client, uint256 key) {
        key = uint256(keccak256(abi.encode("client", number)));
        client = vm.addr(key);
        vm.label(client, "client");
    }

    function _channel(
        address payer,
        address token
    ) internal view returns (IBatchSettlement.ChannelConfig memory) {
        return
            IBatchSettlement.ChannelConfig({
                payer: payer,
                payerAuthorizer: payer,
                receiver: seller,
                receiverAuthorizer: seller,
                token: token,
                withdrawDelay: 1 hours,
                salt: 0
            });
    }

    /// @dev The payer puts what is missing into its channel, and the receiver claims up to `total`.
    function _claim(IBatchSettlement.ChannelConfig memory config, uint256 key, uint128 total) internal {
        bytes32 channelId = settlement.getChannelId(config);
        (uint128 balance, ) = settlement.channels(channelId);
        if (balance < total) {
            vm.startPrank(config.payer);
            IERC20(config.token).approve(address(settlement), total - balance);
            settlement.deposit(config, total - balance, address(0), "");
            vm.stopPrank();
        }
        IBatchSettlement.VoucherClaim[] memory claims = new IBatchSettlement.VoucherClaim[](1);
        claims[0] = IBatchSettlement.VoucherClaim({
            voucher: IBatchSettlement.Voucher(config, total),
            signature: _sign(key, settlement.getVoucherDigest(channelId, total)),
            totalClaimed: total
        });
        vm.prank(config.receiverAuthorizer);
        settlement.claim(claims);
    }

    /// @dev The client pays by an agreement of one milestone, which it releases at once.
    function _payByEscrow(
        address client,
        uint128 amount
    ) internal returns (uint256 id, IAgreements.Agreement memory agreement) {
        usdc.mint(client, amount);
        return _payTo(client, seller, amount);
    }

    /// @dev The same with what the client has, to any payee.
    function _payTo(
        address client,
        address payee,
        uint128 amount
    ) internal returns (uint256 id, IAgreements.Agreement memory agreement) {
        agreement = _of(1);
        (agreement.buyer, agreement.seller, agreement.milestones[0].amount) = (client, payee, amount);
        agreement.termsHash = bytes32(++_agreed);
        _deliverBy(agreement, block.timestamp + 1 days);
        vm.startPrank(client);
        usdc.approve(address(escrow), amount);
        id = escrow.open(agreement);
        escrow.release(id, abi.encode(agreement));
        vm.stopPrank();
    }

    /// @dev The client pays and signals.
    function _payAndSignal(address client, uint128 amount, bool isPositive) internal returns (uint64 index) {
        (uint256 id, IAgreements.Agreement memory agreement) = _payByEscrow(client, amount);
        vm.prank(client);
        index = reputation.signalByAgreement(agent, id, agreement, isPositive);
    }

    /// @dev As many clients as it takes bring the agent's score to `points`, in as many months as it takes.
    function _bringTo(int256 points) internal {
        for (uint256 i = 0; reputation.exactScoreOf(agent) != points * POINT; ++i) {
            (address client, ) = _client(10_000 + i);
            int256 missing = points * POINT - reputation.exactScoreOf(agent);
            bool isPositive = missing > 0;
            uint256 wanted = uint256(isPositive ? missing : -missing);
            uint256 room = reputation.roomOf(agent, client, isPositive);
            if (room < reputation.MIN_SIGNAL()) skip(10 days);
            else if (wanted < reputation.MIN_SIGNAL()) _payAndSignal(client, USD / 2, !isPositive);
            else _payAndSignal(client, uint128(wanted < room ? wanted : room), isPositive);
        }
    }

    function _revoke(address client, uint64 index) internal {
        vm.prank(client);
        reputation.revokeFeedback(agent, index);
    }
}
