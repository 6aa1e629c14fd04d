import { describe, expect, it } from "vitest";
import { validate } from "#offchain/app/validate.ts";
import type { AnyAction } from "#offchain/core/action.ts";
import { registerAgent } from "#offchain/features/agents/actions/register.ts";
import { allocate } from "#offchain/features/energy/actions/allocate.ts";
import { charge } from "#offchain/features/energy/actions/charge.ts";
import { fail } from "#offchain/features/energy/actions/fail.ts";
import { registerSource } from "#offchain/features/energy/actions/source.ts";
import { listEvents } from "#offchain/features/events/actions/list.ts";
import { pay } from "#offchain/features/payments/actions/pay.ts";
import { create } from "#offchain/features/treasury/actions/create.ts";

const address = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

/** What each action takes, but for one text, and which text that is. */
const texts: [AnyAction, string, (text: string) => object][] = [
  ...(["ticketId", "reference"] as const).map((field): (typeof texts)[number] => [
    pay,
    field,
    (text) => ({
      key: "k",
      channelId: `0x${"11".repeat(32)}`,
      network: "eip155:31337",
      maxClaimableAmount: "1",
      signature: `0x${"11".repeat(65)}`,
      [field]: text,
    }),
  ]),
  ...(["name", "role"] as const).map((field): (typeof texts)[number] => [
    registerAgent,
    field,
    (text) => ({ address, name: "n", role: "r", [field]: text }),
  ]),
  [
    allocate,
    "description",
    (description) => ({
      key: "k",
      society: "s",
      worker: address,
      computeType: "H100",
      durationMs: 1,
      region: "us-east",
      description,
    }),
  ],
  [charge, "source", (source) => ({ key: "k", society: "s", source, atp: "1" })],
  [fail, "reason", (reason) => ({ ticketId: "00000000-0000-4000-8000-000000000000", reason })],
  [
    registerSource,
    "proof.method",
    (method) => ({
      society: "s",
      proof: { kind: "solar", method, provenAt: 0, ratedWatts: "1", degradationBps: 10_000, serial: "s" },
    }),
  ],
  [create, "key", (key) => ({ owners: [address], threshold: 1, key })],
  [listEvents, "contract", (contract) => ({ contract })],
  [listEvents, "event", (event) => ({ event })],
];

describe.each(texts)("the input of %o", ({ name, input }, field, inputWith) => {
  it(`${name}: ${field} may be any text that the database holds, and no other`, () => {
    for (const good of ["x", "Zahlung für März", "支払い", "🌱"])
      expect(() => validate(input, inputWith(good))).not.toThrow();
    // PostgreSQL holds no NUL, and UTF-8 no half of a pair: either would fail in the middle of a transaction.
    for (const bad of ["a\0b", "\0", "\ud800", "x\udc00x"])
      expect(() => validate(input, inputWith(bad))).toThrow(
        expect.objectContaining({
          code: "VALIDATION_INVALID_INPUT",
          fields: [expect.objectContaining({ field })],
        }),
      );
  });
});
