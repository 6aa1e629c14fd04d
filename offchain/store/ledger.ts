import { createHash } from "node:crypto";
import type { Ledger, LedgerOutcome } from "#offchain/actions/ledger/port.ts";
import type { Clock } from "#offchain/domain/clock.ts";
import { BursarError } from "#offchain/domain/error.ts";
import { accountKind, externalKinds, type LedgerOperation, type Transfer } from "#offchain/domain/ledger.ts";
import { maxAmount, type UnitCode } from "#offchain/domain/unit.ts";
import { list } from "./bytes.ts";
import type { Sql, Tx } from "./database.ts";
import { GroupCommit } from "./groupCommit.ts";
import { readAccounts, readEntries, readTransfer, readTrialBalance } from "./statements.ts";

/** Most operations in one transaction, and most that may wait for one. */
export const ledgerLimits = { maxGroup: 2_000, maxWaiting: 20_000 };

/** The ledger on PostgreSQL, with callers' operations gathered into shared durable transactions. */
export function openLedger(sql: Sql, clock: Clock): Ledger {
  const queue = new GroupCommit<LedgerOperation, LedgerOutcome>(
    (operations) =>
      sql.begin((tx) => applyOperations(tx, operations, clock.now())) as Promise<LedgerOutcome[]>,
    ledgerLimits,
  );
  return {
    submit: (operations) => queue.submit(operations),
    account: async (name, unit) =>
      (await readAccounts(sql, [name])).find((account) => account.unit === unit) ?? null,
    accounts: (names) => readAccounts(sql, names),
    transfer: (id) => readTransfer(sql, id),
    entries: (query) => readEntries(sql, query),
    trialBalance: () => readTrialBalance(sql),
  };
}

interface AccountState {
  id: bigint;
  name: Transfer["debit"];
  unit: UnitCode;
  external: boolean;
  balance: bigint;
  pending: bigint;
  suspended: boolean;
  touched: boolean;
}

interface TransferState {
  transfer: Transfer;
  debit: AccountState;
  credit: AccountState;
  /** In the table already; else to be inserted. */
  stored: boolean;
  changed: boolean;
}

/** What one operation did, so that a linked group can be undone. */
type Undo = () => void;

/**
 * Applies operations in order inside the caller's transaction and says what became of each. Accounts come into being
 * with their first movement. Nothing is written for an operation that fails; linked ones fail together.
 */
export async function applyOperations(
  tx: Tx,
  operations: readonly LedgerOperation[],
  now: number,
): Promise<LedgerOutcome[]> {
  if (operations.length === 0) return [];
  return new Books(now).run(tx, operations);
}

class Books {
  private readonly now: number;
  private readonly accounts = new Map<string, AccountState>();
  private readonly accountsById = new Map<bigint, AccountState>();
  /** Accounts that came into being for these operations. */
  private readonly created = new Set<bigint>();
  private readonly transfers = new Map<string, TransferState>();
  private readonly keys = new Map<string, { hash: string; transfer: TransferState }>();
  private readonly resolutions: { key: string; hash: string; transfer: TransferState }[] = [];
  private readonly entries: {
    transfer: TransferState;
    account: AccountState;
    amount: bigint;
    balanceAfter: bigint;
  }[] = [];

  constructor(now: number) {
    this.now = now;
  }

  async run(tx: Tx, operations: readonly LedgerOperation[]): Promise<LedgerOutcome[]> {
    await this.load(tx, operations);
    const outcomes: LedgerOutcome[] = new Array(operations.length);
    for (const group of groups(operations)) this.applyGroup(operations, group, outcomes);
    await this.save(tx);
    return outcomes;
  }

  private applyGroup(
    operations: readonly LedgerOperation[],
    group: readonly number[],
    outcomes: LedgerOutcome[],
  ): void {
    const undo: Undo[] = [];
    for (const at of group) {
      const operation = operations[at] as LedgerOperation;
      try {
        const { state, replayed } = this.apply(operation, undo);
        outcomes[at] = { ok: true, transfer: state.transfer, replayed };
      } catch (error) {
        if (!(error instanceof BursarError)) throw error;
        for (const back of undo.reverse()) back();
        for (const other of group)
          outcomes[other] = { ok: false, error: other === at ? error : linkFailed(operation, error) };
        return;
      }
    }
  }

