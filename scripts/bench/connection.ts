import { join } from "node:path";
import { createHardhatRuntimeEnvironment, importUserConfig } from "hardhat/hre";

const root = join(import.meta.dirname, "../..");

/** Beside the build that everything else uses, which may be running meanwhile. */
const ownBuild = { artifacts: "data/production/artifacts", cache: "data/production/cache" };

/** The contracts of that build. */
export const artifacts = new URL(`../../${ownBuild.artifacts}/contracts/`, import.meta.url);

/** A fresh chain in this process, with the contracts as they are deployed: optimised through the IR. */
export async function connect() {
  const config = join(root, "hardhat.config.ts");
  const user = await importUserConfig(config);
  const hre = await createHardhatRuntimeEnvironment(
    { ...user, paths: { ...user.paths, ...ownBuild } },
    { config, buildProfile: "production" },
    root,
  );
  await hre.tasks.getTask("build").run({ quiet: true, noTests: true });
  return await hre.network.create();
}

export type Connection = Awaited<ReturnType<typeof connect>>;
