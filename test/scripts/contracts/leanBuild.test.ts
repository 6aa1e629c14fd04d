import { expect, test } from "vitest";
import { codeOfRoots, codeOfTests } from "../../../scripts/contracts/leanBuild.ts";

const inputOf = (sources: Record<string, string>) =>
  ({
    language: "Solidity",
    sources: Object.fromEntries(Object.entries(sources).map(([name, content]) => [name, { content }])),
    settings: {
      outputSelection: { "*": { "": ["ast"], "*": ["abi", "evm.bytecode.object", "evm.bytecode.opcodes"] } },
    },
  }) as never;

const job = (sources: Record<string, string>) => codeOfRoots(inputOf(sources));

const all = { "*": ["abi", "evm.bytecode.object"] };

test("the code of the file that a job is about is asked for, and of nothing that it imports", () => {
  const sources = {
    "project/contracts/treasury/TreasuryFactory.sol": `import {Treasury} from "./Treasury.sol";\nimport "@openzeppelin/contracts/proxy/Clones.sol";\ncontract TreasuryFactory {}`,
    "project/contracts/treasury/Treasury.sol": `import {\n  Owners\n} from "./Owners.sol";\ncontract Treasury {}`,
    "project/contracts/treasury/Owners.sol": "abstract contract Owners {}",
    "npm/@openzeppelin/contracts@5.7.0/proxy/Clones.sol": "library Clones {}",
  };
  expect(job(sources)).toEqual({ "project/contracts/treasury/TreasuryFactory.sol": all });
});

test("what only a comment calls an import is none", () => {
  const sources = {
    "a/A.sol": "/// import it by name from elsewhere\ncontract A {}",
    "b/B.sol": "contract B {}",
  };
  expect(job(sources)).toEqual({ "a/A.sol": all, "b/B.sol": all });
});

test("tests are built with syntax trees, by which a failure is found, and coverage without; neither with listings", () => {
  const input = inputOf({ "a/A.sol": "contract A {}" });
  expect(codeOfTests(input, false)).toEqual({ "*": { "": ["ast"], ...all } });
  expect(codeOfTests(input, true)).toEqual({ "*": { "": [], ...all } });
});
