import { type Address, zeroAddress } from "viem";
import type { Clock } from "#offchain/core/clock.ts";
import { BursarError } from "#offchain/core/error.ts";
import { formatAmount } from "#offchain/core/unit.ts";
import type { Agents } from "#offchain/features/agents/service.ts";
import { revertOf } from "#offchain/platform/chain/contracts/revert.ts";
import type { ChainView, Transactions } from "#offchain/platform/chain/port.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { depositCall } from "../contract.ts";
import { purposes } from "../rules/purposes.ts";
import { type ChannelToken, type ChannelTokens, tokenOf } from "../rules/tokens.ts";
import type { ChannelConfig, ChannelView, DepositAuthorization } from "../service.ts";
import { channelView, isForeign, saveChannel } from "../store/channels.ts";
import { voucherHasher } from "./voucherHash.ts";

export interface OpeningOptions {
  sql: Sql;
  clock: Clock;
  view: ChainView;
  sender: Transactions;
  agents: Pick<Agents, "known">;
  chainId: number;
  addresses: { batchSettlement: Address; depositCollector: Address; clearing: Address };
  tokens: ChannelTokens;
  /** Resolves when the token is known to count as its unit does; see `TokenCheck`. */
  confirm: (token: ChannelToken) => Promise<void>;
  /** Whether the operator's bond stands behind what it owes the payees of cleared channels. */
  isBonded: () => Promise<boolean>;
}

/** Opens channels: sends payers' signed deposits to the chain. */
export function channelOpening(options: OpeningOptions) {
  const { sql, clock, view, sender, agents, chainId, addresses } = options;
  const hasher = voucherHasher(chainId, addresses.batchSettlement);
  return async (config: ChannelConfig, deposit: DepositAuthorization): Promise<ChannelView> => {
    const isCleared = config.receiver.toLowerCase() === addresses.clearing.toLowerCase();
    assertAuthorizer(config, isCleared ? addresses.clearing : sender.sender);
    const token = acceptedToken(options.tokens, config, isCleared);
    await options.confirm(token);
    if (isCleared) assertVoucherKey(config);
    await assertAgents(agents, { payer: config.payer, ...(!isCleared && { payee: config.receiver }) });
    if (isCleared && !(await options.isBonded()))
      throw new BursarError("CLEARING_UNBONDED", "no bond stands behind this operator's word to payees", {
        facts: { operator: sender.sender, clearing: addresses.clearing },
      });
    const channelId = hasher.channelId(config);
    const runId = view.runNow();
    const request = {
      key: `deposit:${channelId}:${deposit.salt}`,
      to: addresses.batchSettlement,
      data: depositCall(config, deposit, addresses.depositCollector),
      purpose: purposes.deposit,
      // The token takes an authorization once; a deposit that failed has not used it.
      isOnce: true,
      isRelayed: true,
    };
    // A deposit that cannot work is refused here, with the contract's own reason, before anything is stored.
    await sender.admit(request).catch((error: unknown) => {
      throw notFunded(error, config.payer, token) ?? error;
    });
    // The channel is stored together with its transaction, so that a crash leaves neither without the other.
    const channel = await sql.begin(async (tx) => {
      const transactionId = await sender.enqueueTx(tx, request);
      if (await isForeign(tx, runId, channelId)) throw foreign(channelId, token);
      const { unit } = token;
      return saveChannel(tx, {
        runId,
        channelId,
        config,
        unit,
        isCleared,
        now: clock.now(),
        transactionId,
      });
    });
    return channelView(channel);
  };
}

function assertAuthorizer({ receiverAuthorizer }: ChannelConfig, wanted: Address): void {
  if (receiverAuthorizer.toLowerCase() !== wanted.toLowerCase())
    throw unfit(
      { field: "receiverAuthorizer", got: receiverAuthorizer, wanted },
      "must be this service's operator, who claims for the payee; of a cleared channel it is Clearing, whoever operates it",
    );
}

/**
 * The operator owes the payee of a cleared channel what it was promised, whether or not it can claim it. A key's signature
 * stays good; an account's own check may say no to it tomorrow (ERC-1271, EIP-7702).
 */
function assertVoucherKey({ payerAuthorizer }: ChannelConfig): void {
  if (payerAuthorizer === zeroAddress)
    throw unfit(
      { field: "payerAuthorizer", got: payerAuthorizer, wanted: "an address" },
      "must be a key that signs the vouchers: those of a cleared channel are not checked by the payer's account",
    );
}

function acceptedToken(
  tokens: ChannelTokens,
  { token: got }: ChannelConfig,
  isCleared: boolean,
): ChannelToken {
  const token = tokenOf(tokens, { token: got, isCleared });
  if (token) return token;
  const listed = tokens.all.map(({ unit, address }) => `${unit} ${address}`).join(", ");
  const [usdc] = tokens.all;
  throw isCleared
    ? unfit(
        { field: "token", got, wanted: usdc?.address ?? "" },
        "must be USDC: a cleared channel is in no other token",
      )
    : unfit({ field: "token", got, wanted: listed }, `must be a token that this service settles: ${listed}`);
}

function unfit(
  {
    field,
    got,
    wanted,
  }: { field: "token" | "receiverAuthorizer" | "payerAuthorizer"; got: string; wanted: string },
  message: string,
): BursarError {
  return new BursarError("VALIDATION_INVALID_INPUT", `config.${field} ${message}`, {
    facts: { field: `config.${field}`, got, wanted },
    fields: [{ field: `config.${field}`, message, value: got }],
  });
}

/** The token's own word that the payer does not have the deposit (ERC-6093); null for another error. */
function notFunded(error: unknown, payer: Address, { unit }: ChannelToken): BursarError | null {
  const revert = revertOf(error);
  if (revert?.error !== "ERC20InsufficientBalance") return null;
  const { balance, needed } = JSON.parse(revert.args) as Record<"balance" | "needed", string>;
  const [has, wanted] = [balance, needed].map((base) => formatAmount(BigInt(base), unit));
  return new BursarError("INSUFFICIENT_FUNDS", `${payer} has ${has} ${unit}, and the deposit is ${wanted}`, {
    facts: { account: payer, unit, available: balance, needed },
    cause: error,
  });
}

/** What was deposited before is in no books, so nothing of the channel is taken in. */
const foreign = (channelId: string, { unit }: ChannelToken) =>
  new BursarError(
    "CHANNEL_MISMATCH",
    `channel ${channelId} was created before this service took ${unit}: open another one, with another salt`,
    { facts: { channelId, unit } },
  );

async function assertAgents(
  agents: Pick<Agents, "known">,
  parties: { readonly payer: Address; readonly payee?: Address },
): Promise<void> {
  const known = await agents.known(Object.values(parties));
  for (const [party, address] of Object.entries(parties)) {
    const suspended = known.get(address.toLowerCase());
    if (suspended === undefined)
      throw new BursarError(
        "AGENT_UNKNOWN",
        `the ${party} ${address} is no registered agent; it registers itself by agents.register`,
        {
          facts: { address },
        },
      );
    if (suspended)
      throw new BursarError("AGENT_SUSPENDED", `agent ${address} is suspended`, { facts: { address } });
  }
}
