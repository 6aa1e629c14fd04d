import { factorText } from "#offchain/features/carbon/rules/region.ts";
import type { CarbonWithin } from "#offchain/features/carbon/service.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import { isTicketId } from "./rules/ticket.ts";
import type { CompletedWork } from "./service.ts";

/** What completed work cost the grid, by ticket; tickets that are unknown or not completed are left out. */
export async function completedWork(
  carbon: Pick<CarbonWithin, "footprints">,
  ids: readonly string[],
  tx: Sql | Tx,
): Promise<Map<string, CompletedWork>> {
  const wellFormed = ids.filter(isTicketId);
  if (wellFormed.length === 0) return new Map();
  const footprints = await carbon.footprints(wellFormed, tx);
  return new Map(
    [...footprints].map(
      ([id, { region: _region, computeType: _type, factor, ...figures }]): [string, CompletedWork] => [
        id,
        { ...figures, factor: factorText(factor) },
      ],
    ),
  );
}
