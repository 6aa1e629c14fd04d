import { getAddress } from "viem";

/** Hexadecimal text as the bytes that a bytea column takes. */
export const bytesOf = (hex: string): Buffer => Buffer.from(hex.slice(2), "hex");

/** A bytea column as lower-case hexadecimal text. */
export const hexOf = (bytes: Uint8Array): `0x${string}` => `0x${Buffer.from(bytes).toString("hex")}`;

/** A 20-byte column as a checksummed address (EIP-55). */
export const addressOf = (bytes: Uint8Array): `0x${string}` => getAddress(hexOf(bytes));

/**
 * An array for `unnest` or `ANY`, written as text: it is cast to what it holds, such as `::bigint[]`. Cast bytes and
 * booleans twice: `::text[]::bytea[]`.
 */
export const list = (
  values: readonly (Uint8Array | bigint | number | boolean | string | null)[],
): (string | null)[] =>
  values.map((value) =>
    value === null
      ? null
      : value instanceof Uint8Array
        ? `\\x${Buffer.from(value).toString("hex")}`
        : String(value),
  );

/** The zero address as a 20-byte column has it: nobody. */
export const zeroAddressBytes = Buffer.alloc(20);
