import { join } from "node:path";
import { createHardhatRuntimeEnvironment, importUserConfig } from "hardhat/hre";
import { fromShipped } from "../../../scripts/contracts/creationCode/shipped.ts";

const root = join(import.meta.dirname, "../../..");
const config = join(root, "hardhat.config.ts");

/** A fresh chain whose contracts have the code that is deployed, where a test asks what it costs. */
export async function shippedNetwork() {
  const userConfig = fromShipped(await importUserConfig(config));
  const hre = await createHardhatRuntimeEnvironment(userConfig, { config }, root);
  return hre.network.create();
}
