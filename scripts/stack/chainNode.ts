// A fresh local chain, in a process of its own.
//   node scripts/stack/chainNode.ts --port 8545 --chain-id 31337
import { randomInt } from "node:crypto";
import { join } from "node:path";
import { createHardhatRuntimeEnvironment } from "hardhat/hre";
import { readCommand } from "#offchain/platform/commandLine.ts";

const help = "node scripts/stack/chainNode.ts --port <n> --chain-id <n>";
const values = readCommand(help, { port: { type: "string" }, "chain-id": { type: "string" } });

// `hardhat node` reads the whole build to explain reverted calls: most of its start, and more than any node of a public
// network says. This one is given no build.
const hre = await createHardhatRuntimeEnvironment({
  paths: { artifacts: join(import.meta.dirname, "../../data/no-artifacts") },
  networks: {
    node: {
      type: "edr-simulated",
      chainId: Number(values["chain-id"]),
      // Many blocks a second must not run ahead of the clock: pages show block times.
      allowBlocksWithSameTimestamp: true,
      // Two chains that begin in the same second would have the same genesis block, and pass for one chain.
      accounts: { accountsBalance: 10_000n * 10n ** 18n + BigInt(randomInt(2 ** 47)) },
    },
  },
});
const server = await hre.network.createServer("node", "127.0.0.1", Number(values.port));
await server.listen();
