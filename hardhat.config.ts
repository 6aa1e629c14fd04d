import { createRequire } from "node:module";
import hardhatToolboxViem from "@nomicfoundation/hardhat-toolbox-viem";
import { defineConfig } from "hardhat/config";

const require = createRequire(import.meta.url);

/** One compiler build; `viaIR` is what is deployed and what the gas figures are of. */
const compiler = (viaIR: boolean) => ({
  version: "0.8.37",
  path: require.resolve("solc/soljson.js"),
  settings: { optimizer: { enabled: true, runs: 10_000 }, evmVersion: "cancun", viaIR },
});

export default defineConfig({
  plugins: [hardhatToolboxViem],
  solidity: {
    profiles: {
      default: { compilers: [compiler(false)] },
      production: { compilers: [compiler(true)] },
    },
  },
  paths: {
    tests: { nodejs: "test/contracts", solidity: "test/contracts" },
    ignition: "scripts/ignition",
  },
  test: {
    solidity: {
      fuzz: { runs: 256 },
      invariant: { runs: 256, depth: 100, failOnRevert: false },
    },
  },
  networks: {
    local: { type: "http", url: process.env.BURSAR_RPC_URL ?? "http://127.0.0.1:8545" },
  },
});