  private apply(operation: LedgerOperation, undo: Undo[]): { state: TransferState; replayed: boolean } {
    const hash = requestHash(operation);
    const earlier = this.keys.get(operation.key);
    if (earlier) {
      if (earlier.hash !== hash)
        throw new BursarError(
          "IDEMPOTENCY_CONFLICT",
          `key "${operation.key}" was used for another operation`,
          {
            facts: { key: operation.key, transferId: earlier.transfer.transfer.id },
          },
        );
      return { state: earlier.transfer, replayed: true };
    }
    const state =
      operation.kind === "transfer" || operation.kind === "hold"
        ? this.open(operation, undo)
        : this.resolve(operation, undo);
    this.keys.set(operation.key, { hash, transfer: state });
    undo.push(() => this.keys.delete(operation.key));
    if (operation.kind === "post" || operation.kind === "void") {
      this.resolutions.push({ key: operation.key, hash, transfer: state });
      undo.push(() => this.resolutions.pop());
    }
    return { state, replayed: false };
  }

  private open(
    operation: Extract<LedgerOperation, { kind: "transfer" | "hold" }>,
    undo: Undo[],
  ): TransferState {
    const { amount, unit } = operation;
    if (amount <= 0n || amount > maxAmount)
      throw new BursarError("AMOUNT_INVALID", "amount must be above zero and at most 38 digits", {
        facts: { amount, unit },
      });
    if (operation.debit === operation.credit)
      throw new BursarError("TRANSFER_SELF", "debit and credit are the same account", {
        facts: { account: operation.debit },
      });
    const debit = this.account(operation.debit, unit);
    const credit = this.account(operation.credit, unit);
    for (const account of [debit, credit])
      if (account.suspended)
        throw new BursarError("ACCOUNT_SUSPENDED", `account ${account.name} is suspended`, {
          facts: { account: account.name, unit },
        });
    const available = debit.balance - debit.pending;
    if (!debit.external && available < amount)
      throw new BursarError("INSUFFICIENT_FUNDS", `account ${debit.name} has less available than asked`, {
        facts: { account: debit.name, unit, got: amount, limit: available },
      });
    const state: TransferState = {
      transfer: {
        id: "",
        key: operation.key,
        debit: operation.debit,
        credit: operation.credit,
        unit,
        amount,
        state: "pending",
        reference: operation.reference ?? null,
        memo: operation.memo ?? null,
        createdAt: this.now,
        expiresAt: operation.kind === "hold" ? (operation.expiresAt ?? null) : null,
        resolvedAt: null,
        postedAmount: null,
      },
      debit,
      credit,
      stored: false,
      changed: true,
    };
    this.change(debit, 0n, amount, undo);
    this.transfers.set(`key:${operation.key}`, state);
    undo.push(() => this.transfers.delete(`key:${operation.key}`));
    if (operation.kind === "transfer") this.close(state, amount, undo);
    return state;
  }

  private resolve(
    operation: Extract<LedgerOperation, { kind: "post" | "void" }>,
    undo: Undo[],
  ): TransferState {
    const { transferId } = operation;
    const state = this.transfers.get(transferId);
    if (!state)
      throw new BursarError("TRANSFER_UNKNOWN", `no transfer ${transferId}`, { facts: { transferId } });
    const { transfer } = state;
    if (transfer.state !== "pending")
      throw new BursarError("TRANSFER_NOT_PENDING", `transfer ${transferId} is ${transfer.state} already`, {
        facts: { transferId, state: transfer.state, resolvedAt: transfer.resolvedAt },
      });
    if (operation.kind === "void") {
      this.close(state, 0n, undo);
      return state;
    }
    if (transfer.expiresAt !== null && this.now > transfer.expiresAt)
      throw new BursarError("TRANSFER_EXPIRED", `transfer ${transferId} expired`, {
        facts: { transferId, expiresAt: transfer.expiresAt },
      });
    const amount = operation.amount ?? transfer.amount;
    if (amount <= 0n)
      throw new BursarError("AMOUNT_INVALID", "posted amount must be above zero", {
        facts: { transferId, amount },
      });
    if (amount > transfer.amount)
      throw new BursarError(
        "TRANSFER_EXCEEDS_PENDING",
        `transfer ${transferId} reserved less than is posted`,
        {
          facts: { transferId, got: amount, limit: transfer.amount },
        },
      );
    this.close(state, amount, undo);
    return state;
  }

