import { z } from "@hono/zod-openapi";
import { action } from "#offchain/app/action.ts";
import { systemTreasury } from "../fee.ts";
import type { AccountName } from "../rules.ts";
import { described, paymentOf, submitOne } from "./access.ts";
import { movement, transfer as schema, transferView } from "./schema.ts";

/** Seed documents 002 (token endpoints). */
export const transfer = action({
  name: "ledger.transfer",
  summary: "Move an amount from the caller's account to another at once, with its fee",
  route: { method: "POST", path: "/api/v1/token/transfer" },
  role: "agent",
  input: z.object(movement),
  output: schema,
  run: async (world, caller, input) =>
    transferView(
      await submitOne(world, {
        kind: "transfer",
        ...(await paymentOf(world, caller, input)),
        ...described(input),
      }),
    ),
});

/** The same under the short path of seed document 000 §11. */
export const transferShort = {
  ...transfer,
  name: "transfers.create",
  route: { method: "POST", path: "/transfer" },
} as const;

export const transferToSystem = action({
  name: "ledger.transferToSystem",
  summary: "Move an amount from the caller's account to the system treasury",
  route: { method: "POST", path: "/api/v1/token/transfer/to-system" },
  role: "agent",
  input: z.object(movement).omit({ to: true }),
  output: schema,
  run: async (world, caller, input) =>
    transferView(
      await submitOne(world, {
        kind: "transfer",
        ...(await paymentOf(world, caller, { ...input, to: systemTreasury as AccountName })),
        ...described(input),
      }),
    ),
});
