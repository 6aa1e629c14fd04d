import { type BudgetPeriod, windowsAt } from "#offchain/features/ledger/rules/budget.ts";

/** The ledger as simply as it can be said: one thing after another, in memory. What the real one must agree with. */
export interface ModelHold {
  id: string;
  from: string;
  to: string;
  amount: bigint;
  fee: bigint;
  state: "pending" | "posted" | "voided";
  posted: bigint;
  reversed: bigint;
  at: number;
  expiresAt: number | null;
  isReversal: boolean;
}

interface ModelAccount {
  balance: bigint;
  pending: bigint;
  incoming: bigint;
  isSuspended: boolean;
  limits: Partial<Record<BudgetPeriod, bigint>>;
  charges: { amount: bigint; at: number }[];
}

export class Model {
  readonly accounts = new Map<string, ModelAccount>();
  readonly holds = new Map<string, ModelHold>();
  readonly keys = new Map<string, string>();

  of(name: string): ModelAccount {
    let account = this.accounts.get(name);
    if (!account) {
      account = { balance: 0n, pending: 0n, incoming: 0n, isSuspended: false, limits: {}, charges: [] };
      this.accounts.set(name, account);
    }
    return account;
  }

  /** Why the movement is refused; null if it is not. */
  refusal(from: string, to: string, amount: bigint, fee: bigint, now: number): string | null {
    const [debit, credit] = [this.of(from), this.of(to)];
    if (from === to) return "TRANSFER_SELF";
    if (debit.isSuspended || credit.isSuspended) return "ACCOUNT_SUSPENDED";
    if (debit.balance - debit.pending < amount + fee) return "INSUFFICIENT_FUNDS";
    return this.isOverBudget(debit, amount + fee, now) ? "BUDGET_EXCEEDED" : null;
  }

  start(hold: Omit<ModelHold, "state" | "posted" | "reversed">): void {
    const { id, from, to, amount, fee, at } = hold;
    this.holds.set(id, { ...hold, state: "pending", posted: 0n, reversed: 0n });
    this.of(from).pending += amount + fee;
    this.of(to).incoming += amount;
    this.of("treasury").incoming += fee;
    if (!hold.isReversal) this.of(from).charges.push({ amount: amount + fee, at });
  }

  resolutionRefusal(hold: ModelHold, amount: bigint | null, now: number): string | null {
    if (hold.state !== "pending") return "TRANSFER_NOT_PENDING";
    if (amount === null) return null;
    if (hold.expiresAt !== null && now > hold.expiresAt) return "TRANSFER_EXPIRED";
    if (amount > hold.amount) return "TRANSFER_EXCEEDS_PENDING";
    return this.of(hold.from).isSuspended || this.of(hold.to).isSuspended ? "ACCOUNT_SUSPENDED" : null;
  }

  /** Posts an amount; null voids. */
  resolve(hold: ModelHold, amount: bigint | null): void {
    const { from, to, fee } = hold;
    const isPosted = amount !== null;
    this.of(from).pending -= hold.amount + fee;
    this.of(to).incoming -= hold.amount;
    this.of("treasury").incoming -= fee;
    if (isPosted) {
      this.of(from).balance -= amount + fee;
      this.of(to).balance += amount;
      this.of("treasury").balance += fee;
    }
    hold.state = isPosted ? "posted" : "voided";
    hold.posted = amount ?? 0n;
    if (hold.isReversal) return;
    const unspent = hold.amount + fee - (isPosted ? amount + fee : 0n);
    const charge = this.of(from).charges.find(
      (each) => each.at === hold.at && each.amount >= unspent && unspent > 0n,
    );
    if (charge) charge.amount -= unspent;
  }

  spent(name: string, period: Exclude<BudgetPeriod, "transaction">, now: number): bigint {
    const from = windowsAt(now).startsAt[period];
    return this.of(name)
      .charges.filter(({ at }) => at >= from)
      .reduce((sum, { amount }) => sum + amount, 0n);
  }

  private isOverBudget(account: ModelAccount, amount: bigint, now: number): boolean {
    const { startsAt } = windowsAt(now);
    return Object.entries(account.limits).some(([period, limit]) => {
      if (period === "transaction") return amount > limit;
      const from = startsAt[period as Exclude<BudgetPeriod, "transaction">];
      const spent = account.charges
        .filter(({ at }) => at >= from)
        .reduce((sum, each) => sum + each.amount, 0n);
      return amount > limit - spent;
    });
  }
}
