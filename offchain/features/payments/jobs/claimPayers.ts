import { type Hex, toHex, zeroAddress } from "viem";
import type { Clock } from "#offchain/core/clock.ts";
import { type Backoff, backoffMs } from "#offchain/core/pause.ts";
import { isYounger } from "#offchain/platform/age.ts";
import type { Transactions } from "#offchain/platform/chain/port.ts";
import { contractForm, parseSignature } from "#offchain/platform/chain/signatures/secp256k1.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import type { Log } from "#offchain/platform/observe/log.ts";
import { type ClaimAddresses, loneClaimCall } from "../contract.ts";
import { purposes } from "../rules/purposes.ts";
import { duePayerClaims, type PayerClaim, savePayerClaim } from "../store/payerClaims.ts";

export interface ClaimPayersOptions {
  sql: Sql;
  clock: Clock;
  log: Log;
  /** The current chain run, or null before the chain is met. */
  runId: () => bigint | null;
  /** Where vouchers are claimed. */
  contracts: ClaimAddresses;
  sender: Pick<Transactions, "enqueueTx">;
}

/** Claims on their way at once; those that their payer is leaving go first. */
const unminedMax = 32;
/** At the longest below the shortest withdrawal delay (15 minutes): a payer that leaves is tried again before it may go. */
const retrying: Backoff = { firstMs: 30_000, longestMs: 600_000 };

/**
 * Claims channels each in a transaction of its own, which nobody else can make fail: those without a voucher key, whose
 * payer's code may say yes to the intake and no to the claim; and those that their payer is leaving, once a batch that
 * claims them has failed. A failed claim is tried again, ever more seldom, for the same code may say yes later, and without
 * the payout, since the payee may be what fails. The transaction's key is the voucher's, and is stored with the try: two
 * instances, or a kill between any two steps, claim once.
 * @returns how many claims were handed to the sender
 */
export async function claimPayers(options: ClaimPayersOptions): Promise<number> {
  const { sql, clock, log, sender, contracts } = options;
  const runId = options.runId();
  if (runId === null) return 0;
  const isDue = (failures: number, triedAt: number) =>
    !isYounger(triedAt, backoffMs(failures, retrying), clock.now());
  const due = await duePayerClaims(sql, runId, unminedMax, isDue);
  for (const claim of due) {
    const { channel, maxClaimableAmount, failures } = claim;
    if (failures > 0)
      log.warn({ channelId: channel.channelId, failures }, "the channel's claim failed; it is tried again");
    const request = {
      key: `claim:${channel.id}:${maxClaimableAmount}:${failures}`,
      ...loneClaimCall(
        { config: channel.config, maxClaimableAmount, signature: signatureOf(claim) },
        { ...contracts, isPaidOut: failures === 0 },
      ),
      purpose: purposes.payerClaim,
      // A payer's code may refuse it, and there may be many: settlement waits for none of them.
      isIndependent: true,
    };
    // The try and its transaction are stored together: the outbox.
    await sql.begin(async (tx) => {
      await savePayerClaim(tx, claim, await sender.enqueueTx(tx, request), clock.now());
    });
  }
  return due.length;
}

/** The contract's `claim` takes a key's signature in 65 bytes. */
function signatureOf({ channel, signature }: PayerClaim): Hex {
  const stored = toHex(signature);
  const parsed = channel.config.payerAuthorizer === zeroAddress ? null : parseSignature(stored);
  return parsed ? toHex(contractForm(parsed)) : stored;
}
