import type { Tokens } from "#offchain/platform/chain/contracts/tokens.ts";
import { amountInWords, tokenInWords } from "./amounts.ts";
import type { Warning } from "./warnings.ts";

/** The arguments of a call, by name. */
export type Arguments = Readonly<Record<string, unknown>>;

/** What the sentence about one call is made with; what is to be warned of is noted on the way. */
export interface Telling {
  /** An address with its name. */
  party(address: unknown): string;
  /** An amount in the unit of its token; also notes a token that is not known. */
  money(token: unknown, amount: unknown): string;
  token(address: unknown): string;
  warn(code: Warning): void;
}

/** The sentence of one function, from its arguments. */
export type Verb = (args: Arguments, telling: Telling) => string;

export function openTelling(
  tokens: Tokens,
  party: (address: string) => string,
): Telling & { readonly warnings: ReadonlySet<Warning> } {
  const warnings = new Set<Warning>();
  const note = (token: string) => {
    if (!tokens.unitOf(token).known) warnings.add("unknownToken");
    return token;
  };
  return {
    warnings,
    party: (address) => party(String(address)),
    money: (token, amount) => amountInWords(tokens, note(String(token)), amount as bigint),
    token: (address) => tokenInWords(tokens, note(String(address))),
    warn: (code) => {
      warnings.add(code);
    },
  };
}
