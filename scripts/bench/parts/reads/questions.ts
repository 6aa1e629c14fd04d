import type { LocalAccount } from "viem";
import type { z } from "zod";
import { actions } from "#offchain/app/features.ts";
import type { Role } from "#offchain/core/call/caller.ts";
import { signRequests } from "#offchain/sdk/http/request.ts";
import { requestOf } from "./request.ts";
import { sampleOf } from "./sample.ts";

/** One way of asking for a read. */
export interface Question {
  readonly name: string;
  readonly role: Role;
  readonly path: string;
}

/** What compares everything with the chain reads everything; whoever asks shares one run. */
export const readsAll: ReadonlySet<string> = new Set(["/api/v1/ledger/reconciliation"]);

/** Each read of the list of actions, with what it must have, and with each field that it may have besides. */
export function questions(): Question[] {
  return [...actions].flatMap(([name, { action }]) => {
    if (action.effect !== "read") return [];
    const shape = (action.input as z.ZodObject).shape as Record<string, z.ZodType>;
    const needed = sampleOf(action.input) as Record<string, unknown>;
    const optional = Object.keys(shape).filter((field) => !(field in needed) && field !== "waitMs");
    const events = ["RoleGranted", "Transfer"].map((event) => ({ ...needed, event }));
    const inputs = [
      ...(name === "events.list" ? events : []),
      needed,
      ...optional.map((field) => ({ ...needed, [field]: sampleOf(shape[field] as z.ZodType, field) })),
    ];
    return inputs
      .filter((input) => action.input.safeParse(input).success)
      .map((input) => ({ name, role: action.role, path: requestOf(name, input).path }));
  });
}

/** Where a question is asked, signed by the account of its role; anybody asks the others. */
export async function askedOf(
  { role, path }: Question,
  service: { url: string; chainId: number },
  signers: Partial<Record<Role, LocalAccount>>,
): Promise<{ url: URL; headers: Record<string, string> }> {
  const signer = signers[role];
  const sign = signer && signRequests(signer, service.chainId);
  const headers = await sign?.({ method: "GET", path, body: "", origin: service.url });
  return { url: new URL(path, service.url), headers: headers ?? {} };
}
