import { expect, test } from "vitest";
import { namesOf } from "@/lib/names.ts";

const [owner, agent] = [`0x${"a1".repeat(20)}`, `0x${"b2".repeat(20)}`] as const;

test("what an agent calls itself is quoted; an address with a name of the service's keeps that one", () => {
  const wallets = [
    { address: owner, name: "Owner 1", kind: "owner" },
    { address: agent, name: "Ada", kind: "agent" },
    { address: owner, name: "Mallory", kind: "agent" },
  ] as const;
  const expected = [
    [agent, '"Ada"'],
    [owner, "Owner 1"],
  ];
  expect([...namesOf(wallets)].toSorted()).toEqual(expected.toSorted());
  expect([...namesOf(wallets.toReversed())].toSorted()).toEqual(expected.toSorted());
});
