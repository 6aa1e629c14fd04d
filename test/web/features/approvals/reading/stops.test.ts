import {
  createClient,
  custom,
  decodeFunctionData,
  encodeEventTopics,
  encodeFunctionResult,
  type Hex,
  numberToHex,
} from "viem";
import { describe, expect, test } from "vitest";
import { treasuryAbi } from "#contracts";
import { type Parties, partiesOf, readDenied, readStops } from "@/features/approvals/reading/stops.ts";
import { owners, proposalOf } from "../../../support/proposal.ts";

const [agent, payee, proposer] = owners.map((owner) => owner.toLowerCase()) as [Hex, Hex, Hex];
const token = `0x${"5".repeat(40)}` as const;
const treasury = proposalOf(0).treasury;
const [call] = proposalOf(0).calls;
if (!call) throw new Error("the proposal has no call");

type Arg = readonly [name: string, type: string, value: string];
const calling = (name: string, args: readonly Arg[], changes: object = {}) => ({
  ...call,
  ...changes,
  decoded: {
    contract: "Treasury",
    function: name,
    args: args.map(([key, type, value]) => ({ name: key, type, value })),
  },
});
const by = (...calls: (typeof call)[]) => partiesOf({ proposer, calls });

describe("whom a proposal is about", () => {
  test("the spender, who asked, the recipient, and the budget that it is spent from, in one case of letters", () =>
    expect(
      by(
        calling("disburse", [
          ["spender", "address", owners[0]],
          ["token", "address", token.toUpperCase().replace("0X", "0x")],
          ["to", "address", owners[1]],
        ]),
      ),
    ).toEqual({
      spenders: [agent, proposer],
      payees: [payee],
      budgets: [
        { spender: agent, token },
        { spender: proposer, token },
      ],
      payments: [
        { spender: agent, payee },
        { spender: proposer, payee },
      ],
    }));
  test("a recipient, whichever call of the proposal pays it, and by whatever it is paid", () => {
    const config = JSON.stringify({ payer: agent, receiver: owners[1] });
    expect(by(call, calling("open", [["config", "tuple", config]]))?.payees).toEqual([payee]);
    expect(by(call, { ...call, to: owners[1], value: "1", data: "0x" })?.payees).toEqual([payee]);
    expect(by(call, { ...call, to: owners[1] })?.payees, "it is only called").toEqual([]);
    expect(by(calling("note", [["note", "string", `{"to": ${payee}`]]))?.payees).toEqual([]);
  });
  test("what is not an address is asked about nowhere", () =>
    expect(by(calling("pay", [["to", "string", "Marlow"]]))?.payees).toEqual([]));
  test("nobody where it does nothing but stop somebody, or lift a stop", () => {
    for (const name of ["freeze", "unfreeze", "pause", "unpause", "removeBudget", "denyRecipients"])
      expect(by(calling(name, [["spender", "address", agent]])), name).toBeNull();
    expect(by(calling("freeze", []), call)).not.toBeNull();
  });
});

interface Chain {
  isPaused?: boolean;
  frozen?: readonly Hex[];
  terms?: object;
  isActive?: boolean;
  listed?: readonly Hex[];
  denied?: readonly Hex[];
  /** A method that is answered by nothing. */
  silent?: string;
}

const terms = {
  perTransaction: 1n,
  approvalAbove: 0n,
  hourly: 1n,
  daily: 1n,
  weekly: 1n,
  monthly: 1n,
  validUntil: 9,
  recipientsOnly: false,
};

/** A node that knows one Treasury. */
function node(chain: Chain) {
  const answer = (data: Hex): Hex => {
    const { functionName, args } = decodeFunctionData({ abi: treasuryAbi, data });
    const lower = ((args ?? []) as string[]).map((value) => value.toLowerCase()) as Hex[];
    const results: Partial<Record<typeof functionName, unknown>> = {
      isPaused: chain.isPaused ?? false,
      isFrozen: chain.frozen?.includes(lower[0] as Hex) ?? false,
      budgetOf: [{ ...terms, ...chain.terms }, chain.isActive ?? true, 0n],
      isRecipientAllowed: chain.listed?.includes(lower[1] as Hex) ?? false,
    };
    return encodeFunctionResult({ abi: treasuryAbi, functionName, result: results[functionName] } as never);
  };
  return createClient({
    transport: custom(
      {
        async request({ method, params }) {
          if (method === chain.silent) throw new Error("nobody answers");
          if (method === "eth_call") return answer(params[0].data);
          const [, , recipient] = params[0].topics;
          return (chain.denied ?? [])
            .filter((one) => recipient.endsWith(one.slice(2)))
            .map((one) => ({
              address: treasury,
              topics: encodeEventTopics({
                abi: treasuryAbi,
                eventName: "RecipientDenied",
                args: { spender: agent, recipient: one },
              }),
              data: `0x${"0".repeat(24)}${proposer.slice(2)}`,
              blockNumber: numberToHex(1),
              logIndex: numberToHex(0),
              transactionIndex: numberToHex(0),
              transactionHash: `0x${"1".repeat(64)}`,
              blockHash: `0x${"1".repeat(64)}`,
              removed: false,
            }));
        },
      },
      { retryCount: 0 },
    ),
  });
}

const parties: Parties = {
  spenders: [agent],
  payees: [payee],
  budgets: [{ spender: agent, token }],
  payments: [{ spender: agent, payee }],
};
const read = (chain: Chain) => readStops(node(chain), treasury, parties);
const denied = (chain: Chain) => readDenied(node(chain), treasury, parties);

describe("what the chain says is stopped", () => {
  test("nothing", async () =>
    expect(await read({})).toEqual({ isPaused: false, frozen: [], removed: [], unlisted: [] }));
  test("a pause, and a freeze of somebody who has no budget any more, or never had one", async () => {
    expect(await read({ isPaused: true, frozen: [agent, payee], isActive: false })).toMatchObject({
      isPaused: true,
      frozen: [agent, payee],
      removed: [agent],
    });
  });
  test("a budget that was taken away, or lowered to nothing, and none that never was", async () => {
    expect((await read({ isActive: false })).removed).toEqual([agent]);
    expect((await read({ terms: { daily: 0n } })).removed).toEqual([agent]);
    const never = { ...terms, perTransaction: 0n, validUntil: 0 };
    expect((await read({ isActive: false, terms: never })).removed).toEqual([]);
  });
  test("a recipient whom an owner has denied, unless it was allowed again", async () => {
    expect(await denied({ denied: [payee] })).toEqual(parties.payments);
    expect(await denied({ denied: [payee], listed: [payee] })).toEqual([]);
    expect(await denied({})).toEqual([]);
  });
  test("a recipient who is not on the list that the budget asks for", async () => {
    expect((await read({ terms: { recipientsOnly: true } })).unlisted).toEqual(parties.payments);
    expect((await read({ terms: { recipientsOnly: true }, listed: [payee] })).unlisted).toEqual([]);
  });
  test("nothing of it while the chain does not answer, and all but the denials while it tells no events", async () => {
    await expect(read({ silent: "eth_call" })).rejects.toThrow();
    await expect(denied({ silent: "eth_getLogs" })).rejects.toThrow();
    expect(await read({ silent: "eth_getLogs", frozen: [agent] })).toMatchObject({ frozen: [agent] });
  });
});
