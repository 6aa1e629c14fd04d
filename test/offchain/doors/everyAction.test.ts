import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { actions } from "#offchain/app/features.ts";
import { parameterNames } from "#offchain/doors/http/routes.ts";
import type { Outcome } from "#offchain/doors/memory/door.ts";
import type { DoorUnderTest, Who } from "./behaviour.ts";
import { openOverHttp } from "./http/httpDoor.ts";
import { openInMemory } from "./memory/memoryDoor.ts";
import { smallWorld } from "./world.ts";

/** So many calls by one agent are no matter here. */
const environment = { BURSAR_RATE_PER_IDENTITY_PER_SECOND: "0" };
const callers: readonly Who[] = ["anonymous", "ada", "operator"];

let doors: { memory: DoorUnderTest; http: DoorUnderTest };

beforeAll(async () => {
  doors = {
    memory: await openInMemory(smallWorld({ environment })),
    http: await openOverHttp(smallWorld({ environment })),
  };
});
afterAll(() => doors?.http[Symbol.asyncDispose]());

/** What is wrong in every door: nothing at all, and a word in every field. The path always says something. */
function* inputsOf(input: z.ZodType, resource: string): Iterable<Record<string, unknown>> {
  const inPath = Object.fromEntries(parameterNames(resource).map((name) => [name, "garbage"]));
  yield inPath;
  const fields = input instanceof z.ZodObject ? Object.keys(input.shape) : [];
  // The same request of the same moment would be a repetition.
  if (fields.some((name) => !(name in inPath)))
    yield { ...inPath, ...Object.fromEntries(fields.map((name) => [name, "garbage"])) };
}

/**
 * All but the id, which is every call's own. What crosses a wire is compared as it arrives. A signed write that the service
 * failed at is signed anew, where an unsigned one is sent again: calls in memory carry no signature.
 */
function comparable(outcome: Outcome): unknown {
  if (outcome.ok) return JSON.parse(JSON.stringify(outcome));
  const { request_id: _, message, remedy, ...rest } = outcome.error;
  const isFailure = rest.error_code === "INTERNAL";
  const error = isFailure ? rest : { ...rest, message, remedy };
  return JSON.parse(JSON.stringify({ ok: false, error }));
}

const streamed = [...actions.values()].flatMap(({ action }) => (action.stream ? [action.name] : []));

it.each(streamed)("every door refuses to stream %s alike", async (name) => {
  for (const who of callers) {
    const [inMemory, overHttp] = [doors.memory, doors.http].map((door) =>
      actions.get(name)?.action.stream?.kind === "feed"
        ? door.follow(who, name, { event: "e".repeat(65) }).then(comparable)
        : door.send(who, name, [{}, { key: 1 }]).then((all) => all.map(comparable)),
    );
    expect(await overHttp).toEqual(await inMemory);
  }
});

const cases = [...actions.values()].flatMap(({ action }) =>
  callers.map((who) => ({ name: action.name, who, action })),
);

it.each(cases)("every door answers $name of $who alike", async ({ name, who, action }) => {
  for (const input of inputsOf(action.input, action.resource)) {
    const inMemory = comparable(await doors.memory.call(who, name, input));
    expect(comparable(await doors.http.call(who, name, input))).toEqual(inMemory);
  }
});
