import { join } from "node:path";
import type { HardhatUserConfig } from "hardhat/config";

const folder = "data/production";

/** The contracts of {@link inProduction}'s build. */
export const productionArtifacts = new URL(`../${folder}/artifacts/contracts/`, import.meta.url);

/** The via-IR build has folders of its own, beside the build that tests use, which may be running meanwhile. */
export const inProduction = (config: HardhatUserConfig): HardhatUserConfig => ({
  ...config,
  paths: { ...config.paths, artifacts: join(folder, "artifacts"), cache: join(folder, "cache") },
});
