import { isAddress } from "viem";
import { BursarError } from "#offchain/core/error.ts";

/** @throws BursarError VALIDATION_INVALID_INPUT, which names the field */
export function assertAddresses(fields: Readonly<Record<string, string | undefined>>): void {
  const message = "must be an address: 0x and 40 hexadecimal digits, with its checksum if it has capitals";
  const faults = Object.entries(fields)
    .filter(([, value]) => value !== undefined && !isAddress(value))
    .map(([field, value]) => ({ field, message, value }));
  if (faults.length === 0) return;
  throw new BursarError(
    "VALIDATION_INVALID_INPUT",
    faults.map(({ field, value }) => `${field} ${message}, not ${JSON.stringify(value)}`).join("; "),
    { fields: faults },
  );
}
