import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { idempotencyKey, text } from "#offchain/core/schema.ts";
import { duration } from "#offchain/features/carbon/schema.ts";
import { defaultLifetimeMs } from "../rules/pool.ts";
import { lotOutput, positiveAmount, presentLot, societyId } from "../schema.ts";
import type { Energy } from "../service.ts";
import { requireOwner } from "./access.ts";

/** ADP → ATP, backed by a proven source. */
export const charge = action({
  name: "energy.charge",
  summary: "Charge ADP to ATP from a proven source of capacity",
  effect: "write",
  resource: "/api/v1/energy/charges",
  role: "agent",
  input: z.object({
    key: idempotencyKey,
    society: societyId,
    source: text(120).min(1).describe("Id of the source, such as solar:XYZ"),
    atp: positiveAmount.describe("ATP to charge: watts to commit; as much ADP is taken"),
    lifetimeMs: duration.default(defaultLifetimeMs).describe("How long until what is not allocated spoils"),
  }),
  output: lotOutput,
  async run(energy: Energy, caller, { key, society, source, atp, lifetimeMs }) {
    await requireOwner(energy, caller, society);
    const { lot } = await energy.charge({ key, society, sourceId: source, amount: atp, lifetimeMs });
    return presentLot(lot);
  },
});
