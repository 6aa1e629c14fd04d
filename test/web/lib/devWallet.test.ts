import { mnemonicToAccount } from "viem/accounts";
import { expect, test } from "vitest";
import { devOwners } from "@/lib/devWallet.ts";

test("the development wallet holds accounts 1, 2 and 3 of the well-known mnemonic", () => {
  const mnemonic = "test test test test test test test test test test test junk";
  const derived = [1, 2, 3].map((addressIndex) => mnemonicToAccount(mnemonic, { addressIndex }).address);
  expect(devOwners.map(({ account }) => account.address)).toEqual(derived);
});
