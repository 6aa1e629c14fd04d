import { afterEach, expect, test } from "vitest";
import { joinTabs, type Tabs } from "@/lib/live/oneOfTabs.ts";

const joined: Tabs[] = [];
afterEach(() => {
  for (const tabs of joined.splice(0)) tabs.leave();
});
let names = 0;
const newName = () => `tabs ${names++}`;

function tab(name: string) {
  const seen: { led: number; told: unknown[]; asked: unknown[] } = { led: 0, told: [], asked: [] };
  const hears = {
    told: (message: unknown) => void seen.told.push(message),
    asked: (message: unknown) => void seen.asked.push(message),
  };
  const tabs = joinTabs(name, hears, () => {
    seen.led += 1;
  });
  joined.push(tabs);
  return { seen, tabs };
}

test("of many tabs one leads, and what it tells reaches all others", async () => {
  const name = newName();
  const [first, ...others] = Array.from({ length: 10 }, () => tab(name));
  await expect.poll(() => first?.seen.led).toBe(1);
  first?.tabs.tell("news");
  for (const other of others) {
    await expect.poll(() => other.seen.told).toEqual(["news"]);
    expect(other.seen.led).toBe(0);
    other.tabs.tell("gossip");
  }
  others[0]?.tabs.ask("reopen");
  await expect.poll(() => first?.seen.asked).toEqual(["reopen"]);
  expect(first?.seen.told).toEqual([]);
});

test("when the one that leads is closed another one leads, and one that has left never does", async () => {
  const name = newName();
  const [first, second, third] = [tab(name), tab(name), tab(name)];
  await expect.poll(() => first.seen.led).toBe(1);
  second.tabs.leave();
  first.tabs.leave();
  await expect.poll(() => third.seen.led).toBe(1);
  expect(second.seen.led).toBe(0);
});

test("without the locks of a browser each tab leads by itself", () => {
  const { locks } = navigator;
  Object.defineProperty(navigator, "locks", { value: undefined, configurable: true });
  try {
    const name = newName();
    const [one, other] = [tab(name), tab(name)];
    expect([one.seen.led, other.seen.led]).toEqual([1, 1]);
    one.tabs.ask("state");
    expect(one.seen.asked).toEqual(["state"]);
  } finally {
    Object.defineProperty(navigator, "locks", { value: locks, configurable: true });
  }
});
