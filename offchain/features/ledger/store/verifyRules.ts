import type { Tx } from "#offchain/platform/database/database.ts";
import { genesisHash, ruleHash } from "../books/digest.ts";
import { type AccountName, accountKind, externalKinds } from "../rules/transfer.ts";
import type { Broken } from "./broken.ts";

interface RuleRow {
  number: bigint;
  subject: string;
  facts: string;
  set_at: bigint;
  hash: Uint8Array;
}

/** An account without a suspension or a limit, as account_rules() writes it. */
const none = "- - - - - -";

/** Whether suspensions, limits and fees are those that were set, and only the outside world may owe. */
export async function verifyRules(tx: Tx): Promise<Broken | null> {
  const rows = await tx<RuleRow[]>`SELECT * FROM ledger_rule ORDER BY number`;
  const [head] = await tx<
    { rules: bigint; rule_hash: Uint8Array }[]
  >`SELECT rules, rule_hash FROM ledger_head`;
  let hash = genesisHash;
  const said = new Map<string, string>();
  for (const [at, { number, subject, facts, set_at, hash: stored }] of rows.entries()) {
    if (Number(number) !== at + 1) return rule("", at + 1, "missing");
    hash = ruleHash(hash, number, { subject, facts, setAt: set_at });
    if (hash !== hexOf(stored)) return rule(subject, at + 1, "changed");
    said.set(subject, facts);
  }
  if (!head || Number(head.rules) > rows.length) return rule("", rows.length + 1, "missing");
  if (hash !== hexOf(head.rule_hash)) return rule("", rows.length, "head differs");
  const stands = new Map(
    (await tx<{ subject: string; facts: string }[]>`SELECT subject, facts FROM ledger_rule_now`).map(
      ({ subject, facts }) => [subject, facts],
    ),
  );
  for (const subject of new Set([...said.keys(), ...stands.keys()]))
    if ((said.get(subject) ?? none) !== (stands.get(subject) ?? none)) return rule(subject, 0, "changed");
  return brokenAccount(tx);
}

async function brokenAccount(tx: Tx): Promise<Broken | null> {
  const external = await tx<{ name: AccountName; external: boolean }[]>`
    SELECT DISTINCT ON (split_part(name, ':', 1), external) name, external FROM account`;
  const strange = external.find(
    (account) => account.external !== externalKinds.has(accountKind(account.name)),
  );
  if (!strange) return null;
  return { what: "account", unit: strange.name, height: 0, transferId: null, why: "changed" };
}

const rule = (unit: string, height: number, why: Broken["why"]): Broken => ({
  what: "rule",
  unit,
  height,
  transferId: null,
  why,
});

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
