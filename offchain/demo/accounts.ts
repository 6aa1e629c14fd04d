import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { english, generateMnemonic, type HDAccount, mnemonicToAccount } from "viem/accounts";

/** Hardhat's public development mnemonic; its accounts exist on a local chain only. */
const developmentMnemonic = "test test test test test test test test test test test junk";

/** Operator, Treasury owners and faucet of the local chain, by their index in the development mnemonic. */
export const developmentAccount = (who: "operator" | "owner1" | "owner2" | "faucet"): HDAccount =>
  mnemonicToAccount(developmentMnemonic, {
    addressIndex: { operator: 0, owner1: 1, owner2: 2, faucet: 9 }[who],
  });

/** The demo's own mnemonic: made on the first start, kept in `folder` for its owner's eyes only. */
export async function demoMnemonic(folder: string): Promise<string> {
  const path = join(folder, "mnemonic");
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const mnemonic = generateMnemonic(english);
  // It appears whole or not at all: of two processes at once, both go on with the first one's.
  const draft = `${path}.${randomBytes(4).toString("hex")}`;
  await writeFile(draft, `${mnemonic}\n`, { mode: 0o600, flag: "wx" });
  await link(draft, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  await rm(draft);
  return (await readFile(path, "utf8")).trim();
}

export const demoAccount = (mnemonic: string, addressIndex: number): HDAccount =>
  mnemonicToAccount(mnemonic, { addressIndex });

/** A number for a contract's bitmap of unordered nonces. */
export const randomNonce = (): bigint => BigInt(`0x${randomBytes(32).toString("hex")}`);
