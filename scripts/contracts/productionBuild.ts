import { join } from "node:path";
import type { HardhatUserConfig } from "hardhat/config";
import { createHardhatRuntimeEnvironment } from "hardhat/hre";

const root = join(import.meta.dirname, "../..");
export const hardhatConfig = join(root, "hardhat.config.ts");
const folder = "data/production";

/** The contracts of {@link inProduction}'s build. */
export const productionArtifacts = new URL(`../../${folder}/artifacts/contracts/`, import.meta.url);

/** The via-IR build has folders of its own, beside the build that tests use, which may be running meanwhile. */
export const inProduction = (config: HardhatUserConfig): HardhatUserConfig => ({
  ...config,
  paths: { ...config.paths, artifacts: join(folder, "artifacts"), cache: join(folder, "cache") },
});

/** Compiles the contracts, as far as the last build was not of the same. */
export async function compile(userConfig: HardhatUserConfig): Promise<void> {
  const options = { config: hardhatConfig, buildProfile: "production" };
  const hre = await createHardhatRuntimeEnvironment(userConfig, options, root);
  await hre.tasks.getTask("build").run({ quiet: true, noTests: true });
}
