// Ships the creation code of the contracts (production profile, via-IR), so that a start compiles nothing:
//   node scripts/contracts/creationCode.ts --check    builds, and fails when the shipped code is not the build's to the byte
//   node scripts/contracts/creationCode.ts --write    builds, and writes contracts/generated/production/
// The gas figures are measured on what is shipped.
import { join } from "node:path";
import { importUserConfig } from "hardhat/hre";
import { readCommand } from "#offchain/platform/commandLine.ts";
import { readBuiltFrom } from "./creationCode/builtFrom.ts";
import { differing, filesOf, readShippedFiles, writeShippedFiles } from "./creationCode/shipped.ts";
import { compile, hardhatConfig, inProduction, productionArtifacts } from "./productionBuild.ts";

const root = join(import.meta.dirname, "../..");

const help = "node scripts/contracts/creationCode.ts --check | --write";
const values = readCommand(help, {
  check: { type: "boolean", default: false },
  write: { type: "boolean", default: false },
});

if (values.check === values.write) {
  console.error(help);
  process.exitCode = 2;
} else {
  const userConfig = await importUserConfig(hardhatConfig);
  await compile(inProduction(userConfig));
  const builtFrom = await readBuiltFrom(root, userConfig);
  const built = await filesOf(new URL("../", productionArtifacts), builtFrom);
  if (values.write) {
    await writeShippedFiles(root, built);
    console.log(`creation code of ${built.size - 1} contracts written`);
  } else {
    const stale = differing(await readShippedFiles(root), built);
    for (const file of stale)
      console.error(`contracts/generated/production/${file} is not what the build gives`);
    if (stale.length > 0) {
      console.error("run node scripts/contracts/creationCode.ts --write and commit what it writes");
      process.exitCode = 1;
    } else console.log(`shipped creation code is the build's: ${built.size - 1} contracts`);
  }
}
