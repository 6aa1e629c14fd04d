import { expect, test } from "vitest";
import { isIdle, lineWords, solvencyWords, verdicts, verdictWords } from "@/features/solvency/words.ts";
import type { SolvencyLine, SolvencyReport } from "@/lib/model.ts";

const line = (surplus: string, unit = "USDC") =>
  ({
    unit,
    isSolvent: !surplus.startsWith("-"),
    surplus: { amount: surplus, unit },
    obligations: { amount: "10", unit },
    holdings: { amount: "8.5", unit },
  }) as SolvencyLine;
const report = (...items: SolvencyLine[]) =>
  ({ items, isSolvent: items.every(({ isSolvent }) => isSolvent) }) as SolvencyReport;

test("the verdict names every token that is short, and by how much", () => {
  expect(verdictWords(report(line("0")))).toBe("Solvent");
  expect(verdictWords(report(line("-1.5"), line("0", "AVT"), line("-2", "VMC")))).toBe(
    "Short: 1.50 USDC and 2.00 VMC",
  );
  expect(solvencyWords.deficit(line("-1.5")).title).toBe("In USDC the service is short by 1.50 USDC");
});

test("a token that is neither owed nor held is idle", () => {
  const nothing = { amount: "0.00", unit: "AVT" };
  expect(isIdle({ ...line("0"), obligations: nothing, holdings: nothing })).toBe(true);
  expect(isIdle(line("0"))).toBe(false);
});

test("a signature is being checked, good, or another account's", () =>
  expect([null, true, false].map(lineWords.signature)).toEqual([
    "checking",
    "checked by this page",
    "the signature is not this account's",
  ]));

test("a proof's verdict tells both sums, or what is wrong with it", () => {
  expect(verdicts.counted("12.5", "1200", "USDC")).toEqual({
    title: "Counted: 12.50 USDC of yours are in the root",
    text: "Your leaf is one of those under the root that everybody is shown; together they sum to 1,200.00 USDC.",
  });
  expect(verdicts.invalid("The root differs").text).toBe(
    "The root differs. Keep the proof, and show it to the others who are owed.",
  );
  expect(verdicts.invalid(null).text).toMatch(/^It could not be verified\./);
});
