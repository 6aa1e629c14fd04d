import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "#offchain/core/clock.ts";
import { BursarError } from "#offchain/core/error.ts";
import {
  type CommitLimits,
  CommitQueue,
  codeOf,
  isPassing,
  refuseBefore,
  retriesMax,
  type Submission,
} from "#offchain/platform/database/commitQueue.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { Books } from "./books/books.ts";
import type { Draft } from "./books/draft.ts";
import { missing } from "./books/wanted.ts";
import type { LedgerOperation, LedgerOutcome } from "./rules/transfer.ts";
import { load } from "./store/load.ts";
import { seal, staleVersion, takeLedger } from "./store/write.ts";

interface Caller extends Submission<LedgerOperation, LedgerOutcome> {
  outcomes: LedgerOutcome[];
}

interface Group {
  readonly callers: Caller[];
  readonly draft: Draft;
  operations: number;
}

/** Callers decided or answered before other work of the process gets its turn. */
const sliceCallers = 64;
/** The least operations for a second group while the first is being written: smaller groups rewrite the same accounts more often. */
const followOperations = 1_900;
/** After another writer was met, so many groups are decided under the lock, or with a look-up of their keys first. */
const cautiousGroups = 10;
/** How long a caller waits for a database that is away, and how long between two tries; callers are told within 5 s. */
const outage = { patienceMs: 4_500, pauseMs: 100 };

/**
 * Carries the ledger operations of many callers in one durable transaction, and decides the next group while the one
 * before it is being written: a `GroupCommit` that runs ahead of the database, because the books are in memory. There is no timer: a lone
 * caller waits for one transaction, a crowd shares few.
 *
 * As a rule a group is decided from memory and written in one call that takes effect only if nobody else wrote since.
 * If somebody did, or a key turns out to be used before, nothing of it happened: it is decided again under the ledger's
 * lock, on what the tables say.
 */
export class CommitPipeline {
  private readonly sql: Sql;
  private readonly clock: Clock;
  private readonly limits: CommitLimits;
  private readonly books = new Books();
  private readonly queue: CommitQueue<LedgerOperation, LedgerOutcome>;
  private forming: Group | null = null;
  /** Groups on their way. */
  private writing = 0;
  private wake: () => void = () => {};
  /** Callers whose group failed, to be decided again before anyone else. */
  private failed: Caller[] = [];
  private running = false;
  private groups = 0;
  /** How often a group failed: what was read before is not what is decided on after. */
  private failures = 0;
  private lockedGroups = 1;
  private keyedGroups = 0;

  constructor(sql: Sql, clock: Clock, limits: CommitLimits) {
    this.sql = sql;
    this.clock = clock;
    this.limits = limits;
    this.queue = new CommitQueue(limits);
  }

  /** Resolves when the operations are durable. One caller's operations stay together and in order. */
  submit(operations: readonly LedgerOperation[]): Promise<LedgerOutcome[]> {
    if (operations.length === 0) return Promise.resolve([]);
    const outcomes = this.queue.add(operations);
    if (this.running) this.wake();
    else void this.run();
    return outcomes;
  }

  private async run(): Promise<void> {
    this.running = true;
    try {
      // Callers of the same moment go together.
      await turn();
      while (this.isBusy) {
        if (this.failed.length > 0) await this.recover();
        else if (this.lockedGroups > 0) await this.runLocked();
        else await this.runAhead();
      }
    } finally {
      this.running = false;
    }
  }

  private get isBusy(): boolean {
    return !this.queue.isEmpty || this.forming !== null || this.writing > 0 || this.failed.length > 0;
  }

  /** Until a caller comes or a group is durable. */
  private change(): Promise<void> {
    return new Promise((done) => {
      this.wake = done;
    });
  }

  /** Decides a slice from memory, and sends what is formed as soon as nothing is being written. */
  private async runAhead(): Promise<void> {
    const callers = this.take(sliceCallers, this.limits.maxGroup);
    if (callers.length === 0 && this.writing > 0 && !this.mayFollow()) return this.change();
    try {
      await this.decideAhead(callers);
    } catch (error) {
      while (this.writing > 0) await this.change();
      this.fail(callers, error);
      return;
    }
    if (this.writing === 0 || this.mayFollow()) this.send();
    else await turn();
  }

