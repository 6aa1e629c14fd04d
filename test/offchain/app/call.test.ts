import { expect, it } from "vitest";
import type { Caller } from "#offchain/core/call/caller.ts";
import { account } from "../doors/http/door.ts";
import { smallService } from "../support/service.ts";

const ada: Caller = { role: "agent", address: account("ada").address };
const service = smallService({ services: {}, operator: account("operator").address });
const call = (action: string, caller: Caller) =>
  service.call({ action, caller, input: () => ({}), isExemptFromRates: true });

it("wants a signature where a role is needed, and the operator where only it may", async () => {
  await expect(call("agents.register", { role: "anonymous" })).rejects.toMatchObject({
    code: "SIGNATURE_MISSING",
  });
  await expect(call("batches.flush", ada)).rejects.toMatchObject({ code: "FORBIDDEN" });
  await expect(call("agents.register", { role: "operator" })).rejects.toMatchObject({
    code: "VALIDATION_INVALID_INPUT",
  });
});
