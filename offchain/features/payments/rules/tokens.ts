import { isAddress } from "viem";
import { BursarError } from "#offchain/core/error.ts";
import { parseAmount, type UnitCode, unitCodes, units } from "#offchain/core/unit.ts";

/** Channels are in it on every chain; cleared channels, and what is sold by x402, in nothing else. */
export const usdcUnit = "USDC" as const satisfies UnitCode;

/** A token that channels may be in. */
export interface ChannelToken {
  unit: UnitCode;
  address: `0x${string}`;
  /** Value that closes a batch, base units; null: none does. */
  minAmount: bigint | null;
}

/** Tokens that stand on the chain already, by unit: a unit is one token there. */
export type KnownTokens = Partial<Record<UnitCode, `0x${string}`>>;

const tokensMax = 16;

/**
 * Reads a chain's `<unit>=<address>[/<least value that closes a batch>]`, separated by commas.
 * @throws BursarError VALIDATION_INVALID_INPUT, with the entry, its field and the rule that is broken
 */
export function parseChannelTokens(text: string, known: KnownTokens): ChannelToken[] {
  const entries = text.split(",").flatMap((entry) => entry.trim() || []);
  if (entries.length > tokensMax)
    throw invalid(text, "tokens", `must be at most ${tokensMax}, not ${entries.length}`);
  const tokens: ChannelToken[] = [];
  for (const entry of entries) {
    const token = parseToken(entry);
    assertKnown(entry, token, known);
    assertNew(entry, token, tokens);
    tokens.push(token);
  }
  return tokens;
}

function parseToken(entry: string): ChannelToken {
  const [, code = "", address = "", least] = /^([^=/]*)=([^=/]*)(?:\/(.*))?$/.exec(entry) ?? [];
  const unit = unitCodes.find((known) => known === code);
  if (!unit) throw invalid(entry, "unit", `must be one of ${transferable.join(", ")}, as in AVT=0x…/1.00`);
  if (!units[unit].transferable) throw invalid(entry, "unit", `${unit} cannot be paid with`);
  if (unit === usdcUnit) throw invalid(entry, "unit", "USDC is there on every chain");
  if (!isAddress(address))
    throw invalid(entry, "address", "must be 0x and 40 hexadecimal digits, its case a checksum");
  return { unit, address, minAmount: leastValue(entry, least, unit) };
}

const transferable = unitCodes.filter((unit) => units[unit].transferable && unit !== usdcUnit);

function leastValue(entry: string, text: string | undefined, unit: UnitCode): bigint | null {
  if (text === undefined) return null;
  let amount: bigint;
  try {
    amount = parseAmount(text, unit);
  } catch (error) {
    throw invalid(entry, "least value", error instanceof BursarError ? error.message : String(error));
  }
  if (amount === 0n) throw invalid(entry, "least value", "must be above zero; leave it out for none");
  return amount;
}

/** What stands on the chain under a unit has one address, and that address is nothing else. */
function assertKnown(entry: string, token: ChannelToken, known: KnownTokens): void {
  const own = known[token.unit];
  if (own !== undefined && !isSame(own, token.address))
    throw invalid(entry, "address", `${token.unit} on this chain is ${own}`);
  for (const [unit, address] of Object.entries(known))
    if (unit !== token.unit && isSame(address, token.address))
      throw invalid(entry, "address", `is ${unit} on this chain`);
}

function assertNew(entry: string, token: ChannelToken, earlier: readonly ChannelToken[]): void {
  for (const other of earlier) {
    if (other.unit === token.unit) throw invalid(entry, "unit", "is named twice on this chain");
    if (isSame(other.address, token.address))
      throw invalid(entry, "address", `is ${other.unit} already on this chain`);
  }
}

const isSame = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();

const invalid = (entry: string, field: string, rule: string) =>
  new BursarError("VALIDATION_INVALID_INPUT", `${field} of "${entry.slice(0, 80)}" ${rule}`, {
    facts: { entry: entry.slice(0, 80), field },
    fields: [{ field, message: rule, value: entry.slice(0, 80) }],
  });

/** The tokens that channels may be in on one chain: USDC, and those that are configured. */
export class ChannelTokens {
  readonly all: readonly ChannelToken[];
  readonly #byAddress: ReadonlyMap<string, ChannelToken>;

  constructor(usdc: Omit<ChannelToken, "unit">, configured: readonly ChannelToken[]) {
    this.all = [{ ...usdc, unit: usdcUnit }, ...configured];
    this.#byAddress = new Map(this.all.map((token) => [token.address.toLowerCase(), token]));
  }

  byAddress(address: string): ChannelToken | null {
    return this.#byAddress.get(address.toLowerCase()) ?? null;
  }

  byUnit(unit: UnitCode): ChannelToken | null {
    return this.all.find((token) => token.unit === unit) ?? null;
  }
}

/** The token of a channel with these terms; null: the channel is no money here. */
export function tokenOf(
  tokens: ChannelTokens,
  { token: address, isCleared }: { token: string; isCleared: boolean },
): ChannelToken | null {
  const token = tokens.byAddress(address);
  return token && isCleared && token.unit !== usdcUnit ? null : token;
}

/** Channels of the books in a token that is not configured, or under another unit: they would be followed half. */
export function assertConfigured(
  tokens: ChannelTokens,
  chainId: number,
  booked: readonly { unit: UnitCode; address: `0x${string}` }[],
): void {
  for (const { unit, address } of booked)
    if (tokens.byAddress(address)?.unit !== unit)
      throw new BursarError(
        "TOKEN_MISMATCH",
        `the books of chain ${chainId} hold channels in ${unit} at ${address}: keep ${unit}=${address} in BURSAR_CHANNEL_TOKENS`,
        {
          facts: { chainId, unit, token: address, configured: tokens.byAddress(address)?.unit ?? null },
          fields: [
            {
              field: "BURSAR_CHANNEL_TOKENS",
              message: `must have ${unit}=${address}`,
            },
          ],
        },
      );
}
