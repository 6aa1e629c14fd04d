import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toClientEvmSigner } from "@x402/evm";
import {
  BatchSettlementEvmScheme as ClientScheme,
  computeChannelId,
} from "@x402/evm/batch-settlement/client";
import { network } from "hardhat";
import { hashTypedData, keccak256, parseSignature, toBytes, zeroAddress } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import {
  BATCH_SETTLEMENT_ADDRESS,
  MULTICALL3_ADDRESS,
  placeCanonical,
} from "../../../scripts/contracts/canonical.ts";
import { channelId, makeConfig, settlementDomain, signVoucher, TYPES } from "../support/payments/channels.ts";
import { buy, openShop, startFacilitator } from "../support/payments/x402.ts";

const PRICE = 1_000n;
const DEPOSIT = 50_000n;

describe("the official x402 batch-settlement packages against our contracts", async () => {
  const { viem } = await network.create();
  const client = await viem.getPublicClient();
  const [admin, relayer] = await viem.getWalletClients();
  assert(admin && relayer);
  await placeCanonical(client);
  const usdc = await viem.deployContract("TestUSDC", [admin.account.address]);
  const settlement = await viem.getContractAt("BatchSettlement", BATCH_SETTLEMENT_ADDRESS);
  const chainId = await client.getChainId();
  const chain = `eip155:${chainId}` as const;
  const facilitator = startFacilitator(chain, client, relayer);

  /** A fresh payer with money, and a fresh receiver with its shop. */
  const setUp = async () => {
    const payer = privateKeyToAccount(generatePrivateKey());
    const receiver = privateKeyToAccount(generatePrivateKey());
    const authorizer = privateKeyToAccount(generatePrivateKey());
    await usdc.write.mint([payer.address, 1_000_000n]);
    const shop = await openShop({
      network: chain,
      facilitator,
      receiver: receiver.address,
      authorizer,
      asset: usdc.address,
      price: PRICE.toString(),
      minDeposit: DEPOSIT.toString(),
    });
    const scheme = new ClientScheme(toClientEvmSigner(payer, client));
    const config = makeConfig({
      payer: payer.address,
      receiver: receiver.address,
      receiverAuthorizer: authorizer.address,
      token: usdc.address,
    });
    const manager = shop.scheme.createChannelManager(facilitator, chain, usdc.address);
    const purchase = () => buy(shop, chain, scheme, usdc.address);
    return { payer, receiver, shop, scheme, config, id: channelId(config, chainId), manager, purchase };
  };

  it("deposits on the first purchase, then pays by vouchers alone", async () => {
    const { id, purchase } = await setUp();
    const first = await purchase();
    assert.equal(first.status, 200);
    assert.notEqual(first.settlement?.transaction, "");
    assert.deepEqual(await settlement.read.channels([id]), [DEPOSIT, 0n]);

    const block = await client.getBlockNumber();
    for (let i = 0; i < 3; i++) {
      const next = await purchase();
      assert.equal(next.status, 200);
      assert.equal(next.settlement?.transaction, "");
    }
    assert.equal(await client.getBlockNumber(), block);
  });

  it("claims and settles what was sold", async () => {
    const { id, receiver, manager, purchase } = await setUp();
    for (let i = 0; i < 4; i++) await purchase();
    const result = await manager.claimAndSettle();
    assert.equal(result.claims.length, 1);
    assert.deepEqual(await settlement.read.channels([id]), [DEPOSIT, 4n * PRICE]);
    assert.equal(await usdc.read.balanceOf([receiver.address]), 4n * PRICE);
  });

  it("tops the channel up when the deposit is used up", async () => {
    const { id, purchase } = await setUp();
    for (let i = 0n; i <= DEPOSIT / PRICE; i++) assert.equal((await purchase()).status, 200);
    const [balance] = await settlement.read.channels([id]);
    assert.ok(balance > DEPOSIT, `${balance}`);
  });

  it("refunds the rest at the client's request, claiming first", async () => {
    const { payer, id, shop, scheme, purchase } = await setUp();
    for (let i = 0; i < 4; i++) await purchase();
    const refund = await scheme.refund("http://shop.test/paid", { fetch: shop.fetch });
    assert.equal(refund.success, true);
    assert.deepEqual(await settlement.read.channels([id]), [4n * PRICE, 4n * PRICE]);
    assert.equal(await usdc.read.balanceOf([payer.address]), 1_000_000n - 4n * PRICE);
    assert.equal(await settlement.read.refundNonce([id]), 1n);
  });

  it("sells again on the same channel after a refund", async () => {
    const { id, shop, scheme, manager, purchase } = await setUp();
    await purchase();
    await scheme.refund("http://shop.test/paid", { fetch: shop.fetch });
    assert.equal((await purchase()).status, 200);
    await manager.claim();
    const [, totalClaimed] = await settlement.read.channels([id]);
    assert.equal(totalClaimed, 2n * PRICE);
  });

  it("refuses a top-up through the facilitator while a withdrawal is pending", async () => {
    const { payer, config, id, purchase } = await setUp();
    await purchase();
    await admin.sendTransaction({ to: payer.address, value: 10n ** 18n });
    await settlement.write.initiateWithdraw([config, 1n], { account: payer });
    const [until] = await settlement.read.acceptUntil([id]);
    for (let i = 1n; i < DEPOSIT / PRICE; i++) await purchase();
    const answer = await purchase();
    assert.equal(answer.status, 402);
    assert.ok(until <= (await client.getBlock()).timestamp);
  });

  it("computes the scheme's EIP-712 digests", async () => {
    const { config, id, payer } = await setUp();
    const domain = settlementDomain(chainId);
    assert.equal(await settlement.read.getChannelId([config]), id);
    assert.equal(computeChannelId(config, chain), id);
    assert.equal(
      await settlement.read.getVoucherDigest([id, 7n]),
      hashTypedData({
        domain,
        types: TYPES,
        primaryType: "Voucher",
        message: { channelId: id, maxClaimableAmount: 7n },
      }),
    );
    assert.equal(
      await settlement.read.getRefundDigest([id, 3n, 7n]),
      hashTypedData({
        domain,
        types: TYPES,
        primaryType: "Refund",
        message: { channelId: id, nonce: 3n, amount: 7n },
      }),
    );
    const claim = (limit: bigint, totalClaimed: bigint) =>
      ({ voucher: { channel: config, maxClaimableAmount: limit }, signature: "0x", totalClaimed }) as const;
    assert.equal(
      await settlement.read.getClaimBatchDigest([[claim(9n, 7n), claim(5n, 5n)]]),
      hashTypedData({
        domain,
        types: TYPES,
        primaryType: "ClaimBatch",
        message: {
          claims: [
            { channelId: id, maxClaimableAmount: 9n, totalClaimed: 7n },
            { channelId: id, maxClaimableAmount: 5n, totalClaimed: 5n },
          ],
        },
      }),
    );
    const eip712 = await settlement.read.eip712Domain();
    assert.deepEqual(eip712.slice(1, 5), [
      "x402 Batch Settlement",
      "1",
      BigInt(chainId),
      BATCH_SETTLEMENT_ADDRESS,
    ]);
    assert.match(await signVoucher(payer, id, 7n, chainId), /^0x[0-9a-f]{130}$/);
  });

  it("moves TestUSDC by viem's EIP-3009 and EIP-2612 signatures", async () => {
    const { payer, receiver } = await setUp();
    const domain = { name: "USD Coin", version: "2", chainId, verifyingContract: usdc.address } as const;
    const parameters = [
      "address from",
      "address to",
      "uint256 value",
      "uint256 validAfter",
      "uint256 validBefore",
    ];
    const types = {
      TransferWithAuthorization: [...parameters, "bytes32 nonce"].map((parameter) => {
        const [type = "", name = ""] = parameter.split(" ");
        return { type, name };
      }),
    };
    const message = {
      from: payer.address,
      to: receiver.address,
      value: 5n,
      validAfter: 0n,
      validBefore: 2n ** 40n,
      nonce: keccak256(toBytes("random")),
    };
    const signature = await payer.signTypedData({
      domain,
      types,
      primaryType: "TransferWithAuthorization",
      message,
    });
    const { from, to, value, validAfter, validBefore, nonce } = message;
    await usdc.write.transferWithAuthorization([from, to, value, validAfter, validBefore, nonce, signature]);
    assert.equal(await usdc.read.balanceOf([receiver.address]), 5n);

    const permit = {
      owner: payer.address,
      spender: receiver.address,
      value: 6n,
      nonce: 0n,
      deadline: 2n ** 40n,
    };
    const approval = await payer.signTypedData({
      domain,
      types: {
        Permit: [
          { name: "owner", type: "address" },
          { name: "spender", type: "address" },
          { name: "value", type: "uint256" },
          { name: "nonce", type: "uint256" },
          { name: "deadline", type: "uint256" },
        ],
      },
      primaryType: "Permit",
      message: permit,
    });
    const { r, s, yParity } = parseSignature(approval);
    await usdc.write.permit([permit.owner, permit.spender, 6n, permit.deadline, 27 + yParity, r, s]);
    assert.equal(await usdc.read.allowance([payer.address, receiver.address]), 6n);
  });

  it("answers the Multicall3 that viem expects", async () => {
    const [symbol, balance] = await client.multicall({
      contracts: [
        { address: usdc.address, abi: usdc.abi, functionName: "symbol" },
        { address: usdc.address, abi: usdc.abi, functionName: "balanceOf", args: [zeroAddress] },
      ],
      multicallAddress: MULTICALL3_ADDRESS,
      allowFailure: false,
    });
    assert.equal(symbol, "USDC");
    assert.equal(balance, 0n);
  });
});
