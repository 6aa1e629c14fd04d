import assert from "node:assert/strict";
import { type Hex, numberToHex, toRlp, trim } from "viem";

/** A block as a node tells it. */
export type Block = Record<string, Hex>;

const fields = [
  ...["parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom"],
  ...["difficulty", "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce"],
  ...["baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot"],
  "requestsHash",
];
/** Quantities are written without leading zeros, and zero as nothing. */
const quantities = new Set([
  ...["difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas"],
  ...["blobGasUsed", "excessBlobGas"],
]);

/** The RLP-encoded header, whose hash is the block's. */
export function headerOf(block: Block): Hex {
  const encode = (name: string): Hex => {
    const value = block[name];
    assert(value);
    if (!quantities.has(name)) return value;
    return BigInt(value) === 0n ? "0x" : trim(numberToHex(BigInt(value), { size: 32 }));
  };
  return toRlp(fields.filter((name) => block[name] !== undefined).map(encode));
}