  /** Posts `amount` of a pending transfer and releases the rest; zero voids it. */
  private close(state: TransferState, amount: bigint, undo: Undo[]): void {
    const before = { transfer: state.transfer, changed: state.changed, entries: this.entries.length };
    this.change(state.debit, -amount, -state.transfer.amount, undo);
    if (amount > 0n) {
      this.change(state.credit, amount, 0n, undo);
      this.entries.push(
        { transfer: state, account: state.debit, amount: -amount, balanceAfter: state.debit.balance },
        { transfer: state, account: state.credit, amount, balanceAfter: state.credit.balance },
      );
    }
    state.transfer = {
      ...state.transfer,
      state: amount > 0n ? "posted" : "voided",
      resolvedAt: this.now,
      postedAmount: amount > 0n ? amount : null,
    };
    state.changed = true;
    undo.push(() => {
      state.transfer = before.transfer;
      state.changed = before.changed;
      this.entries.length = before.entries;
    });
  }

  private change(account: AccountState, balance: bigint, pending: bigint, undo: Undo[]): void {
    account.balance += balance;
    account.pending += pending;
    account.touched = true;
    undo.push(() => {
      account.balance -= balance;
      account.pending -= pending;
    });
  }

  private account(name: Transfer["debit"], unit: UnitCode): AccountState {
    const account = this.accounts.get(`${name} ${unit}`);
    if (!account) throw new Error(`account ${name} in ${unit} was not loaded`);
    return account;
  }

  /** Reads and locks all that the operations touch: transfers first, then accounts, each in the order of their ids. */
  private async load(tx: Tx, operations: readonly LedgerOperation[]): Promise<void> {
    const keys = operations.map(({ key }) => key);
    const movements = operations.filter(
      (operation) => operation.kind === "transfer" || operation.kind === "hold",
    );
    const resolved = await tx<{ key: string; request_hash: Uint8Array; transfer_id: bigint }[]>`
      SELECT * FROM resolution WHERE key = ANY(${keys}::text[])`;
    const ids = operations.flatMap((operation) =>
      "transferId" in operation && /^\d{1,18}$/.test(operation.transferId)
        ? [BigInt(operation.transferId)]
        : [],
    );
    const rows = await tx<TransferRow[]>`
      SELECT * FROM transfer WHERE key = ANY(${keys}::text[])
         OR id = ANY(${list([...ids, ...resolved.map(({ transfer_id }) => transfer_id)])}::bigint[])
      ORDER BY id FOR NO KEY UPDATE`;
    await this.loadAccounts(
      tx,
      movements,
      rows.flatMap(({ debit, credit }) => [debit, credit]),
    );
    for (const row of rows) this.remember(row);
    for (const { key, request_hash, transfer_id } of resolved) {
      const transfer = this.transfers.get(transfer_id.toString());
      if (transfer) this.keys.set(key, { hash: hexOf(request_hash), transfer });
    }
  }

  private async loadAccounts(
    tx: Tx,
    movements: readonly { debit: Transfer["debit"]; credit: Transfer["debit"]; unit: UnitCode }[],
    ids: readonly bigint[],
  ): Promise<void> {
    const wanted = new Map(
      movements.flatMap(({ debit, credit, unit }) =>
        [debit, credit].map((name) => [`${name} ${unit}`, { name, unit }] as const),
      ),
    );
    const names = [...wanted.values()];
    const created = await tx<{ id: bigint }[]>`
      INSERT INTO account (name, unit, external)
      SELECT * FROM unnest(${names.map(({ name }) => name)}::text[], ${names.map(({ unit }) => unit)}::text[],
                           ${list(names.map(({ name }) => externalKinds.has(accountKind(name))))}::text[]::boolean[]) AS w(name, unit, external)
      WHERE NOT EXISTS (SELECT FROM account a WHERE a.name = w.name AND a.unit = w.unit)
      ORDER BY name, unit ON CONFLICT DO NOTHING RETURNING id`;
    for (const { id } of created) this.created.add(id);
    const rows = await tx<AccountRow[]>`
      SELECT a.* FROM account a
      WHERE a.id = ANY(${list([...new Set(ids)])}::bigint[]) OR (a.name, a.unit) IN (
        SELECT * FROM unnest(${names.map(({ name }) => name)}::text[], ${names.map(({ unit }) => unit)}::text[]))
      ORDER BY a.id FOR NO KEY UPDATE`;
    for (const row of rows) {
      const state: AccountState = {
        id: row.id,
        name: row.name,
        unit: row.unit,
        external: row.external,
        balance: row.balance,
        pending: row.pending,
        suspended: row.suspended_at !== null,
        touched: false,
      };
      this.accounts.set(`${row.name} ${row.unit}`, state);
      this.accountsById.set(row.id, state);
    }
  }

