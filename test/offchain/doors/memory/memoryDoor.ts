import type { Caller } from "#offchain/core/action.ts";
import { openMemoryDoor } from "#offchain/doors/memory/door.ts";
import type { OpenDoor, Who } from "../behaviour.ts";
import { account } from "../world.ts";

/** The memory door, as the shared tests call through it. */
export const openInMemory: OpenDoor = async ({ service }) => {
  const door = openMemoryDoor(service);
  return {
    call: (who, action, input) => door(callerOf(who), { action, input }),
    async [Symbol.asyncDispose]() {},
  };
};

function callerOf(who: Who): Caller {
  if (who === "anonymous" || who === "operator") return { role: who };
  return { role: "agent", address: account(who).address };
}
