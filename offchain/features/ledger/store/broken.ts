/** The first thing that is not what its hash says, or the place where one is missing. */
export interface Broken {
  /** A journal entry, a hold, an idempotency key, a rule (suspension, limits, fees), an account, the ledger's newest ids. */
  what: "entry" | "hold" | "key" | "rule" | "account" | "head";
  /** The unit, or what a rule is about, or an account's name. */
  unit: string;
  /** Its number among those of its unit; zero where they are not numbered. */
  height: number;
  transferId: string | null;
  why: "changed" | "missing" | "beyond the head" | "head differs" | "unknown";
}