  private remember(row: TransferRow): void {
    const debit = this.accountsById.get(row.debit);
    const credit = this.accountsById.get(row.credit);
    if (!debit || !credit) throw new Error(`transfer ${row.id} has accounts that do not exist`);
    const state = { transfer: transferOf(row, debit, credit), debit, credit, stored: true, changed: false };
    this.transfers.set(row.id.toString(), state);
    this.keys.set(row.key, { hash: hexOf(row.request_hash), transfer: state });
  }

  private async save(tx: Tx): Promise<void> {
    const states = [...new Set(this.transfers.values())];
    await this.insertTransfers(
      tx,
      states.filter(({ stored }) => !stored),
    );
    await updateTransfers(
      tx,
      states.filter(({ stored, changed }) => stored && changed),
    );
    await this.saveAccounts(tx);
    await this.forgetAccounts(tx, states);
    await this.insertEntries(tx);
    if (this.resolutions.length > 0)
      await tx`
        INSERT INTO resolution (key, request_hash, transfer_id)
        SELECT * FROM unnest(${this.resolutions.map(({ key }) => key)}::text[],
          ${list(this.resolutions.map(({ hash }) => Buffer.from(hash, "hex")))}::text[]::bytea[],
          ${list(this.resolutions.map(({ transfer }) => BigInt(transfer.transfer.id)))}::bigint[])`;
  }

  private async insertTransfers(tx: Tx, states: readonly TransferState[]): Promise<void> {
    if (states.length === 0) return;
    const column = <Value>(pick: (state: TransferState) => Value) => states.map(pick);
    const inserted = await tx<{ id: bigint; key: string }[]>`
      INSERT INTO transfer (key, request_hash, debit, credit, amount, state, posted_amount, reference, memo,
                            created_at, expires_at, resolved_at)
      SELECT * FROM unnest(
        ${column(({ transfer }) => transfer.key)}::text[],
        ${list(column(({ transfer }) => Buffer.from(this.keys.get(transfer.key)?.hash ?? "", "hex")))}::text[]::bytea[],
        ${list(column(({ debit }) => debit.id))}::bigint[],
        ${list(column(({ credit }) => credit.id))}::bigint[],
        ${list(column(({ transfer }) => transfer.amount.toString()))}::numeric[],
        ${column(({ transfer }) => transfer.state)}::text[],
        ${list(column(({ transfer }) => transfer.postedAmount?.toString() ?? null))}::numeric[],
        ${column(({ transfer }) => transfer.reference)}::text[],
        ${column(({ transfer }) => transfer.memo)}::text[],
        ${list(column(({ transfer }) => BigInt(transfer.createdAt)))}::bigint[],
        ${list(column(({ transfer }) => (transfer.expiresAt === null ? null : BigInt(transfer.expiresAt))))}::bigint[],
        ${list(column(({ transfer }) => (transfer.resolvedAt === null ? null : BigInt(transfer.resolvedAt))))}::bigint[])
      RETURNING id, key`;
    const ids = new Map(inserted.map(({ id, key }) => [key, id.toString()]));
    // Outcomes already hold these very objects, so the id is written into them.
    for (const { transfer } of states) transfer.id = ids.get(transfer.key) ?? "";
  }

  private async saveAccounts(tx: Tx): Promise<void> {
    const touched = [...this.accounts.values()].filter((account) => account.touched);
    if (touched.length === 0) return;
    await tx`
      UPDATE account SET balance = new.balance, pending = new.pending
      FROM unnest(${list(touched.map(({ id }) => id))}::bigint[], ${list(touched.map(({ balance }) => balance.toString()))}::numeric[],
                  ${list(touched.map(({ pending }) => pending.toString()))}::numeric[]) AS new(id, balance, pending)
      WHERE account.id = new.id`;
  }

