import type { FacilitatorClient } from "@x402/core/server";
import { BatchSettlementEvmScheme } from "@x402/evm/batch-settlement/server";
import type { Hex } from "viem";
import type { Clock } from "#offchain/core/clock.ts";
import { type Backoff, backoffMs } from "#offchain/core/pause.ts";
import { answersForItself } from "../contract.ts";
import type { Shop } from "../service.ts";
import type { SoldChannel } from "../store/channels.ts";

type Manager = ReturnType<BatchSettlementEvmScheme["createChannelManager"]>;

/** Claims of one transaction, at most: more are not settled. */
const claimsEach = 100;

/**
 * Gas of one claim among many, at most: some 20,400 were measured for a payer with a key, the rest is for a payer that
 * is a contract. A hundred, the most of one transaction, stay far below 2^24.
 */
export const gasPerClaim = 40_000n;

/** Gas of one claim by itself, at the most. */
export const claimGasMax = 500_000n;

/** Channels in a run whose payers answer for themselves, at most: each has a transaction of its own. */
const aloneMax = 16;

/** How long a refusal of a channel keeps it out of the batches. */
const resting: Backoff = { firstMs: 60_000, longestMs: 3_600_000 };

/** What a run came to: how many channels were claimed, which the chain refused, and the transaction that paid out. */
export interface ClaimedSales {
  readonly claims: number;
  /** Channels that were claimed in part, or not at all. */
  readonly refused: readonly string[];
  readonly settled: string | null;
}

/**
 * Brings to the chain what the channels' newest vouchers have earned, and has it paid out. Begun anew after a crash it
 * claims the same once: a channel's claimed sum only grows, and the facilitator answers a repeated claim from its record.
 */
export class SalesClaimer {
  readonly #shop: Shop;
  readonly #clock: Clock;
  readonly #manager: Manager;
  /** Channels that the chain has refused, by id. */
  readonly #resting = new Map<string, { times: number; until: number }>();

  constructor(shop: Shop, clock: Clock) {
    this.#shop = shop;
    this.#clock = clock;
    const { facilitator, network, payTo, token } = shop;
    const scheme = new BatchSettlementEvmScheme(payTo, {
      storage: shop.channels,
      receiverAuthorizerSigner: shop.authorizer,
    });
    const client = {
      settle: (paymentPayload: unknown, paymentRequirements: unknown) =>
        facilitator.settle({ x402Version: 2, paymentPayload, paymentRequirements }),
    } as unknown as FacilitatorClient;
    this.#manager = scheme.createChannelManager(client, network, token.address);
  }

