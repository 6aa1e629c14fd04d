import { decodeAbiParameters, decodeFunctionData, type Hex, numberToHex, zeroAddress } from "viem";
import { beforeEach, describe, expect, test } from "vitest";
import { batchSettlementAbi } from "#contracts";
import { BursarError } from "#offchain/core/error.ts";
import { channelOpening } from "#offchain/features/payments/intake/opening.ts";
import { ChannelTokens } from "#offchain/features/payments/rules/tokens.ts";
import type { ChannelConfig, DepositAuthorization } from "#offchain/features/payments/service.ts";
import { runNow } from "#offchain/platform/chain/runNow.ts";
import { Sender } from "#offchain/platform/chain/sender/sender.ts";
import { channelId } from "#offchain/sdk/paying/channel.ts";
import { type Books, bookedChainId as chainId, eachWithBooks } from "../../../support/books.ts";
import { sending } from "../../../support/limits.ts";

const payer = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const receiver = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
const stranger = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";
const addresses = {
  batchSettlement: "0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003",
  depositCollector: "0x4020806089470a89826cB9fB1f4059150b550004",
  clearing: "0x9fE46736679d2D9a65F0992F2272dE9f3c7fa6e0",
  usdc: "0x5FbDB2315678afecb367f032d93F642f64180aa3",
} as const;

let books: Books;
eachWithBooks((opened) => {
  books = opened;
});

/** Registered agents by lower-case address, with whether they are suspended. */
let agents: Map<string, boolean>;
let isBonded: boolean;
let runId: bigint;
/** What was simulated on the chain, and with what reason it fails. */
let simulated: { to: string; data: Hex }[];
let revert: BursarError | null;

/** Simulates nothing on a chain: what it is asked is noted, and fails for the reason that a test gives. */
class JudgedSender extends Sender {
  override async simulate({ to, data }: (typeof simulated)[number]): Promise<void> {
    simulated.push({ to, data });
    if (revert) throw revert;
  }
}

beforeEach(() => {
  agents = new Map([payer, receiver].map((address) => [address.toLowerCase(), false]));
  [isBonded, runId, simulated, revert] = [true, books.runId, [], null];
});

const config = (change: Partial<ChannelConfig> = {}): ChannelConfig => ({
  payer,
  payerAuthorizer: payer,
  receiver,
  receiverAuthorizer: books.operator,
  token: addresses.usdc,
  withdrawDelay: 86_400,
  salt: numberToHex(1, { size: 32 }),
  ...(change.receiver?.toLowerCase() === addresses.clearing.toLowerCase() && {
    receiverAuthorizer: addresses.clearing,
  }),
  ...change,
});

const deposit = (change: Partial<DepositAuthorization> = {}): DepositAuthorization => ({
  amount: 5_000_000n,
  validAfter: 1n,
  validBefore: 2_000_000_000n,
  salt: 7n,
  signature: `0x${"ab".repeat(65)}`,
  ...change,
});

const open = (terms = config(), money = deposit()) =>
  channelOpening({
    sql: books.sql,
    clock: { now: () => books.now },
    view: { runNow: () => runNow({ chainId, runId }) } as never,
    sender: new JudgedSender({
      client: { config: { chainId }, reader: { getBalance: async () => 10n ** 18n } } as never,
      sql: books.sql,
      clock: { now: () => books.now },
      account: { address: books.operator } as never,
      abis: {},
      limits: sending,
    }),
    agents: {
      known: async (asked: readonly string[]) =>
        new Map([...agents].filter(([address]) => asked.some((one) => one.toLowerCase() === address))),
    },
    chainId,
    addresses,
    tokens: new ChannelTokens({ address: addresses.usdc, minAmount: null }, []),
    confirm: async () => {},
    isBonded: async () => isBonded,
  })(terms, money);

interface Sent {
  id: bigint;
  key: string;
  purpose: string;
  state: string;
  target: Hex;
  data: Hex;
}

