import type { Caller } from "#offchain/core/call/caller.ts";
import { type Outcome, openMemoryDoor } from "#offchain/doors/memory/door.ts";
import type { OpenDoor, Who } from "../behaviour.ts";
import { account } from "../world.ts";

/** The memory door, as the shared tests call through it. */
export const openInMemory: OpenDoor = async ({ service }) => {
  const door = openMemoryDoor(service);
  return {
    call: (who, action, input) => door.call(callerOf(who), { action, input }),
    async follow(who, action, input) {
      const opened = await door.openStream(callerOf(who), { action, input });
      if (!opened.ok) return opened;
      if (opened.output.kind !== "feed") throw new Error(`${action} is no feed`);
      const { messages } = await opened.output.following.next(0);
      return { ok: true, output: messages };
    },
    async send(who, action, messages) {
      const opened = await door.openStream(callerOf(who), { action, input: {} });
      if (!opened.ok) return [opened];
      const { output: stream } = opened;
      if (stream.kind !== "messages") throw new Error(`${action} takes no messages`);
      const outcomes: Outcome[] = [];
      for (const message of messages) outcomes.push(await stream.send(message));
      return outcomes;
    },
    async [Symbol.asyncDispose]() {},
  };
};

function callerOf(who: Who): Caller {
  if (who === "anonymous" || who === "operator") return { role: who };
  return { role: "agent", address: account(who).address };
}
