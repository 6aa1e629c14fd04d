import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createClient, type Hex, http, serializeTransaction } from "viem";
import { addresses } from "#addresses";
import { fingerprintOf } from "./fingerprint.ts";

const root = join(import.meta.dirname, "../../..");
const recordings = join(root, "data/test");
/** What a deployment is made from: the compiled contracts, and all that decides in which order they go where. */
const sources = [
  "contracts/**/*.sol",
  "contracts/generated/production/builtFrom.json",
  "scripts/contracts/{deploy,canonical,handover}.ts",
  "scripts/ignition/modules/*.ts",
  "scripts/ignition/*.ts",
];
const placed = ["BatchSettlement", "Erc3009DepositCollector", "Multicall3"] as const;

/** A deployment as the chain saw it: the same transactions give every fresh chain the same contracts. */
interface Recording {
  transactions: Hex[];
  /** Code that stands by decree, not by a transaction. */
  code: { address: Hex; code: Hex }[];
}

/**
 * Puts the contracts on a fresh local chain: by `deploy` the first time, and from then on by its recorded transactions,
 * which takes a tenth of the time. Whatever the deployment is made from has a recording of its own.
 */
export async function deployAgain(rpcUrl: string, deploy: () => Promise<void>): Promise<void> {
  const chainId = Number(await rpc(rpcUrl)<Hex>("eth_chainId"));
  // Transactions are signed for one chain.
  const file = join(recordings, `deployment-${chainId}-${await fingerprintOf(sources)}.json`);
  const known = await readFile(file, "utf8").catch(() => null);
  if (known !== null) return replay(rpcUrl, JSON.parse(known) as Recording);
  await deploy();
  const text = JSON.stringify(await record(rpcUrl));
  await mkdir(recordings, { recursive: true });
  // Two test files may both be the first: a recording appears whole or not at all.
  const draft = `${file}.${randomBytes(4).toString("hex")}`;
  await writeFile(draft, text);
  await rename(draft, file);
}

const rpc = (rpcUrl: string) => {
  const client = createClient({ transport: http(rpcUrl, { batch: true }) });
  return <Answer>(method: string, ...params: unknown[]): Promise<Answer> =>
    (client.request as (call: { method: string; params: unknown[] }) => Promise<Answer>)({ method, params });
};

interface ChainTransaction {
  type: Hex;
  chainId: Hex;
  nonce: Hex;
  gas: Hex;
  maxFeePerGas: Hex;
  maxPriorityFeePerGas: Hex;
  to: Hex | null;
  value: Hex;
  input: Hex;
  r: Hex;
  s: Hex;
  /** Of the signature: its parity, 0 or 1. */
  v: Hex;
}

async function record(rpcUrl: string): Promise<Recording> {
  const ask = rpc(rpcUrl);
  const head = Number(await ask<Hex>("eth_blockNumber"));
  const transactions: Hex[] = [];
  for (let number = 1; number <= head; number += 1) {
    const block = await ask<{ transactions: ChainTransaction[] }>("eth_getBlockByNumber", hex(number), true);
    transactions.push(...block.transactions.map(serialized));
  }
  const code = placed.map(async (name) => {
    const address = addresses[31337][name];
    return { address, code: await ask<Hex>("eth_getCode", address, "latest") };
  });
  return { transactions, code: await Promise.all(code) };
}

function serialized(transaction: ChainTransaction): Hex {
  if (transaction.type !== "0x2")
    throw new Error(`a deployment's transaction is of type ${transaction.type}`);
  const { r, s, v, to, input, ...fees } = transaction;
  return serializeTransaction(
    {
      type: "eip1559",
      chainId: Number(fees.chainId),
      nonce: Number(fees.nonce),
      gas: BigInt(fees.gas),
      maxFeePerGas: BigInt(fees.maxFeePerGas),
      maxPriorityFeePerGas: BigInt(fees.maxPriorityFeePerGas),
      value: BigInt(fees.value),
      to,
      data: input,
    },
    { r, s, yParity: Number(v) },
  );
}

async function replay(rpcUrl: string, { transactions, code }: Recording): Promise<void> {
  const ask = rpc(rpcUrl);
  for (const transaction of transactions) await ask("eth_sendRawTransaction", transaction);
  for (const one of code) await ask("hardhat_setCode", one.address, one.code);
  const codes = Object.values(addresses[31337]).map((address) => ask<Hex>("eth_getCode", address, "latest"));
  if ((await Promise.all(codes)).includes("0x"))
    throw new Error(`the recorded deployment left a contract without code: remove ${recordings}`);
}

const hex = (value: number): Hex => `0x${value.toString(16)}`;
