import type { Tokens } from "#offchain/platform/chain/contracts/tokens.ts";

/** An amount in words, always with the unit of its own token. */
export function amountInWords(tokens: Tokens, token: string, base: bigint): string {
  const { amount, unit, known } = tokens.amountOf(token, base);
  return known ? `${amount} ${unit}` : `${amount} base units of ${tokenInWords(tokens, token)}`;
}

export function tokenInWords(tokens: Tokens, address: string): string {
  const { token, unit, known } = tokens.unitOf(address);
  return known ? unit : `the token ${token}, which Bursar does not know`;
}

/** A second since the epoch that was signed, whatever the reader's time zone. */
export function momentInWords(seconds: number): string {
  const at = new Date(seconds * 1_000).toISOString();
  return `${at.slice(0, at.indexOf("T"))} ${at.slice(at.indexOf("T") + 1, -".000Z".length)} UTC`;
}
