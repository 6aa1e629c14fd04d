import { getAddress, type LocalAccount } from "viem";
import type { Caller } from "#offchain/core/call/caller.ts";
import { type MemoryDoor, openMemoryDoor } from "#offchain/doors/memory/door.ts";
import { accountOf } from "../../../scripts/bench/parts/agents.ts";
import type { Machine } from "../../../scripts/fuzz/machine.ts";
import { populate } from "../../../scripts/fuzz/populate.ts";
import { contracts } from "../../../scripts/soak/wallets.ts";
import { until } from "../../offchain/support/stack.ts";
import type { AgentName } from "./rules.ts";
import { openPaying, openTreasury } from "./signed.ts";

/** A text of somebody's that these alone may be told. */
export interface Mark {
  readonly of: string;
  readonly text: string;
  readonly audience: readonly (AgentName | "operator")[];
}

export type AccessWorld = Awaited<ReturnType<typeof openAccessWorld>>;

const aDayMs = 86_400_000;

const agents = {
  owner: accountOf("payer"),
  payee: accountOf("payee"),
  worker: accountOf("worker"),
  stranger: accountOf("stranger"),
} as const satisfies Record<AgentName, LocalAccount>;
/** Whom the operator does things to that would be in the others' way. */
const spare = accountOf("spare");
const ledgerAccount = (name: AgentName) => `agent:${agents[name].address.toLowerCase()}`;

export const callerOf = (who: AgentName | "operator"): Caller =>
  who === "operator" ? { role: "operator" } : { role: "agent", address: getAddress(agents[who].address) };

type Call = (who: AgentName | "operator", action: string, input: object) => Promise<Record<string, unknown>>;

/** Four agents, each with something of its own, and what of the first one's things the actions are asked about. */
export async function openAccessWorld(machine: Machine) {
  await populate(machine);
  const door = openMemoryDoor(machine.service);
  const must: Call = async (who, action, input) => {
    const outcome = await door.call(callerOf(who), { action, input });
    if (outcome.ok) return outcome.output as Record<string, unknown>;
    throw new Error(`${action} by ${who}: ${JSON.stringify(outcome.error)}`);
  };
  let made = 0;
  const key = () => `access-${++made}`;
  await registerAll(door);
  for (const to of [ledgerAccount("stranger"), spare.address])
    await must("operator", "ledger.issue", { key: key(), to, unit: "USDC", amount: "1000" });

  const marked = {
    transfer: "MarkOfTransfer7Q",
    metadata: "MarkOfMetadata7Q",
    hold: "MarkOfHold7Q",
    schedule: "MarkOfSchedule7Q",
  };
  const ledger = ledgerThings(must, key);
  const transferId = await ledger.transfer(marked.transfer, { note: marked.metadata });
  await ledger.hold(marked.hold);
  await ledger.schedule(marked.schedule);
  // Figures that nobody else has.
  const [balance, limit] = ["71.830529", "68.204917"];
  const eurc = { unit: "EURC", account: ledgerAccount("owner") };
  await must("operator", "ledger.issue", { key: key(), to: eurc.account, unit: "EURC", amount: balance });
  await must("operator", "ledger.setLimits", { ...eurc, daily: limit });

  const energy = await openEnergySociety(must, key);
  const paying = await openPaying(machine, agents);
  const treasury = await openTreasury(machine, agents);
  const salt = await saltOf(must);
  const { voucherSignature } = await must("owner", "channels.show", { channelId: paying.channelId });

  const parties = ["owner", "payee", "operator"] as const;
  const marks: Mark[] = [
    { of: "a transfer's memo", text: marked.transfer, audience: parties },
    { of: "a transfer's metadata", text: marked.metadata, audience: parties },
    { of: "a hold's memo", text: marked.hold, audience: parties },
    { of: "a schedule's memo", text: marked.schedule, audience: ["owner", "operator"] },
    { of: "a balance on the ledger", text: balance, audience: ["owner", "operator"] },
    { of: "a spending limit", text: limit, audience: ["owner", "operator"] },
    { of: "the salt of a leaf", text: String(salt), audience: ["owner", "operator"] },
    { of: "a channel's voucher", text: String(voucherSignature), audience: ["owner"] },
  ];
  const account = { owner: ledgerAccount("owner"), payee: ledgerAccount("payee") };
  return {
    contracts,
    agents,
    spare,
    account,
    key,
    marks,
    transferId,
    ...ledger,
    ...energy,
    ...paying,
    ...treasury,
  };
}

/** Each by itself, as the action wants it. */
async function registerAll(door: MemoryDoor): Promise<void> {
  for (const [name, { address }] of Object.entries({ ...agents, spare })) {
    const input = { address, name, role: "worker" };
    await door.call({ role: "agent", address: getAddress(address) }, { action: "agents.register", input });
  }
}

/** Of the owner's leaf: for a moment the snapshot of the service's start, when nothing was owed yet, is given. */
async function saltOf(must: Call): Promise<unknown> {
  const proof = async () => {
    await must("owner", "solvency.take", {});
    return must("owner", "solvency.proof", {}).catch(() => null);
  };
  const proven = await until(proof, (given) => given !== null);
  return proven?.salt;
}

/** The owner's movements to the payee, made anew each time; each gives its id. */
function ledgerThings(must: Call, key: () => string) {
  const pay = (memo: string) => ({
    key: key(),
    to: ledgerAccount("payee"),
    unit: "USDC",
    amount: "0.01",
    memo,
  });
  const idOf = async (made: ReturnType<Call>) => String((await made).id);
  return {
    transfer: (memo = "transfer", metadata = {}) =>
      idOf(must("owner", "ledger.transfer", { ...pay(memo), metadata })),
    hold: (memo = "hold") => idOf(must("owner", "ledger.hold", pay(memo))),
    schedule: (memo = "schedule") =>
      idOf(must("owner", "ledger.schedule", { ...pay(memo), startsAt: Date.now() + aDayMs })),
  };
}

/** The owner's society with energy to give out, for work that the worker does and the payee asked for. */
async function openEnergySociety(must: Call, key: () => string) {
  const society = "access";
  let meters = 0;
  const proof = () => ({
    kind: "grid",
    method: "utility API",
    provenAt: Date.now() - 1,
    allocatedWatts: "100000",
    meterId: `meter-${++meters}`,
    accountId: "42",
    peakFactorBps: 10_000,
  });
  const allocation = () => ({
    key: key(),
    society,
    worker: agents.worker.address,
    requester: agents.payee.address,
    computeType: "H100",
    durationMs: 1_000,
    region: "us-east",
  });
  const { address: owner } = agents.owner;
  await must("operator", "energy.issue", { key: key(), society, owner, adp: "100000" });
  const { id: source } = await must("owner", "energy.source", { society, proof: proof() });
  await must("owner", "energy.charge", { key: key(), society, source, atp: "50000" });
  return {
    society,
    source: String(source),
    proof,
    allocation,
    ticket: async () => String((await must("owner", "energy.allocate", allocation())).id),
  };
}
