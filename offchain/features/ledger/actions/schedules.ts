import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { BursarError } from "#offchain/core/error.ts";
import { epochMs, page, pageOf, text } from "#offchain/core/schema.ts";
import { scheduleEveryMaxMs, scheduleEveryMinMs, scheduleRunsMax } from "../rules/limits.ts";
import { accountName, movement, schedule, scheduleView } from "../schema.ts";
import type { Ledger } from "../service.ts";
import { accountFor, ownAccount, paymentOf } from "./access.ts";

export const addSchedule = action({
  name: "ledger.schedule",
  summary: "Transfer later, once, or again and again; every run happens exactly once, for the fee of its day",
  effect: "write",
  resource: "/api/v1/ledger/schedules",
  role: "agent",
  input: z
    .object(movement)
    .omit({ metadata: true })
    .extend({
      startsAt: epochMs,
      /** Milliseconds between runs; left out: once. */
      everyMs: z.number().int().min(scheduleEveryMinMs).max(scheduleEveryMaxMs).optional(),
      runsMax: z.number().int().min(1).max(scheduleRunsMax).default(1),
    }),
  output: schedule,
  run: async (ledger: Ledger, caller, input) => {
    if (input.runsMax > 1 && input.everyMs === undefined)
      throw new BursarError("VALIDATION_INVALID_INPUT", "everyMs: several runs need an interval", {
        fields: [{ field: "everyMs", message: "must be given when there are several runs" }],
      });
    const { debit, credit, unit, amount, bounds } = await paymentOf(ledger, caller, input);
    return scheduleView(
      await ledger.schedule({
        key: input.key,
        owner: ownAccount(caller) ?? caller.role,
        debit,
        credit,
        unit,
        amount,
        reference: input.reference ?? null,
        memo: input.memo ?? null,
        everyMs: input.everyMs ?? null,
        runsMax: input.runsMax,
        startsAt: input.startsAt,
        bounds,
      }),
    );
  },
});

export const listSchedules = action({
  name: "ledger.schedules",
  summary: "An owner's scheduled transfers, newest first, each with what became of its last run",
  effect: "read",
  resource: "/api/v1/ledger/schedules",
  role: "agent",
  input: z.object({
    account: accountName.optional(),
    ...page,
  }),
  output: pageOf(schedule),
  run: async (ledger: Ledger, caller, { account, limit, cursor }) => {
    const owner =
      caller.role === "operator" && account === undefined ? caller.role : accountFor(caller, account);
    const { items, next } = await ledger.schedules({ owner, limit, cursor });
    return { items: items.map(scheduleView), next };
  },
});

export const cancelSchedule = action({
  name: "ledger.cancelSchedule",
  summary: "Cancel a scheduled transfer: no run comes after; cancelled already, it stays so",
  effect: "remove",
  resource: "/api/v1/ledger/schedules/{scheduleId}",
  role: "agent",
  input: z.object({ scheduleId: text(40).min(1) }),
  output: schedule,
  run: async (ledger: Ledger, caller, { scheduleId }) =>
    scheduleView(await ledger.cancelSchedule(ownAccount(caller), scheduleId)),
});
