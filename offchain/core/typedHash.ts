import { stringToBytes } from "viem";
import { keccak256 } from "./keccak.ts";

/** EIP-712 with everything constant hashed once: a domain, and struct types whose members are single words. */

const word = 32;
const domainTypeHash = hashOf(
  "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
);

/** keccak256 of a text's UTF-8 bytes: a type's hash, or a string member's. */
export function hashOf(text: string): Uint8Array {
  return keccak256(stringToBytes(text));
}

/** The EIP-712 text of a struct type that names no other: `Voucher(bytes32 channelId,uint128 maxClaimableAmount)`. */
export const typeText = <
  const Types extends Readonly<Record<string, readonly { name: string; type: string }[]>>,
>(
  types: Types,
  name: Extract<keyof Types, string>,
): string => `${name}(${(types[name] ?? []).map((member) => `${member.type} ${member.name}`).join(",")})`;

/** Hashes structs of one type: members as hexadecimal text or whole numbers, in the type's order. */
export function structHasher(type: string): (...members: (`0x${string}` | bigint | number)[]) => Uint8Array {
  const size = type.slice(type.indexOf("(")).split(",").length;
  // Written over for each struct.
  const encoded = Buffer.alloc((size + 1) * word);
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.length);
  encoded.set(hashOf(type));
  return (...members) => {
    if (members.length !== size) throw new RangeError(`${type} has ${size} members, got ${members.length}`);
    let at = 0;
    for (const member of members) {
      at += word;
      if (typeof member === "string") {
        const digits = member.slice(2);
        const start = at + word - digits.length / 2;
        if (start > at) encoded.fill(0, at, start);
        encoded.write(digits, start, "hex");
      } else writeWord(view, at, BigInt(member));
    }
    return keccak256(encoded);
  };
}

/** A whole number, not negative, as 32 bytes. */
function writeWord(view: DataView, at: number, value: bigint): void {
  let left = value;
  for (let end = at + word - 8; end >= at; end -= 8) {
    view.setBigUint64(end, left);
    left >>= 64n;
  }
}

/** Signable digests of one domain: keccak256(0x1901 ‖ domain separator ‖ struct hash). */
export function digestHasher(domain: {
  name: string;
  version: string;
  chainId: number;
  verifyingContract: `0x${string}`;
}): (structHash: Uint8Array) => Uint8Array {
  const separator = keccak256(
    Buffer.concat([
      domainTypeHash,
      hashOf(domain.name),
      hashOf(domain.version),
      Buffer.from(domain.chainId.toString(16).padStart(2 * word, "0"), "hex"),
      Buffer.from(domain.verifyingContract.slice(2).padStart(2 * word, "0"), "hex"),
    ]),
  );
  // Written over for each digest.
  const message = Buffer.concat([Uint8Array.of(0x19, 0x01), separator, new Uint8Array(word)]);
  return (structHash) => {
    message.set(structHash, 2 + word);
    return keccak256(message);
  };
}
