import { bytesToHex } from "viem";
import { type VoucherHasher, voucherHasher } from "#offchain/features/payments/intake/voucherHash.ts";
import type { ChannelConfig } from "#offchain/features/payments/service.ts";
import { signatureGasMax } from "#offchain/platform/chain/client/untrustedCode.ts";
import { signedByCode } from "#offchain/platform/chain/signatures/erc1271.ts";
import { addressOfKey, parseSignature } from "#offchain/platform/chain/signatures/secp256k1.ts";
import { ArchiveFault } from "../files.ts";
import type { Followed } from "./follow.ts";

/** A line of kind `payment`: see take.ts. Amounts are base units. */
export interface PaymentLine {
  readonly chainId: number;
  readonly id: string;
  readonly channelId: `0x${string}`;
  readonly channel: ChannelConfig;
  readonly unit: string;
  readonly cumulative: string;
  readonly amount: string;
  readonly signature: `0x${string}`;
  readonly key: string;
  readonly reference: string | null;
  readonly ticketId: string | null;
  readonly payee: `0x${string}` | null;
  readonly credited: string | null;
  readonly epoch: number | null;
  readonly office: number | null;
  readonly batch: string;
  readonly acceptedAt: number;
}

const nobody = `0x${"0".repeat(40)}`;

/** Checks that each voucher is for its channel and signed by who may. */
export class VoucherCheck {
  readonly #followed: Followed;
  readonly #hashers = new Map<number, VoucherHasher>();
  /** Vouchers of accounts whose code does not stand by them today: it may have changed its mind. */
  unconfirmed = 0;

  constructor(followed: Followed) {
    this.#followed = followed;
  }

  /** @throws ArchiveFault naming the first voucher that nobody has signed */
  async check(lines: readonly PaymentLine[]): Promise<void> {
    const questions = lines.map((line) => {
      const hasher = this.#hasherOf(line.chainId);
      if (hasher.channelId(line.channel) !== line.channelId)
        throw new ArchiveFault(`payment ${line.id}: its channel is not ${line.channelId}`);
      const digest = hasher.voucherDigest(line.channelId, BigInt(line.cumulative));
      return { digest, signature: parseSignature(line.signature) };
    });
    const parsed = questions.flatMap(({ digest, signature }) => (signature ? { digest, signature } : []));
    const keys = await this.#followed.platform.recovery.recover(parsed);
    let next = 0;
    for (const [at, line] of lines.entries()) {
      const question = questions[at];
      const key = question?.signature ? keys[next++] : undefined;
      const signer = key ? addressOfKey(key)?.toLowerCase() : undefined;
      const { payer, payerAuthorizer } = line.channel;
      const isCode = payerAuthorizer === nobody;
      if (signer === (isCode ? payer : payerAuthorizer).toLowerCase()) continue;
      if (!isCode)
        throw new ArchiveFault(`payment ${line.id}: ${payerAuthorizer} has not signed its voucher`);
      if (!(await this.#standsBy(line, question?.digest ?? new Uint8Array(32)))) this.unconfirmed += 1;
    }
  }

  async #standsBy({ chainId, channel, signature }: PaymentLine, digest: Uint8Array): Promise<boolean> {
    const chain = this.#followed.chains.find((each) => each.chainId === chainId);
    if (!chain) return false;
    const question = { account: channel.payer, hash: bytesToHex(digest), signature, gasMax: signatureGasMax };
    return (await signedByCode(chain.client.untrustedCode, question)) === "yes";
  }

  #hasherOf(chainId: number): VoucherHasher {
    let hasher = this.#hashers.get(chainId);
    if (!hasher) {
      const chain = this.#followed.chains.find((each) => each.chainId === chainId);
      if (!chain)
        throw new ArchiveFault(`the archive has payments on chain ${chainId}, which is not followed`);
      hasher = voucherHasher(chainId, chain.contracts.batchSettlement);
      this.#hashers.set(chainId, hasher);
    }
    return hasher;
  }
}
