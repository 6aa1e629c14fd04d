import assert from "node:assert/strict";
import { before, describe, it, type TestContext } from "node:test";
import { type Hex, keccak256, numberToHex, zeroAddress } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import {
  BATCH_SETTLEMENT_ADDRESS,
  ERC3009_DEPOSIT_COLLECTOR_ADDRESS,
  placeCanonical,
} from "../../../scripts/contracts/canonical.ts";
import { shippedArtifacts } from "../../../scripts/contracts/creationCode/shipped.ts";
import {
  type ChannelConfig,
  channelId,
  makeConfig,
  packRows,
  recordSlot,
  signDeposit,
  signVoucher,
} from "../support/payments/channels.ts";
import { shippedNetwork } from "../support/shippedNetwork.ts";

/** Channels of the largest batch. */
const CHANNELS = 1_000;
const DEPOSIT = 1_000_000_000n;
/** What one voucher adds: 100 micropayments of 0.001 USDC. */
const STEP = 100_000n;
const PAYMENTS_PER_VOUCHER = 100;

/** Gas of whole transactions: what a sender pays, the 21,000 and the calldata included. */
describe("BatchSettlement gas", async () => {
  const { viem } = await shippedNetwork();
  const client = await viem.getPublicClient();
  const [admin, receiver] = await viem.getWalletClients();
  assert(admin && receiver);
  // The code that is deployed, not the tests' build.
  await placeCanonical(client, shippedArtifacts);
  const usdc = await viem.deployContract("TestUSDC", [admin.account.address]);
  const settlement = await viem.getContractAt("BatchSettlement", BATCH_SETTLEMENT_ADDRESS);
  const chainId = await client.getChainId();
  const account = receiver.account;
  const header = { receiver: account.address, receiverAuthorizer: account.address, token: usdc.address };
  const channels: { config: ChannelConfig; id: Hex; key: Hex }[] = [];
  let total = 0n;

  const gasOf = async (hash: Hex) => Number((await client.waitForTransactionReceipt({ hash })).gasUsed);

  /** The next step's voucher of each of the first `count` channels, signed by the agents' keys. */
  const nextVouchers = (count: number) => {
    total += STEP;
    return Promise.all(
      channels.slice(0, count).map(async ({ config, id, key }) => ({
        config,
        channelId: id,
        maxClaimableAmount: total,
        signature: await signVoucher(privateKeyToAccount(key), id, total, chainId),
      })),
    );
  };
  const claim = async (count: number) => {
    const rows = (await nextVouchers(count)).map(({ config, maxClaimableAmount, signature }) => ({
      voucher: { channel: config, maxClaimableAmount },
      signature,
      totalClaimed: maxClaimableAmount,
    }));
    return gasOf(await settlement.write.claim([rows], { account }));
  };
  const claimPacked = async (count: number) => {
    const rows = packRows(header, await nextVouchers(count));
    return gasOf(await settlement.write.claimPacked([rows], { account }));
  };
  const claimPackedAndSettle = async (count: number, withAccessList = false) => {
    const rows = packRows(header, await nextVouchers(count));
    const storageKeys = channels.slice(0, count).map(({ config, id }) => recordSlot(config, id));
    const accessList = withAccessList ? [{ address: BATCH_SETTLEMENT_ADDRESS, storageKeys }] : [];
    return gasOf(await settlement.write.claimPackedAndSettle([rows], { account, accessList }));
  };
  const perPayment = (gas: number, count: number) => gas / (count * PAYMENTS_PER_VOUCHER);
  const report = (context: TestContext, figures: Record<string, number>) =>
    context.diagnostic(JSON.stringify(figures));

  before(async () => {
    await usdc.write.mint([admin.account.address, 10n ** 18n]);
    await usdc.write.approve([BATCH_SETTLEMENT_ADDRESS, 10n ** 18n]);
    for (let i = 1; i <= CHANNELS; i++) {
      const key = keccak256(numberToHex(i, { size: 32 }));
      // a payer that is not the signer, as when a treasury pays and its agent signs
      const payerAuthorizer = privateKeyToAccount(key).address;
      const config = makeConfig({
        ...header,
        payer: admin.account.address,
        payerAuthorizer,
        salt: keccak256(key),
      });
      channels.push({ config, id: channelId(config, chainId), key });
      await settlement.write.deposit([config, DEPOSIT, zeroAddress, "0x"]);
    }
    await claimPackedAndSettle(CHANNELS);
  });

  it("costs at most 10,500 more for each channel of a packed claim", async (context) => {
    const [ten, many] = [await claimPacked(10), await claimPacked(CHANNELS)];
    const marginal = (many - ten) / (CHANNELS - 10);
    report(context, { ten, many, marginal });
    assert.ok(marginal <= 10_500, `${marginal}`);
  });

  it("costs at most 105 per micropayment of a large batch, settled", async (context) => {
    const gas = await claimPackedAndSettle(CHANNELS);
    report(context, { gas, perPayment: perPayment(gas, CHANNELS) });
    assert.ok(perPayment(gas, CHANNELS) <= 105, `${perPayment(gas, CHANNELS)}`);
  });

  it("costs at most 105 per micropayment from 300 channels on, settled, with an access list", async (context) => {
    const gas = await claimPackedAndSettle(300, true);
    report(context, { gas, perPayment: perPayment(gas, 300) });
    assert.ok(perPayment(gas, 300) <= 105, `${perPayment(gas, 300)}`);
  });

  it("costs at most 110 per micropayment from 100 channels on, settled", async (context) => {
    const [gas, listed] = [await claimPackedAndSettle(100), await claimPackedAndSettle(100, true)];
    report(context, { gas, perPayment: perPayment(gas, 100), listed: perPayment(listed, 100) });
    assert.ok(perPayment(gas, 100) <= 110, `${perPayment(gas, 100)}`);
  });

  it("costs at most 21,500 more for each channel of an ordinary claim", async (context) => {
    const [one, ten, hundred] = [await claim(1), await claim(10), await claim(100)];
    const marginal = (hundred - ten) / 90;
    const settle = await gasOf(await settlement.write.settle([account.address, usdc.address]));
    report(context, { one, ten, hundred, marginal, settle });
    assert.ok(marginal <= 21_500, `${marginal}`);
  });

  it("costs at most 160,000 to open a channel by ERC-3009 and 110,000 to top it up", async (context) => {
    const payer = privateKeyToAccount(generatePrivateKey());
    await usdc.write.mint([payer.address, 10n ** 9n]);
    const config = makeConfig({ ...header, payer: payer.address });
    const deposit = async (salt: bigint) => {
      const data = await signDeposit(payer, config, 1_000n, salt, chainId);
      return gasOf(await settlement.write.deposit([config, 1_000n, ERC3009_DEPOSIT_COLLECTOR_ADDRESS, data]));
    };
    const [first, topUp] = [await deposit(1n), await deposit(2n)];
    const own = makeConfig({ ...header, payer: admin.account.address });
    const allowanceFirst = await gasOf(await settlement.write.deposit([own, 1_000n, zeroAddress, "0x"]));
    const allowanceTopUp = await gasOf(await settlement.write.deposit([own, 1_000n, zeroAddress, "0x"]));
    report(context, { first, topUp, allowanceFirst, allowanceTopUp });
    assert.ok(first <= 160_000, `${first}`);
    assert.ok(topUp <= 110_000, `${topUp}`);
  });
});
