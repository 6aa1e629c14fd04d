import { getAddress } from "viem";
import { expect, test } from "vitest";
import { labelsOf, openNaming, partyInWords } from "#offchain/features/treasury/proposals/naming.ts";
import { contractsOn } from "#offchain/platform/chain/contracts/contracts.ts";

const address = (digit: string) => getAddress(`0x${digit.repeat(40)}`);
const [ada, operator] = [address("a"), address("f")];
const contracts = contractsOn(31337);

test("an address is never replaced by a name: it stands in full beside it", () => {
  expect(partyInWords(ada, { own: null, chosen: null })).toBe(ada);
  expect(partyInWords(ada.toLowerCase(), { own: null, chosen: "Ada" })).toBe(
    `"Ada" (${ada}, self-chosen name)`,
  );
  expect(partyInWords(ada, { own: "the operator", chosen: null })).toBe(`the operator (${ada})`);
});

test("a name that runs from right to left cannot reorder the address beside it", () =>
  expect(partyInWords(ada, { own: null, chosen: "עדה" })).toBe(
    `"\u2068עדה\u2069" (${ada}, self-chosen name)`,
  ));

test("the service's own name of an address stands above what was chosen for it", async () => {
  const asked: string[][] = [];
  const agents = {
    async names(addresses: readonly string[]) {
      asked.push([...addresses]);
      return new Map(addresses.map((one) => [one, "Mallory"]));
    },
  };
  const named = openNaming(agents, labelsOf(contracts, operator));
  const write = [ada, operator, contracts.escrow, contracts.treasury, "no address"];
  expect(await named((nameOf) => write.map(nameOf))).toEqual([
    { own: null, chosen: "Mallory" },
    { own: "the operator", chosen: null },
    { own: "the Escrow contract", chosen: null },
    { own: "the Treasury", chosen: null },
    { own: null, chosen: null },
  ]);
  expect(asked, "asked once, for all").toHaveLength(1);
});
