import { expect, test } from "vitest";
import { HubOffice } from "#offchain/features/clearing/office.ts";

const [own, other] = [
  "0x00000000000000000000000000000000000000Aa",
  "0x00000000000000000000000000000000000000bB",
] as const;

test("who is in office is read once in a few seconds by the job, and by whoever asks first", async () => {
  let [now, reads] = [1_000, 0];
  let inOffice: { operator: typeof own | typeof other; office: number } = { operator: own, office: 0 };
  const contract = {
    operator: async () => {
      reads += 1;
      return inOffice;
    },
  };
  const office = new HubOffice(contract, own.toLowerCase(), { now: () => now });
  expect(office.other, "nobody has asked the chain").toBeNull();
  expect([await office.own(), await office.own(), reads]).toEqual([0, 0, 1]);
  inOffice = { operator: other, office: 1 };
  now += 4_999;
  await office.refresh();
  expect([await office.own(), reads]).toEqual([0, 1]);
  now += 1;
  await office.refresh();
  expect([await office.own(), office.other, reads]).toEqual([null, other, 2]);
  inOffice = { operator: own, office: 2 };
  now += 60_000;
  expect(await office.own(), "whoever pays does not wait for the chain").toBeNull();
  await office.refresh();
  expect([await office.own(), office.other]).toEqual([2, null]);
});
