import { expect, test } from "vitest";
import { addresses } from "#addresses";
import { features } from "#offchain/app/features.ts";
import { contractsOn } from "#offchain/platform/chain/contracts/contracts.ts";
import { abisOf, type DeclaredContract, knownContracts } from "#offchain/platform/chain/contracts/known.ts";

const deployed = addresses[31337];
const abi = [{ type: "event", name: "Opened", inputs: [] }] as const;

test("every deployed contract has an address by its own name, two by a shorter one", () => {
  const contracts = contractsOn(31337);
  expect(Object.values(contracts).toSorted()).toEqual(Object.values(deployed).toSorted());
  expect(contracts).toMatchObject({
    clearing: deployed.Clearing,
    reputationRegistry: deployed.ReputationRegistry,
    usdc: deployed.TestUSDC,
    depositCollector: deployed.Erc3009DepositCollector,
  });
  expect(() => contractsOn(1)).toThrow("no contracts are known on chain 1");
});

test("what a feature declares is known by its address, with its token, and its errors by its name", () => {
  const token = { symbol: "SCRIP", decimals: 0 };
  const declared: DeclaredContract[] = [
    { name: "Escrow", abi, address: "escrow" },
    { name: "Scrip", abi: [], address: "scrip", token },
  ];
  const known = knownContracts(declared, contractsOn(31337));
  expect([...known]).toEqual([
    [deployed.Escrow.toLowerCase(), { name: "Escrow", abi }],
    [deployed.Scrip.toLowerCase(), { name: "Scrip", abi: [], token }],
  ]);
  expect(abisOf(declared)).toEqual({ Escrow: abi, Scrip: [] });
});

test("Bursar's own features declare each contract once", () => {
  const declared = features.flatMap(({ contracts }) => contracts);
  const names = declared.map(({ name }) => name);
  expect(names).toEqual([...new Set(names)]);
  expect(names).toEqual(
    expect.arrayContaining(["Treasury", "USDC", "BatchSettlement", "Clearing", "Staking"]),
  );
});
