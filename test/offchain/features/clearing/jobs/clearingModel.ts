import {
  type ContractErrorArgs,
  type ContractErrorName,
  decodeFunctionData,
  encodeErrorResult,
  getAddress,
} from "viem";
import { clearingAbi } from "#contracts";
import { challengeWindowMs } from "#offchain/features/clearing/rules.ts";
import { type Revert, RevertDecoder } from "#offchain/platform/chain/contracts/revert.ts";

type Hex = `0x${string}`;

interface Line {
  settled: bigint;
  added: bigint;
  epoch: number;
}

interface Epoch {
  total: bigint;
  rows: number;
  sealedAt: number | null;
  isVoid: boolean;
}

interface State {
  lines: Map<string, Line>;
  epochs: Map<number, Epoch>;
  last: number;
  paid: Map<string, bigint>;
}

/** An event of Clearing as the indexer tells it. */
export interface ModelEvent {
  name: "EpochFilled" | "EpochSealed" | "EpochVoided" | "Demanded" | "PaidBatch";
  args: Record<string, unknown> & { token: Hex };
  blockHash: Hex;
  logIndex: number;
  blockAt: number;
}

/** An event that a call emits. */
type Told = Pick<ModelEvent, "name"> & { args: Record<string, unknown> };

/** What a call does to the chain: the events that it emits, or why it reverts. */
type Done = Told[] | Revert;

const isRefusal = (done: Done): done is Revert => "error" in done;

const reverts = new RevertDecoder({ Clearing: clearingAbi });
const refuse = <Name extends ContractErrorName<typeof clearingAbi>>(
  errorName: Name,
  args: ContractErrorArgs<typeof clearingAbi, Name>,
): Revert => reverts.decode(encodeErrorResult({ abi: clearingAbi, errorName, args } as never));

/**
 * `CreditBook` in few words, of one token, with blocks that can be taken back: what the service's calls, and payees', do to
 * credits.
 */
export class ClearingModel {
  readonly token: Hex;
  least = 10n;
  /** All that was received: enough for all. */
  received = 10n ** 30n;
  isBonded = true;
  isListed = true;
  /** Epoch ms. */
  now = 1_000_000_000_000;
  #state: State = { lines: new Map(), epochs: new Map(), last: 0, paid: new Map() };
  readonly #blocks: { before: State; events: ModelEvent[]; calls: readonly Call[] }[] = [];

  constructor(token: Hex) {
    this.token = token;
  }

  get blocks(): number {
    return this.#blocks.length;
  }

  /** A block with these calls, in their order; which of them were successful, and what is told of it. */
  mine(calls: readonly Call[], blockHash: Hex): { events: ModelEvent[]; successes: boolean[] } {
    this.now += 1_000;
    const before = structuredClone(this.#state);
    const events: ModelEvent[] = [];
    const successes = calls.map((call) => {
      const kept = structuredClone(this.#state);
      const done = this.#run(call);
      if (isRefusal(done)) {
        this.#state = kept;
        return false;
      }
      for (const { name, args } of done)
        events.push({
          name,
          args: { token: this.token, ...args },
          ...{ blockHash, logIndex: events.length, blockAt: this.now },
        });
      return true;
    });
    this.#blocks.push({ before, events, calls });
    return { events, successes };
  }

  /** Why a call of the service would revert now; null: it would not. */
  refusal(data: Hex): Revert | null {
    const kept = structuredClone(this.#state);
    const done = this.#run({ id: 0n, data });
    this.#state = kept;
    return isRefusal(done) ? done : null;
  }

  /** Takes the newest block back: its events, newest first, and its calls, which wait again. */
  retract(): { events: ModelEvent[]; calls: readonly Call[] } {
    const block = this.#blocks.pop();
    if (!block) return { events: [], calls: [] };
    this.#state = block.before;
    return { events: block.events.toReversed(), calls: block.calls };
  }

  /** All that a payee is credited: for good, and by an epoch that is sealed. */
  credited(payee: string): bigint {
    const line = this.#line(payee);
    const epoch = this.#state.epochs.get(line.epoch);
    return line.settled + (epoch && epoch.sealedAt !== null && !epoch.isVoid ? line.added : 0n);
  }

  paid(payee: string): bigint {
    return this.#state.paid.get(payee) ?? 0n;
  }

  epoch(number: number): Epoch {
    return this.#state.epochs.get(number) ?? { total: 0n, rows: 0, sealedAt: null, isVoid: false };
  }

  get last(): number {
    return this.#state.last;
  }

  /** The newest epoch, if a receipt can void it. */
  get challengeable(): number | null {
    const { sealedAt, isVoid } = this.epoch(this.last);
    return sealedAt !== null && !isVoid && this.now + 1_000 < sealedAt + challengeWindowMs ? this.last : null;
  }

  #line(payee: string): Line {
    return this.#state.lines.get(payee.toLowerCase()) ?? { settled: 0n, added: 0n, epoch: 0 };
  }

  #isSettled(epoch: Epoch): boolean {
    return epoch.sealedAt !== null && !epoch.isVoid && this.now >= epoch.sealedAt + challengeWindowMs;
  }

  #run(call: Call): Done {
    if ("demanded" in call) return this.#demand(call.demanded, call.amount);
    if ("voided" in call) return this.#void(call.voided);
    const { functionName, args } = decodeFunctionData({ abi: clearingAbi, data: call.data });
    if (functionName === "credit") return this.#credit(Number(args[1]), Number(args[2]), args[3], args[4]);
    if (functionName === "payOutAll") return this.#payOutAll(args[1]);
    throw new Error(`the model knows no ${functionName}`);
  }

