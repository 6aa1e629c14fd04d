import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { network } from "hardhat";
import { type Hex, keccak256, numberToHex, zeroAddress } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { BATCH_SETTLEMENT_ADDRESS, placeCanonical } from "../../../scripts/canonical.ts";
import {
  type ChannelConfig,
  channelId,
  makeConfig,
  packRows,
  signVoucher,
} from "../support/payments/channels.ts";

const DEPOSIT = 1_000_000_000n;
/** 100 micropayments of 0.001 USDC. */
const VOUCHER = 100_000n;

describe("BatchSettlement gas, in whole transactions", async () => {
  const { viem } = await network.connect();
  const client = await viem.getPublicClient();
  const [admin, receiver] = await viem.getWalletClients();
  assert(admin && receiver);
  await placeCanonical(client);
  const usdc = await viem.deployContract("TestUSDC", [admin.account.address]);
  const settlement = await viem.getContractAt("BatchSettlement", BATCH_SETTLEMENT_ADDRESS);
  const chainId = await client.getChainId();
  const header = {
    receiver: receiver.account.address,
    receiverAuthorizer: receiver.account.address,
    token: usdc.address,
  };

  const gasOf = async (hash: Hex) => (await client.waitForTransactionReceipt({ hash })).gasUsed;

  /** Channels whose payer is a contract wallet and whose vouchers an agent's own key signs. */
  const openChannels = async (count: number, salt: number) => {
    const channels: { config: ChannelConfig; id: Hex; key: Hex }[] = [];
    for (let i = 0; i < count; i++) {
      const key = keccak256(numberToHex(salt * 100_000 + i + 1, { size: 32 }));
      const config = makeConfig({
        ...header,
        payer: admin.account.address,
        payerAuthorizer: privateKeyToAccount(key).address,
        salt: keccak256(key),
      });
      channels.push({ config, id: channelId(config, chainId), key });
      await settlement.write.deposit([config, DEPOSIT, zeroAddress, "0x"]);
    }
    return channels;
  };
  const rowsOf = async (channels: Awaited<ReturnType<typeof openChannels>>, total: bigint) =>
    Promise.all(
      channels.map(async ({ id, key }) => ({
        channelId: id,
        maxClaimableAmount: total,
        signature: await signVoucher(privateKeyToAccount(key), id, total, chainId),
      })),
    );

  let channels: Awaited<ReturnType<typeof openChannels>>;
  before(async () => {
    await usdc.write.mint([admin.account.address, 10n ** 18n]);
    await usdc.write.approve([BATCH_SETTLEMENT_ADDRESS, 10n ** 18n]);
    channels = await openChannels(310, 1);
  });

  const claimPacked = async (count: number, total: bigint, settle = false) => {
    const rows = packRows(header, await rowsOf(channels.slice(0, count), total));
    const write = settle ? settlement.write.claimPackedAndSettle : settlement.write.claimPacked;
    return gasOf(await write([rows], { account: receiver.account }));
  };

  it("costs at most 10,500 more for each channel of a packed claim", async () => {
    await claimPacked(1, 1n);
    const small = await claimPacked(10, VOUCHER);
    const large = await claimPacked(310, 2n * VOUCHER);
    const marginal = (large - small) / 300n;
    console.log({ small, large, marginal, perPayment: Number(large) / 31000 });
    const settled = await claimPacked(310, 3n * VOUCHER, true);
    const settled2 = await claimPacked(310, 4n * VOUCHER, true);
    const s100 = await claimPacked(100, 5n * VOUCHER, true);
    const s200 = await claimPacked(200, 6n * VOUCHER, true);
    console.log({
      settled,
      settled2,
      s100,
      s200,
      per: Number(settled2) / 31000,
      per100: Number(s100) / 1e4,
      per200: Number(s200) / 2e4,
    });
    assert(marginal <= 10_500n, `${marginal}`);
  });
});
