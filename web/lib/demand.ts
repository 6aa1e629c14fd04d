import type { Receipt } from "./model.ts";
import { absoluteText } from "./time.ts";

/** How long before its end a receipt can be demanded; see `Clearing.EXIT_WINDOW`. */
const exitWindowMs = 14 * 86_400_000;

/** When Clearing credits a payee by its receipt alone, if no epoch has done so before. */
export function demandWords({ expiresAt }: Pick<NonNullable<Receipt["credit"]>, "expiresAt">, now: number) {
  const until = expiresAt * 1_000;
  const from = until - exitWindowMs;
  if (now >= until) return `Expired ${absoluteText(until)}`;
  return now < from
    ? `Can be demanded from ${absoluteText(from)}, if no epoch has it by then`
    : `Can be demanded until ${absoluteText(until)}, if no epoch has it`;
}
