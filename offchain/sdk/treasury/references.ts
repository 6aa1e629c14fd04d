import { bytesToHex, concat, type Hex, hexToNumber, numberToHex, slice } from "viem";
import type { States } from "../states.ts";

/** The contract marks references as used 256 to a word: those that differ in their last byte alone share one. */
const prefixBytes = 31;
const lastCount = 255;

const randomPrefix = (): Uint8Array => crypto.getRandomValues(new Uint8Array(prefixBytes));

/**
 * Gives a spend of a Treasury its reference: one after another under a prefix that is random for each 256, of which only
 * the first pays the contract for a fresh word (17,100 gas). None is given twice, also after a restart; the last one
 * is remembered before it is used.
 */
export function openReferences(
  states: States,
  spender: string,
  prefixOf: () => Uint8Array = randomPrefix,
): (treasury: string) => Promise<Hex> {
  // One after another, or two spends at once would be given the same.
  let given: Promise<unknown> = Promise.resolve();
  async function give(treasury: string): Promise<Hex> {
    const name = `references-${spender}-${treasury}`.toLowerCase();
    const last = (await states.load(name)) as Hex | null;
    const count = last === null ? lastCount : hexToNumber(slice(last, prefixBytes));
    const reference =
      last === null || count === lastCount
        ? concat([bytesToHex(prefixOf()), "0x00"])
        : concat([slice(last, 0, prefixBytes), numberToHex(count + 1, { size: 1 })]);
    await states.save(name, reference, true);
    return reference;
  }
  return (treasury) => {
    const turn = given.catch(() => {}).then(() => give(treasury));
    given = turn;
    return turn;
  };
}
