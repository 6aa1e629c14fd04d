/** A source of numbers that a seed decides. */
export interface Random {
  /** A whole number from 0 to `below` − 1. */
  below(below: number): number;
}

/**
 * SplitMix32 (Steele, Lea and Flood 2014, with the 32-bit finaliser of MurmurHash3): small, fast, the same everywhere.
 * `stream` gives independent sequences of one seed, so that step 1,000 needs no 999 before it.
 */
export function createRandom(seed: number, stream = 0): Random {
  let state = mixed(mixed(seed >>> 0) ^ Math.imul(stream + 1, 0x9e3779b1));
  return {
    below(below) {
      state = (state + 0x9e3779b9) >>> 0;
      return Math.floor((mixed(state) / 2 ** 32) * below);
    },
  };
}

function mixed(value: number): number {
  let bits = value;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