  /** An account that only failing operations named never was. */
  private async forgetAccounts(tx: Tx, states: readonly TransferState[]): Promise<void> {
    if (this.created.size === 0) return;
    const used = new Set(states.flatMap(({ debit, credit }) => [debit.id, credit.id]));
    const unused = [...this.created].filter((id) => !used.has(id));
    if (unused.length > 0) await tx`DELETE FROM account WHERE id = ANY(${list(unused)}::bigint[])`;
  }

  private async insertEntries(tx: Tx): Promise<void> {
    if (this.entries.length === 0) return;
    await tx`
      INSERT INTO entry (transfer_id, account, amount, balance_after, posted_at)
      SELECT *, ${this.now}::bigint FROM unnest(
        ${list(this.entries.map(({ transfer }) => BigInt(transfer.transfer.id)))}::bigint[],
        ${list(this.entries.map(({ account }) => account.id))}::bigint[],
        ${list(this.entries.map(({ amount }) => amount.toString()))}::numeric[],
        ${list(this.entries.map(({ balanceAfter }) => balanceAfter.toString()))}::numeric[])`;
  }
}

async function updateTransfers(tx: Tx, states: readonly TransferState[]): Promise<void> {
  if (states.length === 0) return;
  await tx`
    UPDATE transfer SET state = new.state, posted_amount = new.posted_amount, resolved_at = new.resolved_at
    FROM unnest(${list(states.map(({ transfer }) => BigInt(transfer.id)))}::bigint[],
                ${states.map(({ transfer }) => transfer.state)}::text[],
                ${list(states.map(({ transfer }) => transfer.postedAmount?.toString() ?? null))}::numeric[],
                ${list(states.map(({ transfer }) => (transfer.resolvedAt === null ? null : BigInt(transfer.resolvedAt))))}::bigint[])
      AS new(id, state, posted_amount, resolved_at)
    WHERE transfer.id = new.id`;
}

/** Positions of the operations that stand or fall together, in order of their first member. */
function groups(operations: readonly LedgerOperation[]): number[][] {
  const found = new Map<string, number[]>();
  for (const [at, { link }] of operations.entries()) {
    const group = link === undefined ? `at:${at}` : `link:${link}`;
    const members = found.get(group);
    if (members) members.push(at);
    else found.set(group, [at]);
  }
  return [...found.values()];
}

const linkFailed = (operation: LedgerOperation, cause: BursarError) =>
  new BursarError("TRANSFER_LINK_FAILED", `a linked operation failed: ${cause.message}`, {
    facts: { link: operation.link, key: operation.key, code: cause.code },
    cause,
  });

/** Binds a key to the whole operation, so that the same key with another request is seen. */
function requestHash(operation: LedgerOperation): string {
  const { key: _, link: __, ...request } = operation;
  const text = JSON.stringify(
    Object.entries(request)
      .filter(([, value]) => value !== undefined)
      .toSorted(),
    (_key, value) => (typeof value === "bigint" ? `${value}n` : value),
  );
  return createHash("sha256").update(text).digest("hex");
}

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

interface AccountRow {
  id: bigint;
  name: Transfer["debit"];
  unit: UnitCode;
  external: boolean;
  balance: bigint;
  pending: bigint;
  suspended_at: bigint | null;
}

interface TransferRow {
  id: bigint;
  key: string;
  request_hash: Uint8Array;
  debit: bigint;
  credit: bigint;
  amount: bigint;
  state: Transfer["state"];
  posted_amount: bigint | null;
  reference: string | null;
  memo: string | null;
  created_at: bigint;
  expires_at: bigint | null;
  resolved_at: bigint | null;
}

function transferOf(row: TransferRow, debit: AccountState, credit: AccountState): Transfer {
  const time = (at: bigint | null) => (at === null ? null : Number(at));
  return {
    id: row.id.toString(),
    key: row.key,
    debit: debit.name,
    credit: credit.name,
    unit: debit.unit,
    amount: row.amount,
    state: row.state,
    reference: row.reference,
    memo: row.memo,
    createdAt: Number(row.created_at),
    expiresAt: time(row.expires_at),
    resolvedAt: time(row.resolved_at),
    postedAmount: row.posted_amount,
  };
}
