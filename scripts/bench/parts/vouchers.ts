import { toHex } from "viem";
import { parseAmount } from "#offchain/core/unit.ts";
import { voucherHasher } from "#offchain/features/payments/intake/voucherHash.ts";
import { signDigest } from "#offchain/platform/chain/signatures/secp256k1.ts";
import { batchSettlementAddress } from "#offchain/sdk/paying/channel.ts";
import { chainId } from "../../soak/wallets.ts";
import type { Stack } from "../../stack/stack.ts";
import { benchAgent, giveUsdc, keyOf } from "./agents.ts";
import { sendWell } from "./load.ts";

/** One payment: 0.000001 USDC. */
const step = 1n;
/** In each channel: 10 USDC. */
const deposit = 10_000_000n;

/** What signs the vouchers of one channel. */
export interface Channel {
  channelId: `0x${string}`;
  privateKey: `0x${string}`;
  signed: bigint;
}

/** A voucher as it is sent. */
export interface Body {
  key: string;
  channelId: `0x${string}`;
  network: string;
  maxClaimableAmount: string;
  signature: `0x${string}`;
}

/** Channels to one payee, each of a payer of its own. */
export async function openChannels(stack: Stack, count: number): Promise<Channel[]> {
  const payee = benchAgent(stack, "payee");
  await payee.register("Payee", "seller");
  const channels: Channel[] = [];
  for (let at = 0; at < count; at += 1) {
    const agent = benchAgent(stack, `payer ${at}`);
    await giveUsdc(stack, agent.address, deposit);
    await agent.register(`Payer ${at}`, "buyer");
    const { channelId } = await agent.openChannel({ payee: payee.address, deposit: "10" });
    channels.push({ channelId, privateKey: keyOf(`payer ${at}`), signed: 0n });
  }
  return channels;
}

/** The next `count` vouchers of every channel, in order. */
export async function sign(channels: readonly Channel[], count: number): Promise<Body[][]> {
  const hasher = voucherHasher(chainId, batchSettlementAddress);
  return Promise.all(
    channels.map(async (channel) => {
      const bodies: Body[] = [];
      for (let at = 0; at < count; at += 1) {
        // Connections that the service closes meanwhile are seen to be closed.
        if (at % 100 === 0) await new Promise((done) => setImmediate(done));
        channel.signed += step;
        const digest = hasher.voucherDigest(channel.channelId, channel.signed);
        bodies.push({
          key: `bench-${channel.signed}`,
          channelId: channel.channelId,
          network: `eip155:${chainId}`,
          maxClaimableAmount: channel.signed.toString(),
          signature: await signDigest(toHex(digest), channel.privateKey),
        });
      }
      return bodies;
    }),
  );
}

/** Each channel sends its vouchers `size` at a time, one request after another; channels go side by side. */
export async function submitBatches(url: string, channels: readonly Body[][], size: number) {
  const requests = channels.map((bodies) =>
    Array.from({ length: Math.ceil(bodies.length / size) }, (_, at) =>
      Buffer.from(JSON.stringify({ payments: bodies.slice(at * size, (at + 1) * size) })),
    ),
  );
  return timed(channels.flat().length, async () => {
    await Promise.all(
      requests.map(async (bodies) => {
        for (const body of bodies) {
          await sendWell({ url: `${url}/api/v1/payments/batch`, method: "POST", body });
        }
      }),
    );
  });
}

/** @throws Error unless the service has accepted every voucher that was sent, as a payment of its own */
export async function assertAccepted(url: string, channels: readonly Channel[]): Promise<void> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const counted = /^bursar_payments_accepted_total\{chain="\d+"\} (\d+)$/m.exec(metrics)?.[1];
  const sent = channels.reduce((sum, { signed }) => sum + signed, 0n);
  if (counted !== sent.toString()) throw new Error(`${counted} payments accepted, ${sent} sent`);
  for (const { channelId, signed } of channels) {
    const answer = await fetch(`${url}/api/v1/channels/${channelId}`);
    const { accepted } = (await answer.json()) as { accepted: { amount: string } };
    if (parseAmount(accepted.amount, "USDC") !== signed)
      throw new Error(`${channelId}: ${accepted.amount} USDC accepted, ${signed} base units sent`);
  }
}

export async function timed(count: number, run: () => Promise<void>): Promise<{ perSecond: number }> {
  const startedAt = performance.now();
  await run();
  return { perSecond: (count * 1_000) / (performance.now() - startedAt) };
}