  /** @throws what kept a claim from its block, once everything else is claimed and paid out */
  async run(): Promise<ClaimedSales> {
    const due = this.#due(await this.#shop.channels.list());
    const run: ClaimRun = { claims: 0, refused: [], late: [] };
    // A payer that is code may say no in the block: then it is the only one whose claim reverts.
    const together = due.filter(({ channelConfig }) => !answersForItself(channelConfig));
    for (let from = 0; from < together.length; from += claimsEach)
      await this.#claim(together.slice(from, from + claimsEach), run);
    const alone = due
      .filter(({ channelConfig }) => answersForItself(channelConfig))
      .toSorted(byOwed)
      .slice(0, aloneMax);
    await Promise.all(alone.map((channel) => this.#claim([channel], run)));
    const refused = [...run.refused];
    for (const channel of refused) await this.#claimHeld(channel, run);
    // Asked also when nothing was claimed now: an earlier run may have died after its claim.
    const settled = await this.#manager.settle().catch(unlessNothing);
    if (run.late.length > 0) throw run.late[0];
    return {
      claims: run.claims,
      refused: refused.map(({ channelId }) => channelId),
      settled: settled?.transaction ?? null,
    };
  }

  /** Those that owe something, without those that rest. */
  #due(channels: SoldChannel[]): SoldChannel[] {
    const owing = channels.filter((channel) => owedBy(channel) > 0n);
    const ids = new Set(owing.map(({ channelId }) => channelId));
    for (const id of this.#resting.keys()) if (!ids.has(id)) this.#resting.delete(id);
    const now = this.#clock.now();
    return owing.filter(({ channelId }) => (this.#resting.get(channelId)?.until ?? 0) <= now);
  }

  /**
   * Claims the channels together. Where the chain refuses that, those that can be claimed: one that cannot, because its
   * payer has withdrawn, must not keep the others back.
   */
  async #claim(channels: SoldChannel[], run: ClaimRun): Promise<void> {
    try {
      const claimed = await this.#manager.claim({ selectClaimChannels: () => channels });
      run.claims += claimed.reduce((sum, { vouchers }) => sum + vouchers, 0);
      for (const { channelId } of channels) this.#resting.delete(channelId);
    } catch (error) {
      if (isPending(error)) run.late.push(error);
      else if (!isRefusal(error)) throw error;
      else if (channels.length <= 1) this.#refuse(channels, run);
      else await this.#claimThoseThatCan(channels, run);
    }
  }

  async #claimThoseThatCan(channels: SoldChannel[], run: ClaimRun): Promise<void> {
    const can = await Promise.all(channels.map((channel) => this.#shop.isClaimable(claimOf(channel))));
    this.#refuse(
      channels.filter((_, at) => !can[at]),
      run,
    );
    const claimable = channels.filter((_, at) => can[at]);
    if (claimable.length < channels.length && claimable.length > 0) return this.#claim(claimable, run);
    // Each can be claimed, and all together not: as when it changed meanwhile.
    const half = Math.ceil(claimable.length / 2);
    for (const part of [claimable.slice(0, half), claimable.slice(half)])
      if (part.length > 0) await this.#claim(part, run);
  }

  #refuse(channels: SoldChannel[], run: ClaimRun): void {
    run.refused.push(...channels);
    for (const { channelId } of channels) {
      const times = (this.#resting.get(channelId)?.times ?? 0) + 1;
      const restMs = backoffMs(times, resting);
      this.#resting.set(channelId, { times, until: this.#clock.now() + restMs });
    }
  }

  /** A channel that was charged for more than it holds pays what it holds; its record's balance is believed no longer. */
  async #claimHeld(channel: SoldChannel, run: ClaimRun): Promise<void> {
    const { channels, onChain } = this.#shop;
    const { channelId, chargedCumulativeAmount } = channel;
    await channels.updateChannel(channelId, (current) => current && { ...current, onchainSyncedAt: 0 });
    const { balance, totalClaimed } = await onChain(channelId as Hex);
    if (balance >= BigInt(chargedCumulativeAmount) || balance <= totalClaimed) return;
    await this.#claim([{ ...channel, chargedCumulativeAmount: balance.toString() }], run);
  }
}

const claimOf = ({ channelConfig, signedMaxClaimable, signature, chargedCumulativeAmount }: SoldChannel) => ({
  voucher: { channel: channelConfig, maxClaimableAmount: BigInt(signedMaxClaimable) },
  signature: signature as Hex,
  totalClaimed: BigInt(chargedCumulativeAmount),
});

const owedBy = ({ chargedCumulativeAmount, totalClaimed }: SoldChannel): bigint =>
  BigInt(chargedCumulativeAmount) - BigInt(totalClaimed);

const byOwed = (one: SoldChannel, other: SoldChannel): number => (owedBy(one) < owedBy(other) ? 1 : -1);

/** What a run has come to so far. */
interface ClaimRun {
  claims: number;
  readonly refused: SoldChannel[];
  /** Why claims are not in a block yet. */
  readonly late: unknown[];
}

/** What the official manager throws is a text with the facilitator's code. The last one is of a claim that reverted. */
const isRefusal = (error: unknown): boolean =>
  error instanceof Error &&
  /claim_(simulation|transaction)_failed|invalid_transaction_state/.test(error.message);

const isPending = (error: unknown): boolean =>
  error instanceof Error && error.message.includes("settlement_pending");

function unlessNothing(error: unknown): null {
  if (error instanceof Error && error.message.includes("nothing_to_settle")) return null;
  throw error;
}