  private async decideAhead(callers: readonly Caller[]): Promise<void> {
    if (callers.length === 0) return;
    const { failures } = this;
    await this.learn(callers, this.keyedGroups > 0);
    const refused = this.decide(callers, failures, (caller) => isRefusedUnseen(this.books, caller));
    if (refused.length === 0) return;
    // A key that was used before would have failed the write; a refusal writes nothing, so its key is looked up.
    await this.learn(refused, true);
    this.decide(refused, failures, () => false);
  }

  /** Loads what the callers' operations need and the books do not hold. */
  private async learn(callers: readonly Caller[], withKeys: boolean): Promise<void> {
    const wanted = missing(this.books, operationsOf(callers), withKeys);
    if (wanted) await load(this.sql, this.books, wanted);
  }

  /** Decides the callers from memory, as part of the group that is formed. @returns those to be decided again */
  private decide(
    callers: readonly Caller[],
    failuresBefore: number,
    isDoubtful: (caller: Caller) => boolean,
  ): Caller[] {
    // Meanwhile a group failed, and with it what these would be decided on.
    if (this.failures !== failuresBefore) {
      this.failed.push(...callers);
      return [];
    }
    this.forming ??= this.openGroup();
    const group = this.forming;
    for (const caller of callers) caller.outcomes = this.books.apply(caller.items);
    const doubtful = new Set(callers.filter(isDoubtful));
    for (const caller of callers) {
      if (doubtful.has(caller)) continue;
      group.callers.push(caller);
      group.operations += caller.items.length;
    }
    group.draft.encode();
    return [...doubtful];
  }

  private openGroup(): Group {
    this.groups += 1;
    const draft = this.books.open(this.groups, this.clock.now());
    return { callers: [], draft, operations: 0 };
  }

  /** Whether what is formed is worth going after the group that is on its way, rather than growing until that is durable. */
  private mayFollow(): boolean {
    const { forming, writing } = this;
    return (
      writing === 1 && forming !== null && forming.operations >= followOperations && !forming.draft.isEmpty
    );
  }

  private send(): void {
    const group = this.forming;
    if (!group) return;
    this.forming = null;
    if (this.keyedGroups > 0) this.keyedGroups -= 1;
    this.writing += 1;
    void this.written(group).then(
      () => {
        this.writing -= 1;
        // The next group goes first, then the callers of this one hear of it.
        if (this.writing === 0 || this.mayFollow()) this.send();
        this.books.forget(group.draft);
        void answer(group.callers);
        this.wake();
      },
      (error: unknown) => {
        this.writing -= 1;
        this.fail(group.callers, error);
        this.wake();
      },
    );
  }

  private async written({ draft }: Group): Promise<void> {
    await seal(this.books, draft).write(this.sql);
  }

  /** Nothing of the group happened, nor of what was decided on top of it. */
  private fail(callers: readonly Caller[], error: unknown): void {
    this.failures += 1;
    // Groups behind a failed one fail only because of it, so they do not change the mode.
    if (this.failed.length === 0) {
      if (isKeyUsed(error)) this.keyedGroups = cautiousGroups;
      else this.lockedGroups = cautiousGroups;
    }
    const all = [...new Set([...callers, ...(this.forming?.callers ?? [])])];
    const oldest = Math.min(...all.map(({ since }) => since));
    this.failed.push(...(isOutage(error) ? this.tellOutage(all, error, oldest) : all));
    this.forming = null;
    this.books.clear();
  }

  private async recover(): Promise<void> {
    while (this.writing > 0) await this.change();
    const callers = this.failed;
    this.failed = [];
    this.lockedGroups = Math.max(this.lockedGroups, 1);
    await this.writeLocked(callers);
  }

  private async runLocked(): Promise<void> {
    if (this.writing > 0) return this.change();
    const callers = this.take(Number.POSITIVE_INFINITY, this.limits.maxGroup);
    await this.writeLocked(callers);
  }

