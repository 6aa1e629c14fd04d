import { expect, test } from "vitest";
import { demandWords } from "@/lib/demand.ts";
import { absoluteText } from "@/lib/time.ts";

const day = 86_400_000;
const until = Date.UTC(2027, 0, 22);
const receipt = { expiresAt: until / 1_000 };

test("a receipt can be demanded in its last fourteen days, and is worth nothing at its end", () => {
  const from = until - 14 * day;
  expect(demandWords(receipt, from - 1)).toBe(
    `Can be demanded from ${absoluteText(from)}, if no epoch has it by then`,
  );
  const now = `Can be demanded until ${absoluteText(until)}, if no epoch has it`;
  expect(demandWords(receipt, from)).toBe(now);
  expect(demandWords(receipt, until - 1)).toBe(now);
  expect(demandWords(receipt, until)).toBe(`Expired ${absoluteText(until)}`);
});
