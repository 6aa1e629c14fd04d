import type { Actions } from "#offchain/app/features.ts";
import type { ErrorCode } from "#offchain/core/error.ts";
import type { Signer } from "#offchain/sdk/paying/channel.ts";
import type { AccessWorld } from "./world.ts";

/** Agents of the world: whose things are asked for, who was paid by it, who works for it, and who has nothing to do with it. */
export const agentNames = ["owner", "payee", "worker", "stranger"] as const;
export type AgentName = (typeof agentNames)[number];

type Input = Record<string, unknown>;
type About = (world: AccessWorld) => Input | Promise<Input>;

/** Who may call an action about somebody's things, beside the role that its declaration asks for. */
export interface AccessRule {
  /** `all`: the role alone decides. Otherwise these agents, and the operator. */
  readonly agents: "all" | readonly AgentName[];
  /** An input about the owner's things that is carried out for whoever may; made anew for each call that is. */
  readonly about: About;
  /** What other agents are told. */
  readonly refusal?: ErrorCode;
  /** Whose signature in the input decides, whoever brings it. */
  readonly signed?: SignedRule;
}

interface SignedRule {
  /** The same input, signed by `signer`. */
  readonly by: (world: AccessWorld, signer: Signer) => Promise<Input>;
  /** In whose name, unless it is the owner's. */
  readonly nameOf?: (world: AccessWorld) => Pick<Signer, "address">;
  /** What a stranger's signature comes to: an error's code, or what the answer says. */
  readonly forged: ErrorCode | object;
}

const all = (about: About): AccessRule => ({ agents: "all", about });
const only = (agents: readonly AgentName[], about: About): AccessRule => ({ agents, about });
const signedBy = (signed: SignedRule, about: About): AccessRule => ({ agents: "all", about, signed });

const nothing: About = () => ({});
const ofOwner: About = ({ account }) => ({ account: account.owner });
const inUsdc: About = ({ account }) => ({ account: account.owner, unit: "USDC" });
const address: About = ({ agents }) => ({ address: agents.owner.address });
const payment: About = ({ account, key }) => ({
  key: key(),
  from: account.owner,
  to: account.payee,
  unit: "USDC",
  amount: "0.01",
});
const proposal: About = ({ proposalId }) => ({ proposalId });
const ticket: About = async (world) => ({ ticketId: await world.ticket() });

