import type { BrowserContext, Page } from "playwright-core";
import { createWalletClient, type Hex, http, numberToHex } from "viem";
import { type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";

/** JSON-RPC errors as wallets give them (EIP-1193). */
const declined = { code: 4001, message: "User rejected the request." };
const unknownChain = { code: 4902, message: "Unrecognized chain ID." };

interface Answer {
  result?: unknown;
  error?: { code: number; message: string };
}

export interface TestWallet {
  /** What the wallet shows in the list of wallets. */
  readonly name: string;
  readonly account: PrivateKeyAccount;
  /** Every method that the page asked for, in order. */
  readonly asked: string[];
  /** The wallet declines its next `count` confirmations. */
  decline(count?: number): void;
  /** The wallet's next confirmation stays open until the function that this gives is called. */
  hold(): () => void;
  /** Moves the wallet to another network, as a person does in the wallet itself. */
  moveTo(chainId: number): Promise<void>;
  /** Chooses another account in the wallet. */
  switchAccount(key: Hex): Promise<void>;
}

export interface TestWalletOptions {
  key: Hex;
  rpcUrl: string;
  chainId: number;
  /** Network on which the wallet starts; `chainId` if absent. */
  startsOn?: number;
  name?: string;
}

const asking = new Set([
  "eth_requestAccounts",
  "wallet_requestPermissions",
  "eth_signTypedData_v4",
  "eth_sendTransaction",
  "wallet_switchEthereumChain",
]);

/**
 * Puts a wallet into every page of the context: announced by EIP-6963, signing with viem in Node, reading from the
 * real chain. It tells nobody its accounts before it was asked to connect, as real wallets do.
 */
export async function injectWallet(context: BrowserContext, options: TestWalletOptions): Promise<TestWallet> {
  const name = options.name ?? "Test wallet";
  const asked: string[] = [];
  let account = privateKeyToAccount(options.key);
  let walletChain = options.startsOn ?? options.chainId;
  let isConnected = false;
  let toDecline = 0;
  let held: Promise<void> | null = null;

  async function answer(method: string, params: unknown[]): Promise<unknown> {
    switch (method) {
      case "eth_accounts":
        return isConnected ? [account.address] : [];
      case "eth_requestAccounts":
        isConnected = true;
        return [account.address];
      case "wallet_requestPermissions":
        isConnected = true;
        return [
          {
            parentCapability: "eth_accounts",
            caveats: [{ type: "restrictReturnedAccounts", value: [account.address] }],
          },
        ];
      case "wallet_revokePermissions":
        isConnected = false;
        return null;
      case "eth_chainId":
        return numberToHex(walletChain);
      case "wallet_switchEthereumChain": {
        const asks = Number((params[0] as { chainId: Hex }).chainId);
        if (asks !== options.chainId) throw unknownChain;
        await moveTo(asks);
        return null;
      }
      case "eth_signTypedData_v4":
        return account.signTypedData(JSON.parse(params[1] as string));
      case "eth_sendTransaction":
        return send(params[0] as { to: Hex; data?: Hex; value?: Hex; gas?: Hex });
      default:
        return forward(method, params);
    }
  }

  async function send({
    to,
    data,
    value,
    gas,
  }: {
    to: Hex;
    data?: Hex;
    value?: Hex;
    gas?: Hex;
  }): Promise<Hex> {
    const client = createWalletClient({ account, transport: http(options.rpcUrl) });
    return client.sendTransaction({
      chain: null,
      to,
      ...(data && { data }),
      ...(value && { value: BigInt(value) }),
      ...(gas && { gas: BigInt(gas) }),
    });
  }

  async function forward(method: string, params: unknown[]): Promise<unknown> {
    const response = await fetch(options.rpcUrl, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    });
    const { result, error } = (await response.json()) as Answer;
    if (error) throw error;
    return result;
  }

  async function moveTo(chainId: number): Promise<void> {
    walletChain = chainId;
    await emit(context, name, "chainChanged", numberToHex(chainId));
  }

  await context.exposeFunction(
    requestName(name),
    async (method: string, params: unknown[]): Promise<Answer> => {
      asked.push(method);
      if (asking.has(method) && toDecline > 0) {
        toDecline -= 1;
        return { error: declined };
      }
      if (asking.has(method)) await held;
      try {
        return { result: await answer(method, params) };
      } catch (error) {
        const { code, message } = error as { code?: number; message?: string };
        return {
          error: { code: typeof code === "number" ? code : -32603, message: message ?? String(error) },
        };
      }
    },
  );
  await context.addInitScript(announce, { name, request: requestName(name) });

  return {
    name,
    get account() {
      return account;
    },
    asked,
    decline(count = 1) {
      toDecline = count;
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return () => {
        held = null;
        resolve();
      };
    },
    moveTo,
    async switchAccount(key) {
      account = privateKeyToAccount(key);
      await emit(context, name, "accountsChanged", [account.address]);
    },
  };
}

const requestName = (name: string): string => `testWallet_${name.replace(/\W/g, "_")}`;

async function emit(context: BrowserContext, name: string, event: string, value: unknown): Promise<void> {
  const deliver = (page: Page) =>
    page.evaluate(
      ([wallet, type, detail]) => {
        window.dispatchEvent(new CustomEvent(`test-wallet:${wallet}`, { detail: { type, detail } }));
      },
      [name, event, value] as const,
    );
  await Promise.all(context.pages().map(deliver));
}

/** Runs in the page, before any of its scripts. */
function announce({ name, request }: { name: string; request: string }): void {
  type Call = (method: string, params: unknown[]) => Promise<Answer>;
  const listeners = new Map<string, Set<(value: unknown) => void>>();
  const provider = {
    async request({ method, params = [] }: { method: string; params?: unknown[] }) {
      const call = (window as unknown as Record<string, Call>)[request];
      if (!call) throw new Error("the test wallet is not wired");
      const { result, error } = await call(method, params);
      if (error) throw Object.assign(new Error(error.message), { code: error.code });
      return result;
    },
    on(type: string, listener: (value: unknown) => void) {
      const known = listeners.get(type) ?? new Set();
      listeners.set(type, known.add(listener));
      return provider;
    },
    removeListener(type: string, listener: (value: unknown) => void) {
      listeners.get(type)?.delete(listener);
      return provider;
    },
  };
  window.addEventListener(`test-wallet:${name}`, (event) => {
    const { type, detail } = (event as CustomEvent<{ type: string; detail: unknown }>).detail;
    for (const listener of listeners.get(type) ?? []) listener(detail);
  });
  const detail = Object.freeze({
    info: {
      uuid: crypto.randomUUID?.() ?? "00000000-0000-4000-8000-000000000001",
      name,
      icon: "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'%3E%3Crect width='1' height='1' fill='teal'/%3E%3C/svg%3E",
      rdns: `test.bursar.${request.toLowerCase()}`,
    },
    provider,
  });
  const say = () => window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
  window.addEventListener("eip6963:requestProvider", say);
  say();
}
