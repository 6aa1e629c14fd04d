import { createRandom, type Random } from "#offchain/demo/random.ts";

/** `BURSAR_TEST_SEED` brings the choices of a failed run back. */
const seed = Number(process.env.BURSAR_TEST_SEED ?? Date.now() % 2 ** 31);

/** Chance that differs from run to run, by a seed that is printed. */
export function chance(): Random {
  console.log(`BURSAR_TEST_SEED=${seed}`);
  return createRandom(seed);
}
