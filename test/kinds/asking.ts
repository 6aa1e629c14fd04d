import type { FeatureAction } from "#offchain/app/features.ts";
import type { Role } from "#offchain/core/call/caller.ts";
import { signRequests } from "#offchain/sdk/http/request.ts";
import { requestOf } from "../../scripts/bench/parts/reads/request.ts";
import { sampleOf } from "../../scripts/bench/parts/reads/sample.ts";
import { account, chainId } from "../offchain/support/stack.ts";

/** Who asks what needs a role: the development chain's accounts. */
const signers: Record<Role, number | null> = { anonymous: null, agent: 4, operator: 0 };

/** Asks a service for an action over HTTP, with a sample of its input, as somebody who may. */
export async function askOverHttp(url: string, { action }: FeatureAction): Promise<Response> {
  const { method, path, body } = requestOf(action.name, sampleOf(action.input) as Record<string, unknown>);
  const signer = signers[action.role];
  const sign = signer === null ? null : signRequests(account(signer), chainId);
  const request = {
    method,
    headers: {
      ...(body && { "content-type": "application/json" }),
      ...(await sign?.({ method, path, body, origin: url })),
    },
    ...(body && { body }),
  };
  const send = () => fetch(new URL(path, url), request);
  // A connection that was kept from before the service was killed is of no use.
  return send().catch(send);
}
