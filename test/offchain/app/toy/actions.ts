import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { submitterOf } from "#offchain/core/call/caller.ts";
import { BursarError } from "#offchain/core/error.ts";
import type { Greetings } from "./service.ts";

const greeting = z.object({ by: z.string(), words: z.string() });

export const leave = action({
  name: "greetings.leave",
  summary: "Leave a greeting",
  effect: "write",
  resource: "/api/v1/greetings",
  role: "agent",
  input: z.object({ words: z.string().min(1) }),
  output: greeting,
  async run(greetings: Greetings, caller, { words }) {
    if (words.length > greetings.longest)
      throw new BursarError("VALIDATION_INVALID_INPUT", "words: too many", {
        facts: { got: words.length, limit: greetings.longest },
      });
    return greetings.leave({ by: submitterOf(caller) ?? caller.role, words });
  },
});

export const list = action({
  name: "greetings.list",
  summary: "All greetings, the oldest first",
  effect: "read",
  resource: "/api/v1/greetings",
  role: "anonymous",
  input: z.object({}),
  output: z.object({ items: z.array(greeting) }),
  run: async (greetings: Greetings) => ({ items: await greetings.list() }),
});
