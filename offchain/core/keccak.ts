import { createKeccak } from "hash-wasm";

const hasher = await createKeccak(256);

/** Keccak-256 as Ethereum has it, about 1 µs for what fits a block of 136 bytes; viem's takes 7. */
export const keccak256 = (bytes: Uint8Array): Uint8Array => hasher.init().update(bytes).digest("binary");
