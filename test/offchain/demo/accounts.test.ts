import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { demoAccount, demoMnemonic } from "#offchain/demo/accounts.ts";

it("makes a mnemonic once, for its owner's eyes only", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bursar-demo-"));
  try {
    const mnemonic = await demoMnemonic(join(folder, "demo"));
    expect(mnemonic.split(" ")).toHaveLength(12);
    expect(await demoMnemonic(join(folder, "demo"))).toBe(mnemonic);
    expect((await stat(join(folder, "demo/mnemonic"))).mode & 0o777).toBe(0o600);
    expect(demoAccount(mnemonic, 0).address).not.toBe(demoAccount(mnemonic, 1).address);
  } finally {
    await rm(folder, { recursive: true });
  }
});
