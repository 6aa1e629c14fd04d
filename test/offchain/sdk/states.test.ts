import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { fileStates } from "#offchain/sdk/states.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bursar-states-"));
});
afterEach(() => rm(folder, { recursive: true }));

it("gives back what was saved, to a later process too", async () => {
  await fileStates(folder).save("channel-0x1", { cumulative: "7" });
  expect(await fileStates(folder).load("channel-0x1")).toEqual({ cumulative: "7" });
  expect(await fileStates(folder).load("channel-0x2")).toBeNull();
});

it("keeps the last of many saves at once, and leaves nothing else behind", async () => {
  const states = fileStates(folder);
  await Promise.all(Array.from({ length: 50 }, (_, count) => states.save("a", { count })));
  expect(await states.load("a")).toEqual({ count: 49 });
  expect(await readdir(folder)).toEqual(["a.json"]);
});

it("gives back what was saved durably", async () => {
  await fileStates(folder).save("spend", { reference: "0x1" }, true);
  expect(await fileStates(folder).load("spend")).toEqual({ reference: "0x1" });
  expect(await readdir(folder)).toEqual(["spend.json"]);
});

it("keeps names inside the folder, readable for the owner only", async () => {
  await fileStates(folder).save("../up", 1);
  expect(await readdir(folder)).toEqual([".._up.json"]);
  expect((await stat(join(folder, ".._up.json"))).mode & 0o777).toBe(0o600);
});
