import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { createRequire } from "node:module";
import { network } from "hardhat";
import { encodeDeployData, encodeFunctionData, type Hex, parseAbi } from "viem";

export const emitterAbi = parseAbi([
  "event Transfer(address indexed from, address indexed to, uint256 value)",
  "function burst(uint256 count)",
]);

/** Transfers among a thousand accounts, as many in one transaction as it is told. */
const source = `
pragma solidity ^0.8.0;
contract Emitter {
  event Transfer(address indexed from, address indexed to, uint256 value);
  uint256 private nonce;
  function burst(uint256 count) external {
    uint256 last = nonce + count;
    for (uint256 at = nonce; at < last; ++at) {
      uint256 mixed = uint256(keccak256(abi.encode(at)));
      emit Transfer(account(mixed % 1000), account((mixed >> 128) % 1000), mixed % 1e9);
    }
    nonce = last;
  }
  function account(uint256 index) private pure returns (address) {
    return address(uint160(uint256(keccak256(abi.encode(index, "account")))));
  }
}`;

/** A chain in a file: a JSON line for each block, `{ block, logs }`, as the node answers with whole transactions. */
export interface RecordedChain {
  readonly file: string;
  readonly address: Hex;
  readonly blocks: number;
  readonly events: number;
}

/** Runs a real chain in this process, `blocks` × `eventsPerBlock` transfers, and writes it down. */
export async function recordChain(
  file: string,
  blocks: number,
  eventsPerBlock: number,
): Promise<RecordedChain> {
  const { provider, close } = await network.create();
  const ask = (method: string, params: unknown[]) => provider.request({ method, params });
  try {
    const [from] = (await ask("eth_accounts", [])) as Hex[];
    const send = async (call: object) => (await ask("eth_sendTransaction", [{ from, ...call }])) as Hex;
    const hash = await send({ data: encodeDeployData({ abi: emitterAbi, bytecode: compiled() }) });
    const { contractAddress } = (await ask("eth_getTransactionReceipt", [hash])) as { contractAddress: Hex };
    const data = encodeFunctionData({
      abi: emitterAbi,
      functionName: "burst",
      args: [BigInt(eventsPerBlock)],
    });
    for (let block = 0; block < blocks; block += 1)
      await send({ to: contractAddress, data, gas: "0xe4e1c0" });
    const out = createWriteStream(file);
    const head = Number(await ask("eth_blockNumber", []));
    for (let number = 0; number <= head; number += 1) {
      const tag = `0x${number.toString(16)}`;
      const block = await ask("eth_getBlockByNumber", [tag, true]);
      const logs = await ask("eth_getLogs", [{ fromBlock: tag, toBlock: tag }]);
      if (!out.write(`${JSON.stringify({ block, logs })}\n`)) await once(out, "drain");
    }
    out.end();
    await once(out, "close");
    return { file, address: contractAddress, blocks: head + 1, events: blocks * eventsPerBlock };
  } finally {
    await close();
  }
}

function compiled(): Hex {
  const solc = createRequire(import.meta.url)("solc") as { compile(input: string): string };
  const { contracts } = JSON.parse(
    solc.compile(
      JSON.stringify({
        language: "Solidity",
        sources: { "Emitter.sol": { content: source } },
        settings: {
          optimizer: { enabled: true },
          outputSelection: { "*": { "*": ["evm.bytecode.object"] } },
        },
      }),
    ),
  ) as { contracts: { "Emitter.sol": { Emitter: { evm: { bytecode: { object: string } } } } } };
  return `0x${contracts["Emitter.sol"].Emitter.evm.bytecode.object}`;
}