const stored = async () => {
  const transactions = await books.sql<Sent[]>`
    SELECT id, key, purpose, state, '0x' || encode(target, 'hex') AS target, '0x' || encode(data, 'hex') AS data
    FROM chain_transaction WHERE run_id = ${books.runId} ORDER BY id`;
  const channels = await books.sql<{ is_cleared: boolean; transaction_id: bigint }[]>`
    SELECT is_cleared, transaction_id FROM channel WHERE run_id = ${books.runId} ORDER BY id`;
  return { transactions: [...transactions], channels: [...channels] };
};

const nothing = { transactions: [], channels: [] };

describe("a channel", () => {
  test("is stored with the transaction that opens it, under x402's own id, and holds nothing yet", async () => {
    const view = await open();
    const { transactions, channels } = await stored();
    expect(view).toMatchObject({
      channelId: channelId(config(), chainId),
      state: "opening",
      isCleared: false,
      deposit: { amount: "0", unit: "USDC" },
      accepted: { amount: "0", unit: "USDC" },
      openedAt: books.now,
      transactionId: String(transactions[0]?.id),
    });
    expect(transactions).toMatchObject([
      {
        key: `deposit:${view.channelId}:7`,
        purpose: "channel.deposit",
        state: "prepared",
        target: addresses.batchSettlement.toLowerCase(),
      },
    ]);
    expect(channels).toMatchObject([{ is_cleared: false, transaction_id: transactions[0]?.id }]);
  });

  test("is opened by just the deposit that the payer signed, which was simulated first", async () => {
    await open();
    const { transactions } = await stored();
    const { functionName, args = [] } = decodeFunctionData({
      abi: batchSettlementAbi,
      data: transactions[0]?.data ?? "0x",
    });
    expect(functionName).toBe("deposit");
    const [, amount, collector, data] = args as [unknown, bigint, Hex, Hex];
    expect([amount, collector]).toEqual([5_000_000n, addresses.depositCollector]);
    const types = [{ type: "uint256" }, { type: "uint256" }, { type: "uint256" }, { type: "bytes" }] as const;
    expect(decodeAbiParameters(types, data)).toEqual([1n, 2_000_000_000n, 7n, deposit().signature]);
    expect(simulated).toEqual([{ to: addresses.batchSettlement, data: transactions[0]?.data }]);
  });

  test("that is asked for again is the same one, by the same transaction, which is not simulated again", async () => {
    const first = await open();
    // Simulated now, it would fail: the authorization is used.
    revert = new BursarError("TRANSACTION_REVERTED", "authorization is used");
    expect(await open()).toEqual(first);
    expect(simulated).toHaveLength(1);
    expect((await stored()).transactions).toHaveLength(1);
  });

  test("whose deposit failed is opened by the same deposit again, once that works", async () => {
    const { channelId: id } = await open();
    await books.sql`UPDATE chain_transaction SET state = 'failed', final = true WHERE key = ${`deposit:${id}:7`}`;
    revert = new BursarError("TRANSACTION_REVERTED", "the payer has too little");
    await expect(open()).rejects.toMatchObject({ code: "TRANSACTION_REVERTED" });
    revert = null;
    const again = await open();
    expect(await open(), "and is sent once").toEqual(again);
    const { transactions, channels } = await stored();
    expect(transactions.map(({ state }) => state)).toEqual(["failed", "prepared"]);
    expect(transactions[1]).toMatchObject({ key: `deposit:${id}:7`, data: transactions[0]?.data });
    expect(channels).toMatchObject([{ transaction_id: transactions[1]?.id }]);
    expect(again.transactionId).toBe(String(transactions[1]?.id));
  });

  test("may be topped up by another deposit, in another transaction", async () => {
    const first = await open();
    const again = await open(config(), deposit({ salt: 8n }));
    expect(again.channelId).toBe(first.channelId);
    const { transactions, channels } = await stored();
    expect([transactions.length, channels.length]).toEqual([2, 1]);
  });

  test("whose deposit was used with another amount is a conflict", async () => {
    await open();
    await expect(open(config(), deposit({ amount: 5_000_001n }))).rejects.toMatchObject({
      code: "IDEMPOTENCY_CONFLICT",
    });
    expect((await stored()).transactions).toHaveLength(1);
  });

  test("of the same terms but one is another channel", async () => {
    const ids = new Set<string>();
    for (const change of [{}, { withdrawDelay: 86_401 }, { salt: numberToHex(2, { size: 32 }) }])
      ids.add((await open(config(change))).channelId);
    expect(ids.size).toBe(3);
  });
});