  /** Decides and writes under the ledger's lock. A group that fails as a whole is halved until the failure stands alone. */
  private async writeLocked(callers: readonly Caller[], tries = 0): Promise<void> {
    const version = this.books.version;
    const triedAt = performance.now();
    try {
      const draft = await this.sql.begin(async (tx) => {
        await takeLedger(tx, this.books);
        const wanted = missing(this.books, operationsOf(callers), true);
        if (wanted) await load(tx, this.books, wanted);
        const group = this.openGroup();
        for (const caller of callers) caller.outcomes = this.books.apply(caller.items);
        const sealed = seal(this.books, group.draft);
        if (!group.draft.isEmpty) await sealed.write(tx);
        return group.draft;
      });
      this.books.forget(draft);
      this.lockedGroups =
        version !== null && isMet(version, this.books.version)
          ? cautiousGroups
          : Math.max(0, this.lockedGroups - 1);
      void answer(callers);
    } catch (error) {
      this.books.clear();
      this.lockedGroups = Math.max(1, this.lockedGroups);
      await this.tryAgain(callers, error, { tries, triedAt });
    }
  }

  private async tryAgain(
    callers: readonly Caller[],
    error: unknown,
    { tries, triedAt }: { tries: number; triedAt: number },
  ): Promise<void> {
    const [only, ...others] = callers;
    if (isOutage(error)) {
      const patient = this.tellOutage(callers, error, triedAt);
      if (patient.length === 0) return;
      await delay(outage.pauseMs);
      await this.writeLocked(patient);
    } else if (only && others.length > 0) {
      const middle = callers.length >> 1;
      await this.writeLocked(callers.slice(0, middle));
      await this.writeLocked(callers.slice(middle));
    } else if (tries < retriesMax && (isPassing(error) || codeOf(error) === staleVersion))
      await this.writeLocked(callers, tries + 1);
    else only?.reject(error);
  }

  /** Those who wait behind are told too: a try of their own would take as long. @returns of the callers, who can wait */
  private tellOutage(callers: readonly Caller[], error: unknown, triedAt: number): Caller[] {
    const now = performance.now();
    const before = now - outage.patienceMs + (now - triedAt);
    this.queue.refuseBefore(before, unavailable(error));
    return refuseBefore(callers, before, unavailable(error));
  }

  private take(mostCallers: number, mostOperations: number): Caller[] {
    const items = mostOperations - (this.forming?.operations ?? 0);
    return this.queue
      .take({ items, callers: mostCallers, hasToFit: this.forming !== null })
      .map((submission) => ({ ...submission, outcomes: [] }));
  }
}

/**
 * Whether something was refused of which it is not known that its key is new.
 * @throws KeysUnseen if something else of the same caller was accepted: the group is decided again with its keys
 */
function isRefusedUnseen(books: Books, { items, outcomes }: Caller): boolean {
  const isUnseen = outcomes.some(({ ok }, at) => !ok && !books.knowsKey(items[at]?.key ?? ""));
  if (isUnseen && outcomes.some(({ ok }) => ok)) throw new KeysUnseen();
  return isUnseen;
}

/** A list was accepted in part, and what was refused of it may have been accepted long ago. */
class KeysUnseen extends Error {}

/** Whether the version moved by more than the one group of ours. */
const isMet = (before: bigint, after: bigint | null): boolean => after !== null && after > before + 1n;

/** Answers in slices, so that a crowd's next requests do not keep the process from writing them. */
async function answer(callers: readonly Caller[]): Promise<void> {
  for (let at = 0; at < callers.length; at += sliceCallers) {
    if (at > 0) await turn();
    for (const { resolve, outcomes } of callers.slice(at, at + sliceCallers)) resolve(outcomes);
  }
}

function* operationsOf(callers: readonly Caller[]): Generator<LedgerOperation> {
  for (const { items } of callers) yield* items;
}

const turn = () => new Promise<void>((done) => setImmediate(done));

const unavailable = (cause: unknown) =>
  new BursarError(
    "STORE_UNAVAILABLE",
    "the database is away; send the same request again with the same key",
    {
      cause,
    },
  );

/** The connection broke, or the server is stopping or starting: whether the group was written is not known. */
const isOutage = (error: unknown): boolean => codeOf(error) === "STORE_UNAVAILABLE";

const isKeyUsed = (error: unknown): boolean =>
  codeOf(error) === "23505" && (error as { constraint?: unknown } | null)?.constraint === "ledger_key_pkey";
