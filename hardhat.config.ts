import { createRequire } from "node:module";
import hardhatToolboxViem from "@nomicfoundation/hardhat-toolbox-viem";
import { defineConfig } from "hardhat/config";
import { leanBuild } from "./scripts/contracts/leanBuild.ts";
import { gasMargin } from "./scripts/ignition/gasMargin.ts";

const require = createRequire(import.meta.url);

/** One compiler build; `viaIR` is what is deployed and what the gas figures are of. */
const compiler = (viaIR: boolean, runs = 10_000, enabled = true) => ({
  version: "0.8.37",
  path: require.resolve("solc/soljson.js"),
  settings: { optimizer: { enabled, runs }, evmVersion: "cancun", viaIR },
});

/** Near the limit of 24,576 bytes (EIP-170), so it is optimised for size too; see docs/benchmarks.md for its gas. */
const treasury = "contracts/treasury/Treasury.sol";

/** Deployed as it is; no unoptimised code of it fits the stack. */
const passkeyVerifier = "@openzeppelin/contracts/utils/cryptography/verifiers/ERC7913WebAuthnVerifier.sol";

/**
 * Runs of every fuzz test; fewer where the question is another: what is covered, which mutant lives. An invariant's run is
 * a hundred calls and as many looks at everything: a quarter of them here, and `npm run test:deep` at length.
 */
const runs = Number(process.env.BURSAR_FUZZ_RUNS ?? 256);
const campaigns = Math.ceil(runs / 4);

/** A build beside the one that tests use has folders of its own. */
const folder = process.env.BURSAR_BUILD_FOLDER;

export default defineConfig({
  plugins: [hardhatToolboxViem, leanBuild, gasMargin],
  solidity: {
    // Deployed as they are.
    npmFilesToBuild: [
      "@openzeppelin/contracts/access/manager/AccessManager.sol",
      "@openzeppelin/contracts/governance/TimelockController.sol",
      passkeyVerifier,
    ],
    profiles: {
      // For the contracts' own tests, which ask what the source says: without the optimizer it compiles in a third of
      // the time. Whatever runs the service deploys the production build.
      default: {
        compilers: [compiler(false, 200, false)],
        overrides: { [passkeyVerifier]: compiler(true) },
      },
      production: { compilers: [compiler(true)], overrides: { [treasury]: compiler(true, 200) } },
    },
  },
  paths: {
    ...(folder && { artifacts: `${folder}/artifacts`, cache: `${folder}/cache` }),
    tests: { nodejs: "test/contracts", solidity: "test/contracts" },
    ignition: "scripts/ignition",
  },
  test: {
    solidity: {
      fuzz: { runs },
      invariant: { runs: campaigns, depth: 100, failOnRevert: false },
    },
  },
  networks: {
    // Code that was not optimised may be longer than a chain takes (EIP-170).
    default: { type: "edr-simulated", allowUnlimitedContractSize: true },
    local: { type: "http", url: process.env.BURSAR_RPC_URL ?? "http://127.0.0.1:8545" },
  },
});
