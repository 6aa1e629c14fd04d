import { getAddress } from "viem";

/** Hexadecimal text as the bytes that a bytea column takes. */
export const bytesOf = (hex: string): Buffer => Buffer.from(hex.slice(2), "hex");

/** A bytea column as lower-case hexadecimal text. */
export const hexOf = (bytes: Uint8Array): `0x${string}` => `0x${Buffer.from(bytes).toString("hex")}`;

/** A 20-byte column as a checksummed address (EIP-55). */
export const addressOf = (bytes: Uint8Array): `0x${string}` => getAddress(hexOf(bytes));
