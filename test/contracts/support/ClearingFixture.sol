// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IParameterRegistry} from "../../../contracts/interfaces/governance/IParameterRegistry.sol";
import {Roles} from "../../../contracts/governance/Roles.sol";
import {TestUSDC} from "../../../contracts/dev/TestUSDC.sol";
import {IBatchSettlement} from "../../../contracts/interfaces/payments/IBatchSettlement.sol";
import {IClearing} from "../../../contracts/interfaces/payments/IClearing.sol";
import {BatchSettlement} from "../../../contracts/payments/BatchSettlement.sol";
import {Clearing} from "../../../contracts/payments/Clearing.sol";
import {StakingFixture} from "./StakingFixture.sol";

/// @notice Clearing with a bonded operator, a payer's channel into it and three payees.
abstract contract ClearingFixture is StakingFixture {
    uint256 internal constant BOND = 10_000e18;
    uint256 internal constant SLASH = 2_000e18;
    uint96 internal constant LEAST = 10;
    uint96 internal constant EXIT_CAP = 500;
    uint256 internal constant DAY = 1 days;

    Clearing internal clearing;
    BatchSettlement internal settlement;
    TestUSDC internal usdc;
    address internal operator;
    uint256 internal operatorKey;
    address internal payer;
    uint256 internal payerKey;
    address[3] internal payees = [address(0xa1), address(0xb2), address(0xc3)];
    IBatchSettlement.ChannelConfig internal config;
    uint128 internal vouched;

    function setUp() public virtual override {
        super.setUp();
        registry.declare(IParameterRegistry.Declaration("clearingMinBond", 1, 1e30, BOND));
        registry.declare(IParameterRegistry.Declaration("clearingSlash", 0, 1e30, SLASH));
        (operator, operatorKey) = makeAddrAndKey("operator");
        (payer, payerKey) = makeAddrAndKey("payer");
        settlement = new BatchSettlement();
        clearing = new Clearing(address(manager), staking, settlement, registry);
        manager.grantRole(Roles.SLASHER, address(clearing), 0);
        manager.grantRole(Roles.BONDER, address(clearing), 0);
        _bond(operator, 2 * BOND);
        clearing.appoint(operator);
        usdc = new TestUSDC(address(this));
        usdc.mint(payer, 1e12);
        clearing.listToken(address(usdc), IClearing.TokenTerms(true, LEAST, EXIT_CAP));
        config = IBatchSettlement.ChannelConfig({
            payer: payer,
            payerAuthorizer: payer,
            receiver: address(clearing),
            receiverAuthorizer: address(clearing),
            token: address(usdc),
            withdrawDelay: 1 hours,
            salt: 0
        });
        vm.startPrank(payer);
        usdc.approve(address(settlement), type(uint256).max);
        settlement.deposit(config, 1e11, address(0), "");
        vm.stopPrank();
    }

    function _bond(address who, uint256 amount) internal {
        avt.mint(who, amount);
        vm.startPrank(who);
        avt.approve(address(staking), type(uint256).max);
        staking.registerValidator(0);
        staking.stake(who, amount);
        vm.stopPrank();
    }

    /// @dev A row of `claimPacked` for the payer's next voucher, with its header.
    function _packedVoucher(uint128 amount) internal returns (bytes memory) {
        vouched += amount;
        bytes32 id = settlement.getChannelId(config);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(payerKey, settlement.getVoucherDigest(id, vouched));
        bytes32 vs = bytes32((uint256(v - 27) << 255) | uint256(s));
        return
            abi.encodePacked(
                config.receiver,
                config.receiverAuthorizer,
                config.token,
                id,
                r,
                vs,
                uint96(vouched)
            );
    }

    /// @dev The payer's next voucher is claimed into Clearing.
    function _receive(uint128 amount) internal {
        clearing.claimPacked(_packedVoucher(amount));
    }

    /// @dev A bonded operator takes over, three days from now.
    function _succeed() internal returns (address successor, uint256 key) {
        (successor, key) = makeAddrAndKey("successor");
        _bond(successor, BOND);
        clearing.appoint(successor);
        skip(3 days);
        clearing.recordHandover(address(usdc));
    }

    /// @dev Due now.
    function _due(
        uint256 key,
        uint32 office,
        address payee,
        uint128 cumulative
    ) internal view returns (IClearing.CreditReceipt memory receipt, bytes memory signature) {
        receipt = IClearing.CreditReceipt(
            address(usdc),
            payee,
            cumulative,
            1,
            office,
            uint40(block.timestamp + 1 days)
        );
        signature = _signReceipt(key, receipt);
    }

    function _demandOf(
        uint256 key,
        uint32 office,
        address payee,
        uint128 cumulative
    ) internal returns (uint256) {
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _due(
            key,
            office,
            payee,
            cumulative
        );
        return clearing.demand(receipt, signature);
    }

    function _rows(uint96 a, uint96 b, uint96 c) internal view returns (bytes memory) {
        return abi.encodePacked(payees[0], a, payees[1], b, payees[2], c);
    }

    /// @dev Fills and seals an epoch by one call.
    function _seal(uint256 epoch, bytes memory rows) internal {
        vm.prank(operator);
        clearing.credit(address(usdc), epoch, 0, rows, true);
    }

    function _settled(address payee) internal view returns (uint256) {
        return clearing.creditOf(address(usdc), payee).settled;
    }

    /// @dev Of the first office, and good for three weeks.
    function _receipt(
        address payee,
        uint128 cumulative,
        uint64 epoch
    ) internal view returns (IClearing.CreditReceipt memory receipt, bytes memory signature) {
        receipt = IClearing.CreditReceipt({
            token: address(usdc),
            payee: payee,
            cumulative: cumulative,
            epoch: epoch,
            office: 0,
            expiresAt: uint40(START + 21 days)
        });
        signature = _signReceipt(operatorKey, receipt);
    }

    function _signReceipt(
        uint256 key,
        IClearing.CreditReceipt memory receipt
    ) internal view returns (bytes memory) {
        return _signed(key, clearing.receiptDigest(receipt));
    }

    function _signed(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _challenge(uint256 epoch, address payee, uint128 cumulative) internal returns (uint256) {
        (IClearing.CreditReceipt memory receipt, bytes memory signature) = _receipt(
            payee,
            cumulative,
            uint64(epoch)
        );
        vm.prank(bob);
        return clearing.challenge(epoch, receipt, signature);
    }
}
