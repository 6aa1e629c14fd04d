import { join } from "node:path";
import { createHardhatRuntimeEnvironment, importUserConfig } from "hardhat/hre";
import { inProduction } from "../productionBuild.ts";

const root = join(import.meta.dirname, "../..");

/** A fresh chain in this process, with the contracts as they are deployed: optimised through the IR. */
export async function connect() {
  const config = join(root, "hardhat.config.ts");
  const hre = await createHardhatRuntimeEnvironment(
    inProduction(await importUserConfig(config)),
    { config, buildProfile: "production" },
    root,
  );
  await hre.tasks.getTask("build").run({ quiet: true, noTests: true });
  return await hre.network.create();
}

export type Connection = Awaited<ReturnType<typeof connect>>;
