import fc from "fast-check";
import { keccak256, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { expect, it } from "vitest";
import { BursarError } from "#offchain/core/error.ts";
import { formatAmount, parseAmount } from "#offchain/core/unit.ts";
import { signVoucher } from "#offchain/sdk/paying/channel.ts";
import {
  type ChannelState,
  PayingChannel,
  type PayingChannelOptions,
} from "#offchain/sdk/paying/payingChannel.ts";

const signer = privateKeyToAccount(keccak256(toHex("payer")));
const channelId = keccak256(toHex("channel"));

type Body = Parameters<PayingChannelOptions["client"]["payments"]["pay"]>[0];

/**
 * The service's promise about one channel, in memory, because the payer is the subject: cumulative vouchers, one answer per
 * key. `failures` are thrown in turn: before the payment is booked, or after it (the answer is lost).
 */
function service(accepted = 0n) {
  const ledger = new Map<string, Body>();
  const failures: { at: "before" | "after"; error: unknown }[] = [];
  const state = { accepted, ledger, failures, calls: 0 };
  const fail = (at: "before" | "after") => {
    if (failures[0]?.at === at) throw failures.shift()?.error;
  };
  const pay = async (body: Body) => {
    state.calls += 1;
    fail("before");
    const known = ledger.get(body.key);
    if (known && known.signature !== body.signature)
      throw new BursarError("IDEMPOTENCY_CONFLICT", "another request");
    if (!known) {
      const cumulative = BigInt(body.maxClaimableAmount);
      if (cumulative <= state.accepted) throw new BursarError("VOUCHER_STALE", "promised already");
      if (cumulative > 1_000_000n) throw new BursarError("VOUCHER_OVER_DEPOSIT", "too much");
      const added = cumulative - state.accepted;
      if (added !== parseAmount(body.amount ?? "", "USDC"))
        throw new BursarError("AMOUNT_INVALID", "adds less", { facts: { accepted: state.accepted } });
      state.accepted = cumulative;
      ledger.set(body.key, body);
    }
    fail("after");
    return { key: body.key, cumulative: body.maxClaimableAmount };
  };
  const show = async () => ({
    accepted: { amount: (Number(state.accepted) / 1e6).toFixed(6), unit: "USDC" },
    voucherSignature: await signVoucher(signer, 31337, { channelId, maxClaimableAmount: state.accepted }),
  });
  return {
    ...state,
    state,
    client: { payments: { pay }, channels: { show } } as unknown as PayingChannelOptions["client"],
  };
}

function payer(
  client: PayingChannelOptions["client"],
  kept: { state: ChannelState | null } = { state: null },
  terms: Pick<PayingChannelOptions, "isCleared"> = {},
) {
  const saves: ChannelState[] = [];
  const channel = new PayingChannel({
    client,
    signer,
    chainId: 31337,
    channelId,
    state: kept.state,
    save: async (state) => {
      kept.state = state;
      saves.push(state);
    },
    retry: { deadlineMs: 400 },
    ...terms,
  });
  return { channel, kept, saves };
}

it("adds each payment to all before", async () => {
  const { client, ledger } = service();
  const { channel } = payer(client);
  await channel.pay({ key: "a", amount: "0.0001" });
  await channel.pay({ key: "b", amount: "0.002" });
  expect([...ledger.values()].map(({ maxClaimableAmount }) => maxClaimableAmount)).toEqual(["100", "2100"]);
});

it("pays one after the other however many are asked for at once", async () => {
  const { client, state } = service();
  const { channel } = payer(client);
  await Promise.all(
    Array.from({ length: 20 }, (_, count) => channel.pay({ key: `k${count}`, amount: "0.000001" })),
  );
  expect(state.accepted).toBe(20n);
});

it("signs nothing on a cleared channel for a payment that names no agent", async () => {
  const { client, state } = service();
  const { channel, saves } = payer(client, { state: null }, { isCleared: true });
  const message = "must be the agent that a payment by a cleared channel is for";
  await expect(channel.pay({ key: "a", amount: "0.0001" })).rejects.toMatchObject({
    code: "VALIDATION_INVALID_INPUT",
    message: `payee ${message}`,
    fields: [{ field: "payee", message }],
  });
  expect([saves.length, state.calls]).toEqual([0, 0]);
  await channel.pay({ key: "a", amount: "0.0001", payee: signer.address });
  expect(state.accepted).toBe(100n);
});

it("remembers a voucher before it leaves", async () => {
  const { client, state } = service();
  const { channel, saves } = payer({
    ...client,
    payments: {
      ...client.payments,
      pay: (body) => {
        expect(saves.at(-1)?.last).toEqual(body);
        return client.payments.pay(body);
      },
    },
  });
  await channel.pay({ key: "a", amount: "0.0001" });
  expect([saves.length, state.accepted]).toEqual([1, 100n]);
});

it("sends the same voucher again when the answer is lost", async () => {
  const { client, state, failures } = service();
  failures.push(
    { at: "after", error: new TypeError("fetch failed") },
    { at: "before", error: new BursarError("OVERLOADED", "") },
  );
  const { channel } = payer(client);
  expect(await channel.pay({ key: "a", amount: "0.0001" })).toMatchObject({ key: "a" });
  expect([state.accepted, state.calls]).toEqual([100n, 3]);
});

it("finishes after a restart what it had signed, before it pays anything else", async () => {
  const { client, ledger } = service();
  const first = payer(client);
  const dead = {
    ...client,
    payments: { ...client.payments, pay: () => Promise.reject(new TypeError("gone")) },
  };
  const before = payer(dead, first.kept);
  await expect(before.channel.pay({ key: "a", amount: "0.0001" })).rejects.toThrow("gone");
  const after = payer(client, first.kept);
  expect(after.channel.lastKey).toBe("a");
  await after.channel.pay({ key: "b", amount: "0.0002" });
  expect([...ledger.values()].map(({ key, maxClaimableAmount }) => [key, maxClaimableAmount])).toEqual([
    ["a", "100"],
    ["b", "300"],
  ]);
});

it("gives the same receipt when a payment is repeated after a restart", async () => {
  const { client, state } = service();
  const first = payer(client);
  const receipt = await first.channel.pay({ key: "a", amount: "0.0001" });
  const again = payer(client, first.kept);
  expect(await again.channel.pay({ key: "a", amount: "0.0001" })).toEqual(receipt);
  expect(state.accepted).toBe(100n);
});

it("learns from the service what was accepted when its memory is lost", async () => {
  const { client, state } = service(5_000n);
  const { channel } = payer(client);
  await channel.pay({ key: "a", amount: "0.0001" });
  expect(state.accepted).toBe(5_100n);
});

it("forgets a refused payment, so that the next one may pass", async () => {
  const { client, state } = service();
  const { channel } = payer(client);
  await expect(channel.pay({ key: "a", amount: "2" })).rejects.toMatchObject({
    code: "VOUCHER_OVER_DEPOSIT",
  });
  await channel.pay({ key: "b", amount: "0.0001" });
  expect(state.accepted).toBe(100n);
});

it("counts in the unit of the channel's token", async () => {
  const sent: string[] = [];
  const pay = async ({ key, maxClaimableAmount }: Body) => {
    sent.push(String(maxClaimableAmount));
    return { key };
  };
  const channel = new PayingChannel({
    client: { payments: { pay } } as unknown as PayingChannelOptions["client"],
    signer,
    chainId: 31337,
    channelId,
    unit: "AVT",
    state: null,
    save: async () => {},
  });
  await channel.pay({ key: "one", amount: "0.000000000000000001" });
  await channel.pay({ key: "other", amount: "1" });
  expect(sent).toEqual(["1", "1000000000000000001"]);
  await expect(channel.pay({ key: "fine", amount: "0.0000000000000000001" })).rejects.toMatchObject({
    code: "AMOUNT_INVALID",
  });
});

it("refuses other facts under the newest key before anything is sent, and takes the same ones however written", async () => {
  const { client, state } = service();
  const { channel } = payer(client);
  const receipt = await channel.pay({ key: "a", amount: "0.0001", reference: "one" });
  await expect(channel.pay({ key: "a", amount: "0.0002", reference: "one" })).rejects.toMatchObject({
    code: "IDEMPOTENCY_CONFLICT",
  });
  for (const other of [{}, { reference: "One" }])
    await expect(channel.pay({ key: "a", amount: "0.0001", ...other })).rejects.toMatchObject({
      code: "IDEMPOTENCY_CONFLICT",
    });
  expect(state.calls).toBe(1);
  expect(await channel.pay({ key: "a", amount: "0.00010", reference: "one" })).toEqual(receipt);
});

it("takes a corrected payment under the key of a refused one", async () => {
  const { client, state } = service();
  const { channel } = payer(client);
  await expect(channel.pay({ key: "a", amount: "2" })).rejects.toMatchObject({
    code: "VOUCHER_OVER_DEPOSIT",
  });
  await channel.pay({ key: "a", amount: "0.0001" });
  expect(state.accepted).toBe(100n);
});

it("goes on when another process has paid from the channel, however much", async () => {
  const { client, state } = service();
  const [one, other] = [payer(client), payer(client)];
  await one.channel.pay({ key: "a", amount: "0.001" });
  await other.channel.takeUp();
  await other.channel.pay({ key: "b", amount: "0.0001" });
  await one.channel.pay({ key: "c", amount: "0.002" });
  await other.channel.pay({ key: "d", amount: "0.0001" });
  expect(state.accepted).toBe(3_200n);
});

it("says what to do when it cannot know whose the accepted voucher is", async () => {
  const { client, state } = service();
  const [one, other] = [payer(client), payer(client)];
  await one.channel.pay({ key: "a", amount: "0.001" });
  const same = other.channel.pay({ key: "b", amount: "0.001" });
  await expect(same).rejects.toMatchObject({ code: "VOUCHER_STALE", remedy: "fix" });
  await expect(same).rejects.toThrow(/another process .* another label/);
  expect(state.accepted).toBe(1_000n);
});

it("signs nothing on the service's bare word", async () => {
  const { client } = service(5_000n);
  const show = async () => ({ accepted: { amount: "0.9", unit: "USDC" }, voucherSignature: null });
  const { channel, saves } = payer({ ...client, channels: { show } } as unknown as typeof client);
  await expect(channel.pay({ key: "a", amount: "0.0001" })).rejects.toMatchObject({ code: "VOUCHER_STALE" });
  expect(saves.map(({ last }) => last?.maxClaimableAmount ?? null)).toEqual(["100", null]);
});

it("promises no more than it was asked to pay, whatever the service says and shows", () => {
  const lie = fc.constantFrom("VOUCHER_STALE", "VOUCHER_REPLAYED", "AMOUNT_INVALID", "VOUCHER_OVER_DEPOSIT");
  const answers = fc.array(fc.record({ lie: fc.option(lie), shown: fc.nat() }), { maxLength: 25 });
  const pays = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 6 });
  return fc.assert(
    fc.asyncProperty(pays, answers, async (amounts, script) => {
      const held = new Map<bigint, string>();
      let shown = 0;
      const client = {
        payments: {
          async pay(body: Body) {
            held.set(BigInt(body.maxClaimableAmount), body.signature);
            const next = script.shift();
            shown = next?.shown ?? 0;
            if (next?.lie)
              throw new BursarError(next.lie as "VOUCHER_STALE", "", { facts: { accepted: "0" } });
            return { key: body.key };
          },
        },
        channels: {
          async show() {
            const [sum, voucherSignature] = [...held][shown % held.size] ?? [];
            return { accepted: { amount: formatAmount(sum ?? 0n, "USDC"), unit: "USDC" }, voucherSignature };
          },
        },
      } as unknown as PayingChannelOptions["client"];
      const { channel } = payer(client);
      let meant = 0n;
      for (const [at, units] of amounts.entries()) {
        meant += BigInt(units);
        await channel.pay({ key: `k${at}`, amount: formatAmount(BigInt(units), "USDC") }).catch(() => {});
        for (const sum of held.keys()) expect(sum).toBeLessThanOrEqual(meant);
      }
    }),
    { numRuns: 100 },
  );
});
