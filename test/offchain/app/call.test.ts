import { expect, it } from "vitest";
import { account } from "../doors/http/door.ts";
import { smallService } from "../support/service.ts";

const ada = account("ada");
const service = smallService({ services: {}, operator: account("operator").address });

it("wants a signature where a role is needed, and the operator where only it may", () => {
  expect(() => service.admit({ role: "anonymous" }, "agents.register", true)).toThrow(
    expect.objectContaining({ code: "SIGNATURE_MISSING" }),
  );
  expect(() => service.admit({ role: "agent", address: ada.address }, "batches.flush", true)).toThrow(
    expect.objectContaining({ code: "FORBIDDEN" }),
  );
  expect(() => service.admit({ role: "operator" }, "agents.register", true)).not.toThrow();
});
