import type { Explanation, SettleAnswer } from "../rules/answer.ts";
import type { Payment } from "./payment.ts";

/** The fields that every answer about a payment has, before there is a transaction. */
export const placeOf = (payment: Payment) => ({
  transaction: "",
  network: payment.network,
  ...(payment.payer && { payer: payment.payer }),
});

/** The stored answer under the name of the network that this sender uses. */
export const named = (outcome: SettleAnswer, { network }: Payment): SettleAnswer => ({ ...outcome, network });

export function inWords<Name extends "errorMessage" | "invalidMessage" = "errorMessage">(
  explain: Explanation,
  name: Name = "errorMessage" as Name,
  extra: Readonly<Record<string, unknown>> = {},
) {
  return { [name]: explain.message, extra: { ...extra, explain } } as { [Key in Name]: string } & {
    extra: NonNullable<SettleAnswer["extra"]>;
  };
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
