import { bytesToHex, getAddress } from "viem";
import type { Address } from "#offchain/actions/energy/port.ts";

/** The checksummed form of 20 stored bytes. */
export const addressOf = (bytes: Uint8Array): Address => getAddress(bytesToHex(bytes));

/** Hex digits without 0x, as SQL's `decode(…, 'hex')` reads them. */
export const hexOf = (address: Address): string => address.slice(2).toLowerCase();
