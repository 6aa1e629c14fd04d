import { afterAll, beforeAll, expect, test } from "vitest";
import { batchSettlementAbi, treasuryAbi } from "#contracts";
import { channelId, signVoucher } from "#offchain/sdk/paying/channel.ts";
import {
  BATCH_SETTLEMENT_ADDRESS,
  ERC3009_DEPOSIT_COLLECTOR_ADDRESS,
} from "../../../../scripts/contracts/canonical.ts";
import { devAccount } from "../../support/node.ts";
import { mint } from "../../support/token.ts";
import {
  asTreasury,
  chainId,
  network,
  operator,
  requestOf,
  requirementsFor,
  seller,
  startFacilitator,
  startX402Chain,
  type X402Chain,
} from "../../support/x402.ts";

/** The agent that spends of the Treasury's money. */
const agent = devAccount(5);
const most = 2n ** 128n - 1n;
const daily = 50_000n;

let chain: X402Chain;
let service: Awaited<ReturnType<typeof startFacilitator>>;

beforeAll(async () => {
  chain = await startX402Chain();
  service = await startFacilitator(chain);
  await mint(chain.node, chain.usdc, [[chain.treasury, 1_000_000n]]);
  await asTreasury(chain, "setCollector", [ERC3009_DEPOSIT_COLLECTOR_ADDRESS, BATCH_SETTLEMENT_ADDRESS]);
  const budget = {
    perTransaction: daily,
    approvalAbove: most,
    hourly: most,
    daily,
    weekly: most,
    monthly: most,
    validUntil: 2 ** 40 - 1,
    recipientsOnly: false,
  };
  await asTreasury(chain, "setBudget", [agent.address, chain.usdc, budget]);
});
afterAll(async () => {
  await service?.stop();
  await chain?.stop();
});

/** A deposit leaves in the 20 minutes that it is charged to: those to come, where too little is left of the present ones. */
async function endOfBucket(): Promise<bigint> {
  const { timestamp } = await chain.node.client.getBlock();
  const [bucket, left] = [1_200n, 60n];
  const end = (timestamp / bucket + 1n) * bucket;
  if (end - timestamp > left) return end;
  await chain.node.client.request({
    method: "evm_setNextBlockTimestamp" as never,
    params: [Number(end)] as never,
  });
  return end + bucket;
}

/** A deposit of the Treasury's money into a channel whose vouchers the agent signs, with the first voucher. */
async function depositOf(amount: bigint, salt: bigint) {
  const config = {
    payer: chain.treasury,
    payerAuthorizer: agent.address,
    receiver: seller,
    receiverAuthorizer: operator.address,
    token: chain.usdc,
    withdrawDelay: 900,
    salt: `0x${salt.toString(16).padStart(64, "0")}` as const,
  };
  const id = channelId(config, chainId);
  const validBefore = await endOfBucket();
  const voucher = { channelId: id, maxClaimableAmount: 1_000n };
  const exact = requirementsFor(chain.usdc);
  const requirements = {
    ...exact,
    scheme: "batch-settlement",
    extra: { ...exact.extra, receiverAuthorizer: operator.address, withdrawDelay: 900 },
  };
  const payload = {
    type: "deposit",
    channelConfig: config,
    voucher: {
      channelId: id,
      maxClaimableAmount: "1000",
      signature: await signVoucher(agent, chainId, voucher),
    },
    deposit: {
      amount: amount.toString(),
      authorization: {
        erc3009Authorization: {
          validAfter: "0",
          validBefore: validBefore.toString(),
          salt: config.salt,
          // The Treasury decides by the digest; the bytes are read by nobody.
          signature: `0x${"00".repeat(96)}`,
        },
      },
    },
  };
  const authorize = () =>
    chain.node.client.writeContract({
      account: agent,
      address: chain.treasury,
      abi: treasuryAbi,
      functionName: "authorizeDeposit",
      args: [config, amount, ERC3009_DEPOSIT_COLLECTOR_ADDRESS, salt, validBefore],
    });
  return {
    id,
    authorize,
    request: requestOf({ x402Version: 2, accepted: requirements, payload }, requirements),
  };
}

const channel = (id: `0x${string}`) =>
  chain.node.client.readContract({
    address: BATCH_SETTLEMENT_ADDRESS,
    abi: batchSettlementAbi,
    functionName: "channels",
    args: [id],
  });

test("a deposit of the Treasury is refused until its agent has charged it to the budget, then collected once", async () => {
  const { id, authorize, request } = await depositOf(20_000n, 1n);
  expect(await service.facilitator.settle(request)).toMatchObject({ success: false, transaction: "" });
  await chain.node.client.waitForTransactionReceipt({ hash: await authorize() });
  expect(await service.facilitator.verify(request)).toMatchObject({ isValid: true, payer: chain.treasury });
  const first = await service.facilitator.settle(request);
  expect(first).toMatchObject({ success: true, network, amount: "20000" });
  expect(await service.facilitator.settle(request)).toEqual(first);
  expect((await channel(id))[0]).toBe(20_000n);
});

test("the budget is the hard limit: above it there is no authorization, and nothing to settle", async () => {
  const { id, authorize, request } = await depositOf(daily, 2n);
  // 20,000 of the day's 50,000 are charged.
  await expect(authorize()).rejects.toThrow();
  expect(await service.facilitator.settle(request)).toMatchObject({ success: false, transaction: "" });
  expect((await channel(id))[0]).toBe(0n);
});