/** The one table of who may do what: an action that it lacks does not compile, and fails the test by its name. */
export const access: Readonly<Record<keyof Actions, AccessRule>> = {
  "agents.list": all(nothing),
  "agents.register": only(["owner"], ({ agents }) => ({
    address: agents.owner.address,
    name: "Ada",
    role: "buyer",
  })),
  "agents.show": all(address),
  "agents.suspend": all(({ spare }) => ({ address: spare.address, isSuspended: true })),

  "ledger.open": only(["owner"], ({ account }) => ({ account: account.owner, unit: "VMC" })),
  "ledger.balance": only(["owner"], ofOwner),
  "balances.show": only(["owner"], ({ account }) => ({ id: account.owner })),
  "ledger.transfer": only(["owner"], payment),
  "transfers.create": only(["owner"], payment),
  "ledger.transferToSystem": only(["owner"], async (world) => {
    const { to: _, ...rest } = await payment(world);
    return rest;
  }),
  "ledger.hold": only(["owner"], payment),
  "ledger.post": only(["owner"], async (world) => ({ transferId: await world.hold(), key: world.key() })),
  "ledger.void": only(["owner", "payee"], async (world) => ({
    transferId: await world.hold(),
    key: world.key(),
  })),
  "ledger.reverse": only(["payee"], async (world) => ({
    transferId: await world.transfer(),
    key: world.key(),
  })),
  "ledger.show": only(["owner", "payee"], ({ transferId }) => ({ transferId })),
  "ledger.pending": only(["owner"], ofOwner),
  "ledger.transactions": only(["owner"], inUsdc),
  "ledger.export": only(["owner"], inUsdc),
  "ledger.fees": all(nothing),
  "ledger.setFees": all(() => ({ unit: "SCRIP", minimum: "2" })),
  "ledger.calculateFee": all(() => ({ unit: "USDC", amount: "1" })),
  "ledger.limits": only(["owner"], inUsdc),
  "ledger.setLimits": all(({ spare }) => ({ account: spare.address, unit: "USDC", daily: "5" })),
  "ledger.canSpend": only(["owner"], async (world) => ({ ...(await inUsdc(world)), amount: "1" })),
  "ledger.suspend": all(({ spare }) => ({ account: spare.address, isSuspended: true })),
  "ledger.issue": all(({ spare, key }) => ({ key: key(), to: spare.address, unit: "AVT", amount: "1" })),
  "ledger.schedule": only(["owner"], async (world) => ({
    ...(await payment(world)),
    startsAt: Date.now() + 86_400_000,
  })),
  "ledger.schedules": only(["owner"], ofOwner),
  "ledger.cancelSchedule": {
    ...only(["owner"], async (world) => ({ scheduleId: await world.schedule() })),
    // That it is there at all is its owner's to know.
    refusal: "SCHEDULE_UNKNOWN",
  },

  "carbon.estimate": all(() => ({ work: { kind: "compute", computeType: "H100", durationMs: 1_000 } })),
  "carbon.summary": all(({ agents }) => ({ agent: agents.worker.address })),

  "energy.allocate": only(["owner"], ({ allocation }) => allocation()),
  "energy.charge": only(["owner"], ({ society, source, key }) => ({ key: key(), society, source, atp: "1" })),
  "energy.complete": only(["owner", "payee"], async (world) => ({
    ticketId: await world.ticket(),
    durationMs: 1_000,
  })),
  "energy.fail": only(["owner", "payee", "worker"], async (world) => ({
    ticketId: await world.ticket(),
    reason: "given up",
  })),
  "energy.issue": all(({ society, agents, key }) => ({
    key: key(),
    society,
    owner: agents.owner.address,
    adp: "1",
  })),
  "energy.pool": all(({ society }) => ({ society })),
  "energy.source": only(["owner"], ({ society, proof }) => ({ society, proof: proof() })),
  "energy.ticket": all(ticket),

  "batches.flush": all(nothing),
  "batches.list": all(nothing),
  "batches.show": all(({ batchId }) => ({ batchId })),
  "channels.list": all(({ agents }) => ({ payer: agents.owner.address })),
  "channels.open": signedBy(
    { by: (world, signer) => world.deposit(signer), forged: "TRANSACTION_REVERTED" },
    (world) => world.deposit(world.agents.owner),
  ),
  "channels.show": all(({ channelId }) => ({ channelId })),
  "payments.list": all(({ agents }) => ({ payer: agents.owner.address })),
  "payments.pay": signedBy(
    { by: (world, signer) => world.voucher(signer), forged: "VOUCHER_FORGED" },
    (world) => world.voucher(world.agents.owner),
  ),
  "payments.payBatch": signedBy(
    {
      by: async (world, signer) => ({ payments: [await world.voucher(signer)] }),
      forged: { items: [{ error: { error_code: "VOUCHER_FORGED" } }] },
    },
    async (world) => ({ payments: [await world.voucher(world.agents.owner)] }),
  ),
  "payments.receipt": all(({ paymentId }) => ({ paymentId })),

  "clearing.show": all(nothing),
  "clearing.standing": all(({ agents }) => ({ payee: agents.owner.address })),

  "treasury.adopt": all(({ contracts }) => ({ address: contracts.Treasury })),
  "treasury.create": all(({ agents, key }) => ({ owners: [agents.owner.address], threshold: 1, key: key() })),
  "treasury.list": all(nothing),
  "treasury.show": all(nothing),
  "treasury.budgets": all(nothing),
  "treasury.proposals": all(nothing),
  "treasury.proposal": all(proposal),
  "treasury.simulate": all(proposal),
  "treasury.approve": signedBy(
    {
      by: (world, signer) => world.approval(signer),
      nameOf: ({ treasuryOwner }) => treasuryOwner,
      forged: "SIGNATURE_INVALID",
    },
    (world) => world.approval(world.treasuryOwner),
  ),
  // Whoever asks: the owners' approvals decide.
  "treasury.execute": signedBy(
    { by: async ({ proposalId }) => ({ proposalId }), forged: "QUORUM_MISSING" },
    async (world) => ({ proposalId: await world.approved() }),
  ),
  "treasury.spend": signedBy(
    { by: (world, signer) => world.spend(signer), forged: "TRANSACTION_REVERTED" },
    (world) => world.spend(world.agents.owner),
  ),

  "x402.prices": all(nothing),
  "x402.supported": all(nothing),
  "x402.verify": signedBy(
    { by: (world, signer) => world.x402Payment(signer), forged: { isValid: false } },
    (world) => world.x402Payment(world.agents.owner),
  ),
  "x402.settle": signedBy(
    { by: (world, signer) => world.x402Payment(signer), forged: { success: false } },
    (world) => world.x402Payment(world.agents.owner),
  ),

  "events.list": all(nothing),
  "ledger.reconcile": all(nothing),
  "solvency.report": all(nothing),
  "solvency.list": all(nothing),
  "solvency.take": all(nothing),
  "solvency.proof": only(["owner"], ofOwner),
  "ledger.anchors": all(nothing),
  "overview.show": all(nothing),
  "wallets.list": all(address),
};
