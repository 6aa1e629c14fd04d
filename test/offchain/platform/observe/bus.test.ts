import { expect, it } from "vitest";
import { createBus, type Published } from "#offchain/platform/observe/bus.ts";

const batch = (batchId: string) => ({ type: "batch", batchId, state: "closed", at: 1 }) as const;
const idsOf = (events: readonly Published[]) => events.map(({ id }) => id);

it("tells every subscriber until it closes", () => {
  const bus = createBus({ run: "a", ringSize: 10 });
  const heard: Published[] = [];
  const subscription = bus.subscribe((published) => heard.push(published));
  bus.publish(batch("1"));
  subscription.close();
  bus.publish(batch("2"));
  expect(idsOf(heard)).toEqual(["a-1"]);
});

it("gives a returning subscriber what it missed", () => {
  const bus = createBus({ run: "a", ringSize: 10 });
  for (const id of ["1", "2", "3"]) bus.publish(batch(id));
  const { missed, isComplete } = bus.subscribe(() => {}, "a-1");
  expect([idsOf(missed), isComplete]).toEqual([["a-2", "a-3"], true]);
});

it("says when what was missed is no longer kept", () => {
  const bus = createBus({ run: "a", ringSize: 2 });
  for (const id of ["1", "2", "3", "4"]) bus.publish(batch(id));
  const { missed, isComplete } = bus.subscribe(() => {}, "a-1");
  expect([idsOf(missed), isComplete]).toEqual([["a-3", "a-4"], false]);
});

it.each(["b-1", "a-99", "nonsense", "a--1"])("takes %s from another life as a gap", (id) => {
  const bus = createBus({ run: "a", ringSize: 2 });
  bus.publish(batch("1"));
  expect(bus.subscribe(() => {}, id).isComplete).toBe(false);
});

it("keeps a failing listener from the publisher and the others", () => {
  const errors: unknown[] = [];
  const heard: Published[] = [];
  const bus = createBus({ run: "a", ringSize: 2, onListenerError: (error) => errors.push(error) });
  bus.subscribe(() => {
    throw new Error("mine");
  });
  bus.subscribe((published) => heard.push(published));
  bus.publish(batch("1"));
  expect([errors.length, heard.length]).toEqual([1, 1]);
});
