import { expect, it } from "vitest";
import { z } from "zod";
import { actionsOf } from "#offchain/app/features.ts";
import { action, type Effect } from "#offchain/core/action.ts";
import { serviceFeature } from "#offchain/platform/feature.ts";

const verb = (name: `${string}.${string}`, resource: `/${string}`, effect: Effect = "write") =>
  action({
    name,
    summary: name,
    effect,
    resource,
    role: "anonymous",
    input: z.object({}),
    output: z.object({}),
    run: async () => ({}),
  });
const feature = (name: string, ...actions: ReturnType<typeof verb>[]) =>
  serviceFeature({ name, actions, open: () => ({ service: {} }) });

it("knows each action by its name, whichever feature it is of", () => {
  const all = actionsOf([feature("a", verb("a.say", "/a")), feature("b", verb("b.say", "/a", "read"))]);
  expect([...all.keys()]).toEqual(["a.say", "b.say"]);
});

it.each([
  ["name", verb("a.say", "/b")],
  ["route", verb("b.say", "/a")],
])("refuses two actions of one %s, of which one would be hidden", (_, other) => {
  const features = [feature("a", verb("a.say", "/a")), feature("b", other)];
  expect(() => actionsOf(features)).toThrow(
    `the action ${other.name} of b has the name or the route of a.say`,
  );
});
