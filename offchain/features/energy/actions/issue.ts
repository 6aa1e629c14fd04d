import { z } from "@hono/zod-openapi";
import { action } from "#offchain/app/action.ts";
import { address, epochMs, idempotencyKey, money } from "#offchain/app/schema.ts";
import { positiveAmount, present, societyId } from "./schema.ts";

/** Opens a society and gives it ADP to charge. ADP is created here and nowhere else. */
export const issueAdp = action({
  name: "energy.issue",
  summary: "Open an energy society, or give one more ADP to charge",
  route: { method: "POST", path: "/api/v1/energy/issues" },
  role: "operator",
  input: z.object({
    key: idempotencyKey,
    society: societyId,
    owner: address.nullable().default(null).describe("Who may charge and allocate, besides the operator"),
    adp: positiveAmount,
  }),
  output: z.object({
    society: z.string(),
    owner: address.nullable(),
    adp: money,
    createdAt: epochMs,
  }),
  async run(world, _caller, { key, society: id, owner, adp }) {
    const { society, amount } = await world.energy.issue({ key, society: id, owner, amount: adp });
    return {
      society: society.id,
      owner: society.owner,
      adp: present("ADP", amount),
      createdAt: society.createdAt,
    };
  },
});
