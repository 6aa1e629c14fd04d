import { expect, it } from "vitest";
import { openMemoryDoor } from "#offchain/doors/memory/door.ts";
import { behavesAsADoor } from "../behaviour.ts";
import { streamsAsADoor } from "../streams.ts";
import { smallWorld } from "../world.ts";
import { openInMemory } from "./memoryDoor.ts";

behavesAsADoor("the door in memory", openInMemory);
streamsAsADoor("the door in memory", openInMemory);

it("refuses a priced action by name: it takes no payments", async () => {
  const door = openMemoryDoor(smallWorld({ prices: '{"agents.list":"0.01"}' }).service);
  expect(await door.call({ role: "anonymous" }, { action: "agents.list", input: {} })).toMatchObject({
    ok: false,
    error: { error_code: "FORBIDDEN", facts: { action: "agents.list" } },
  });
});

it("tells nothing of the inside when the service fails, and logs it", async () => {
  const { service, log } = smallWorld();
  const door = openMemoryDoor(service);
  const outcome = await door.call({ role: "anonymous" }, { action: "treasury.show", input: {} });
  expect(outcome).toMatchObject({ ok: false, error: { error_code: "INTERNAL", remedy: "retry" } });
  expect(JSON.stringify(outcome)).not.toContain("TypeError");
  expect(log.some((line) => line.includes('"level":"error"') && line.includes("treasury.show"))).toBe(true);
});
