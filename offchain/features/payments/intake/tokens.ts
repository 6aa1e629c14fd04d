import { BursarError } from "#offchain/core/error.ts";
import { type UnitCode, units } from "#offchain/core/unit.ts";
import type { ChainReader } from "#offchain/platform/chain/client/client.ts";
import type { Contracts } from "#offchain/platform/chain/contracts/contracts.ts";
import type { Log } from "#offchain/platform/observe/log.ts";
import { readDecimals } from "../contract.ts";
import { type ChannelToken, ChannelTokens, parseChannelTokens, usdcUnit } from "../rules/tokens.ts";

/** The tokens that stand on a chain by themselves. */
export const knownTokens = ({ usdc, agentToken, scrip }: Contracts) => ({
  USDC: usdc,
  AVT: agentToken,
  SCRIP: scrip,
});

/** @throws BursarError VALIDATION_INVALID_INPUT: a token that is set is another one of the chain */
export function channelTokens(
  { chainId, contracts }: { chainId: number; contracts: Contracts },
  settings: { channelTokens: string; minAmount: bigint },
): ChannelTokens {
  try {
    const configured = parseChannelTokens(settings.channelTokens, knownTokens(contracts));
    return new ChannelTokens({ address: contracts.usdc, minAmount: settings.minAmount }, configured);
  } catch (error) {
    if (!(error instanceof BursarError)) throw error;
    const { code, message, facts, fields } = error;
    throw new BursarError(code, `BURSAR_CHANNEL_TOKENS of chain ${chainId}: ${message}`, { facts, fields });
  }
}

interface CheckOptions {
  reader: Pick<ChainReader, "call" | "getChainId">;
  chainId: number;
  tokens: ChannelTokens;
  /** Units of channels that the books hold already. */
  booked: ReadonlySet<UnitCode>;
  log: Pick<Log, "warn" | "error">;
}

/**
 * Whether configured tokens count as their units do. Each is asked once, at the start; a chain that does not answer then
 * says nothing about its tokens, so each is asked again before the first channel in it is taken in. One that changes its
 * mind stops nothing that goes on already: what is in the books counts in base units. No further channel is taken in it.
 */
export class TokenCheck {
  readonly #options: CheckOptions;
  readonly #confirmed = new Set<ChannelToken>();

  constructor(options: CheckOptions) {
    this.#options = options;
  }

  /** @throws BursarError TOKEN_MISMATCH; a chain that cannot be asked is waited for */
  async atStart(): Promise<void> {
    const { reader, chainId, tokens, booked, log } = this.#options;
    const others = tokens.all.filter(({ unit }) => unit !== usdcUnit);
    if (others.length === 0) return;
    try {
      // Another chain's answer says nothing either: following the chain is refused by itself.
      if ((await reader.getChainId()) !== chainId) return;
      for (const token of others)
        if (!(await this.takes(token)) && !booked.has(token.unit)) await this.confirm(token);
    } catch (err) {
      if (isMismatch(err)) throw err;
      log.warn(
        { err },
        "the chain does not answer: its tokens are checked before channels in them are taken",
      );
    }
  }

  /** Whether a channel in the token may be taken in. @throws BursarError CHAIN_UNAVAILABLE */
  async takes(token: ChannelToken): Promise<boolean> {
    try {
      await this.confirm(token);
      return true;
    } catch (err) {
      if (!isMismatch(err)) throw err;
      this.#options.log.error({ err }, "a token does not count as configured: no channel in it is taken in");
      return false;
    }
  }

  /** @throws BursarError TOKEN_MISMATCH; CHAIN_UNAVAILABLE: the provider does not answer */
  async confirm(token: ChannelToken): Promise<void> {
    if (token.unit === usdcUnit || this.#confirmed.has(token)) return;
    const said = await readDecimals(this.#options.reader, token.address).catch((cause: unknown) => {
      throw new BursarError("CHAIN_UNAVAILABLE", "the chain cannot be asked about the token's decimals", {
        facts: { chainId: this.#options.chainId, token: token.address },
        cause,
      });
    });
    if (said !== units[token.unit].decimals) throw mismatch(this.#options.chainId, token, said);
    this.#confirmed.add(token);
  }
}

const isMismatch = (error: unknown) => error instanceof BursarError && error.code === "TOKEN_MISMATCH";

function mismatch(chainId: number, { unit, address }: ChannelToken, said: number | null): BursarError {
  const { decimals } = units[unit];
  const answer = said === null ? "it does not say how many" : `the token says ${said}`;
  return new BursarError(
    "TOKEN_MISMATCH",
    `BURSAR_CHANNEL_TOKENS has ${unit}=${address} on chain ${chainId}, and ${unit} has ${decimals} decimals, but ${answer}: correct the address or the unit`,
    {
      facts: { chainId, unit, token: address, decimals, said },
      fields: [
        {
          field: "BURSAR_CHANNEL_TOKENS",
          message: `must name a token of ${decimals} decimals for ${unit}`,
          value: address,
        },
      ],
    },
  );
}