describe("a cleared channel", () => {
  test.each([addresses.clearing, addresses.clearing.toLowerCase() as Hex])(
    "is one whose receiver is Clearing, which is no agent: %s",
    async (clearing) => {
      expect((await open(config({ receiver: clearing }))).isCleared).toBe(true);
    },
  );

  test("is opened only while a bond stands behind the operator's word; direct ones need none", async () => {
    isBonded = false;
    await expect(open(config({ receiver: addresses.clearing }))).rejects.toMatchObject({
      code: "CLEARING_UNBONDED",
      status: 503,
      facts: { operator: books.operator, clearing: addresses.clearing },
    });
    expect(await stored()).toEqual(nothing);
    expect((await open()).isCleared).toBe(false);
  });

  test("has a key of its own: an account's own check may unsay tomorrow what the operator owes for", async () => {
    const terms = config({ receiver: addresses.clearing, payerAuthorizer: zeroAddress });
    await expect(open(terms)).rejects.toMatchObject({
      code: "VALIDATION_INVALID_INPUT",
      facts: { field: "config.payerAuthorizer" },
    });
    expect(await stored()).toEqual(nothing);
    expect((await open(config({ payerAuthorizer: zeroAddress }))).isCleared).toBe(false);
  });
});

describe("nothing is stored or sent", () => {
  const refused = async (terms: ChannelConfig, expected: object) => {
    await expect(open(terms)).rejects.toMatchObject(expected);
    expect([await stored(), simulated]).toEqual([nothing, []]);
  };

  test("for a token that is not settled here", () =>
    refused(config({ token: stranger }), {
      code: "VALIDATION_INVALID_INPUT",
      facts: { field: "config.token", got: stranger, wanted: `USDC ${addresses.usdc}` },
      fields: [{ field: "config.token", value: stranger }],
    }));

  test("for a channel that the operator could not claim from", () =>
    refused(config({ receiverAuthorizer: stranger }), {
      code: "VALIDATION_INVALID_INPUT",
      facts: { field: "config.receiverAuthorizer", got: stranger, wanted: books.operator },
    }));

  test("for a cleared channel that its operator has a power over", () =>
    refused(config({ receiver: addresses.clearing, receiverAuthorizer: books.operator }), {
      code: "VALIDATION_INVALID_INPUT",
      facts: { field: "config.receiverAuthorizer", got: books.operator, wanted: addresses.clearing },
    }));

  test.each(["payer", "receiver"] as const)(
    "for a %s that is not registered, or suspended",
    async (party) => {
      await refused(config({ [party]: stranger }), { code: "AGENT_UNKNOWN", facts: { address: stranger } });
      agents.set((party === "payer" ? payer : receiver).toLowerCase(), true);
      await refused(config(), {
        code: "AGENT_SUSPENDED",
        facts: { address: party === "payer" ? payer : receiver },
      });
    },
  );

  test("before the chain is met", async () => {
    runId = 0n;
    await refused(config(), { code: "CHAIN_UNAVAILABLE", facts: { chainId } });
  });

  test("when the chain would refuse the deposit, which is said with the contract's own reason", async () => {
    revert = new BursarError("TRANSACTION_REVERTED", "FiatTokenV2: invalid signature");
    await expect(open()).rejects.toBe(revert);
    expect(await stored()).toEqual(nothing);
    revert = null;
    expect((await open()).state).toBe("opening");
  });
});

test("the spelling of addresses is not what a channel is refused for", async () => {
  const lower = (address: string) => address.toLowerCase() as Hex;
  const view = await open(
    config({ token: lower(addresses.usdc), receiverAuthorizer: lower(books.operator), payer: lower(payer) }),
  );
  expect(view.channelId).toBe(channelId(config(), chainId));
});
