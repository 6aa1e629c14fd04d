// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";
import {TestUSDC} from "../../../contracts/dev/TestUSDC.sol";
import {IBatchSettlement} from "../../../contracts/interfaces/payments/IBatchSettlement.sol";
import {IDepositCollector} from "../../../contracts/interfaces/payments/IDepositCollector.sol";
import {Erc3009DepositCollector} from "../../../contracts/payments/Erc3009DepositCollector.sol";
import {AgentToken} from "../../../contracts/staking/AgentToken.sol";
import {ChannelFixture} from "../support/payments/ChannelFixture.sol";
import {ContractWallet} from "../support/payments/ContractWallet.sol";

contract Erc3009DepositCollectorTest is ChannelFixture {
    bytes32 internal constant RECEIVE_TYPEHASH = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)" // solhint-disable-line max-line-length
    );

    Erc3009DepositCollector internal collector;

    function setUp() public override {
        super.setUp();
        collector = new Erc3009DepositCollector(address(settlement));
    }

    function authorise(
        uint256 key,
        IBatchSettlement.ChannelConfig memory config,
        uint256 amount,
        uint256 validBefore
    ) internal view returns (bytes memory) {
        bytes32 nonce = keccak256(abi.encode(idOf(config), uint256(5)));
        bytes32 message = keccak256(
            abi.encode(
                RECEIVE_TYPEHASH,
                config.payer,
                address(collector),
                amount,
                uint256(0),
                validBefore,
                nonce
            )
        );
        bytes32 domain = TestUSDC(config.token).DOMAIN_SEPARATOR();
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain, message));
        return abi.encode(uint256(0), validBefore, uint256(5), signed(key, digest));
    }

    function test_AnyoneRelaysThePayersAuthorisation() public {
        IBatchSettlement.ChannelConfig memory config = channel(1);
        bytes memory data = authorise(payerKey, config, 50, block.timestamp + 1);
        vm.prank(stranger);
        settlement.deposit(config, 50, address(collector), data);
        assertEq(balanceOf(config), 50, "balance");
        assertEq(usdc.balanceOf(address(collector)), 0, "nothing stays behind");
    }

    function test_ContractPayerAuthorisesByErc1271() public {
        IBatchSettlement.ChannelConfig memory config = channel(1);
        config.payer = address(new ContractWallet(payer));
        usdc.mint(config.payer, 50);
        bytes memory data = authorise(payerKey, config, 50, block.timestamp + 1);
        settlement.deposit(config, 50, address(collector), data);
        assertEq(balanceOf(config), 50, "balance");
    }

    function test_RevertIf_ReplayedOrForAnotherChannelOrAmount() public {
        IBatchSettlement.ChannelConfig memory config = channel(1);
        bytes memory data = authorise(payerKey, config, 50, block.timestamp + 1);
        bytes memory invalid = abi.encodeWithSelector(ERC3009.ERC3009InvalidSignature.selector);
        expectError(invalid);
        settlement.deposit(channel(2), 50, address(collector), data);
        expectError(invalid);
        settlement.deposit(config, 51, address(collector), data);
        settlement.deposit(config, 50, address(collector), data);
        expectError(
            abi.encodeWithSelector(
                ERC3009.ERC3009UsedAuthorization.selector,
                payer,
                keccak256(abi.encode(idOf(config), uint256(5)))
            )
        );
        settlement.deposit(config, 50, address(collector), data);
    }

    /// @dev AVT has ERC-3009 as it was published: with v, r and s.
    function test_TokenThatKnowsKeysAloneIsCollected() public {
        AgentToken avt = new AgentToken(address(new AccessManager(address(this))));
        avt.mint(payer, 100);
        IBatchSettlement.ChannelConfig memory config = channel(1);
        config.token = address(avt);
        bytes memory data = authorise(payerKey, config, 50, block.timestamp + 1);
        settlement.deposit(config, 50, address(collector), data);
        assertEq(balanceOf(config), 50, "balance");
        expectError(
            abi.encodeWithSelector(
                ERC3009.ERC3009UsedAuthorization.selector,
                payer,
                keccak256(abi.encode(idOf(config), uint256(5)))
            )
        );
        settlement.deposit(config, 50, address(collector), data);
    }

    function test_RevertIf_TokenKnowsNoSuchSignature() public {
        AgentToken avt = new AgentToken(address(new AccessManager(address(this))));
        IBatchSettlement.ChannelConfig memory config = channel(1);
        config.token = address(avt);
        vm.expectRevert();
        settlement.deposit(config, 50, address(collector), abi.encode(0, block.timestamp + 1, 5, hex"1234"));
    }

    /// @dev Whoever uses one authorisation of a batch first undoes the batch: the rest of it is to be sent again.
    function test_AuthorisationThatIsUsedFirstUndoesItsBatchAlone() public {
        bytes[] memory calls = new bytes[](2);
        (bytes memory first, bytes memory second) = (
            authorise(payerKey, channel(1), 50, block.timestamp + 1),
            authorise(payerKey, channel(2), 50, block.timestamp + 1)
        );
        calls[0] = abi.encodeCall(settlement.deposit, (channel(1), 50, address(collector), first));
        calls[1] = abi.encodeCall(settlement.deposit, (channel(2), 50, address(collector), second));
        vm.prank(stranger);
        settlement.deposit(channel(2), 50, address(collector), second);
        vm.expectPartialRevert(ERC3009.ERC3009UsedAuthorization.selector);
        settlement.multicall(calls);
        assertEq(balanceOf(channel(2)), 50, "what was used came in");
        settlement.deposit(channel(1), 50, address(collector), first);
        assertEq(balanceOf(channel(1)), 50, "and the rest does, by itself");
    }

    function test_RevertIf_AuthorisationIsExpired() public {
        IBatchSettlement.ChannelConfig memory config = channel(1);
        bytes memory data = authorise(payerKey, config, 50, block.timestamp);
        expectError(
            abi.encodeWithSelector(ERC3009.ERC3009InvalidAuthorizationTime.selector, 0, block.timestamp)
        );
        settlement.deposit(config, 50, address(collector), data);
    }

    function test_RevertIf_CallerIsNotTheSettlement() public {
        IBatchSettlement.ChannelConfig memory config = channel(1);
        bytes memory data = authorise(payerKey, config, 50, block.timestamp + 1);
        bytes32 id = idOf(config);
        expectError(
            abi.encodeWithSelector(
                IDepositCollector.DepositCollector_NotSettlement.selector,
                stranger,
                address(settlement)
            )
        );
        vm.prank(stranger);
        collector.collect(payer, address(usdc), 50, id, data);
    }
}
