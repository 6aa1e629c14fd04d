import { type Address, createWalletClient, http } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { createConnector } from "wagmi";
import { localChainId } from "./config.ts";

/**
 * Accounts 1, 2 and 3 of the mnemonic "test test … junk", known to everyone who develops on Ethereum.
 * They own the Treasury of the local chain and nothing anywhere else.
 */
const publicKeys = [
  "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
  "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
  "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
] as const;

export const devOwners = publicKeys.map((key, index) => ({
  label: `Owner ${index + 1}`,
  account: privateKeyToAccount(key),
}));

export const devWalletId = "bursar.development";
const storageKey = "bursar.development.owner";

/** What the development wallet can beside being a connector. */
export type DevWalletControls = {
  /** Becomes another owner: index 0, 1 or 2. */
  choose(index: number): void;
};

/** A wallet without an extension, for the local chain only: signs at once with a well-known key. */
export function devWallet(rpcUrl: string) {
  return createConnector<unknown, DevWalletControls>((config) => {
    const owner = () => devOwners[readChoice()] ?? fail();
    const accounts = () => [owner().account.address] as const;
    const local = () => config.chains.find(({ id }) => id === localChainId) ?? fail();
    return {
      id: devWalletId,
      name: "Development wallet",
      type: "development",
      async connect() {
        rememberConnected(true);
        return { accounts: accounts() as never, chainId: local().id };
      },
      async disconnect() {
        rememberConnected(false);
      },
      getAccounts: async () => accounts(),
      getChainId: async () => local().id,
      getProvider: async () => ({}),
      getClient: async () =>
        createWalletClient({ account: owner().account, chain: local(), transport: http(rpcUrl) }),
      isAuthorized: async () => localStorage.getItem(`${storageKey}.connected`) === "1",
      switchChain: async () => local(),
      choose(index) {
        localStorage.setItem(storageKey, String(index));
        config.emitter.emit("change", { accounts: accounts() as readonly Address[] });
      },
      onAccountsChanged() {},
      onChainChanged() {},
      onDisconnect() {},
    };
  });
}

function readChoice(): number {
  const choice = Number(localStorage.getItem(storageKey));
  return Number.isInteger(choice) && choice >= 0 && choice < devOwners.length ? choice : 0;
}

function rememberConnected(isConnected: boolean): void {
  localStorage.setItem(`${storageKey}.connected`, isConnected ? "1" : "0");
}

function fail(): never {
  throw new Error("the development wallet works on the local chain only");
}
