import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { address, epochMs, idempotencyKey, money } from "#offchain/core/schema.ts";
import { positiveAmount, present, societyId } from "../schema.ts";
import type { Energy } from "../service.ts";

/** Opens a society and gives it ADP to charge. ADP is created here and nowhere else. */
export const issueAdp = action({
  name: "energy.issue",
  summary: "Open an energy society, or give one more ADP to charge",
  effect: "write",
  resource: "/api/v1/energy/issues",
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
  async run(energy: Energy, _caller, { key, society: id, owner, adp }) {
    const { society, amount } = await energy.issue({ key, society: id, owner, amount: adp });
    return {
      society: society.id,
      owner: society.owner,
      adp: present("ADP", amount),
      createdAt: society.createdAt,
    };
  },
});
