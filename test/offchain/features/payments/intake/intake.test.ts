import { expect, test } from "vitest";
import { BursarError } from "#offchain/core/error.ts";
import { Intake } from "#offchain/features/payments/intake/intake.ts";

const refused = new BursarError("VOUCHER_FORGED", "looked at");

/** An intake that refuses every voucher that it looks at, `lagMs` after the chain's head was lost. */
const intake = (lagMs: number) =>
  new Intake({
    view: { status: () => ({ lagMs, indexedTo: 7n }) },
    verification: { verify: async (payments: unknown[]) => payments.map(() => refused) },
    lagMaxMs: 300_000,
    queue: { maxGroup: 10, maxWaiting: 10 },
  } as never);

test("vouchers are judged while the chain is followed, and for a while after it was lost", async () => {
  for (const lagMs of [0, 299_999, 300_000])
    expect(await intake(lagMs).pay([{} as never], null)).toEqual([{ ok: false, error: refused }]);
});

test("after that none is taken: its payer may have withdrawn unseen", async () => {
  await expect(intake(300_001).pay([{} as never], null)).rejects.toMatchObject({
    code: "CHAIN_UNAVAILABLE",
    remedy: "retry",
    facts: { lagMs: 300_001, limit: 300_000, indexedTo: 7n },
  });
});