  #credit(number: number, from: number, packed: Hex, isLast: boolean): Done {
    const last = this.epoch(this.last);
    const isOpen = this.last !== 0 && last.sealedAt === null && !last.isVoid;
    const epoch = this.epoch(number);
    const wanted = isOpen ? this.last : this.last + 1;
    if (!this.isBonded) return refuse("Clearing_BondTooLow", [0n, 1n]);
    if (number !== wanted) return refuse("Clearing_WrongEpoch", [BigInt(number), BigInt(wanted)]);
    if (!this.isListed) return refuse("Clearing_TokenNotListed", [this.token]);
    if (!isOpen && this.last !== 0 && !last.isVoid && !this.#isSettled(last))
      return refuse("Clearing_EpochPending", [BigInt(this.last)]);
    if (epoch.rows !== from) return refuse("Clearing_WrongRow", [BigInt(from), BigInt(epoch.rows)]);
    if (packed.length <= 2) return refuse("Clearing_BadRows", []);
    for (let at = 2; at < packed.length; at += 64) {
      const payee = `0x${packed.slice(at, at + 40)}`;
      const total = BigInt(`0x${packed.slice(at + 40, at + 64)}`);
      const line = this.#line(payee);
      const isAdding = line.epoch === number;
      const stands = isAdding || !this.epoch(line.epoch).isVoid;
      const rise = total - line.settled - (stands ? line.added : 0n);
      epoch.rows += 1;
      if (rise <= 0n) continue;
      epoch.total += rise;
      const settled = line.settled + (stands && !isAdding ? line.added : 0n);
      this.#state.lines.set(payee, { settled, added: total - settled, epoch: number });
    }
    const total = this.#settledSum(number) + epoch.total;
    if (isLast && total > this.received) return refuse("Clearing_TotalTooHigh", [total, this.received]);
    this.#state.epochs.set(number, { ...epoch, sealedAt: isLast ? this.now : null });
    this.#state.last = number;
    const of = { epoch: BigInt(number), total: epoch.total };
    const filled: Told = { name: "EpochFilled", args: { ...of, rows: BigInt(epoch.rows) } };
    return isLast ? [filled, { name: "EpochSealed", args: of }] : [filled];
  }

  /** What payees are credited without what an epoch adds. */
  #settledSum(number: number): bigint {
    return [...this.#state.lines.values()].reduce(
      (sum, { settled, added, epoch }) =>
        sum + settled + (epoch !== number && !this.epoch(epoch).isVoid ? added : 0n),
      0n,
    );
  }

  #void(number: number): Done {
    const epoch = this.epoch(number);
    if (epoch.sealedAt === null || epoch.isVoid || this.#isSettled(epoch))
      return refuse("Clearing_NotChallengeable", [this.token, BigInt(number)]);
    this.#state.epochs.set(number, { ...epoch, isVoid: true });
    return [{ name: "EpochVoided", args: { epoch: BigInt(number) } }];
  }

  #demand(payee: string, cumulative: bigint): Done {
    const amount = cumulative - this.credited(payee);
    if (amount < this.least) return refuse("Clearing_ReceiptHonoured", [cumulative, this.credited(payee)]);
    const line = { ...this.#line(payee) };
    line.settled += amount;
    const epoch = this.epoch(line.epoch);
    if (line.added !== 0n && epoch.sealedAt === null && !epoch.isVoid) {
      let given = amount;
      if (line.added < given) given = line.added;
      line.added -= given;
      this.#state.epochs.set(line.epoch, { ...epoch, total: epoch.total - given });
    }
    this.#state.lines.set(payee.toLowerCase(), line);
    return [{ name: "Demanded", args: { payee: getAddress(payee), amount } }];
  }

  #payOutAll(payees: readonly Hex[]): Told[] {
    let amount = 0n;
    for (const payee of payees.map((one) => one.toLowerCase())) {
      const line = this.#line(payee);
      const settled = line.settled + (this.#isSettled(this.epoch(line.epoch)) ? line.added : 0n);
      amount += settled - this.paid(payee);
      this.#state.paid.set(payee, settled);
    }
    return [{ name: "PaidBatch", args: { amount } }];
  }
}

/** A call of the service, a payee's receipt that is a demand, or one that voids an epoch. */
export type Call = { id: bigint; data: Hex } | { demanded: string; amount: bigint } | { voided: number };
