import { formatAmount } from "#offchain/core/unit.ts";
import { cast, partnersOf, type Skill } from "./cast.ts";
import { createRandom } from "./random.ts";

/** One purchase of the demo economy. Agents by their place in {@link cast}. */
export interface Step {
  index: number;
  payer: number;
  payee: number;
  skill: Skill;
  /** Units of work bought. */
  units: number;
  /** Price in USDC as written. */
  amount: string;
  /** Declared time of the work, ms. */
  durationMs: number;
}

/** A request to the Treasury that a step makes beside its purchase. */
export interface Ask {
  payer: number;
  payee: number;
  /** USDC as written. */
  amount: string;
}

const unitsMax = 5;

/** Above this a payment from the Treasury needs its owners: the demo's budgets say so. */
export const approvalAboveUsdc = 100;

/** The purchase number `index`: the same for the same seed, whatever came before. */
export function stepAt(seed: number, index: number): Step {
  const random = createRandom(seed, index);
  const payer = random.below(cast.length);
  const partners = partnersOf(payer);
  const payee = partners[random.below(partners.length)] ?? 0;
  const units = 1 + random.below(unitsMax);
  const seller = cast[payee];
  if (!seller) throw new RangeError(`the cast has no agent ${payee}`);
  return {
    index,
    payer,
    payee,
    skill: seller.skill,
    units,
    amount: formatAmount(BigInt(units) * seller.pricePerUnit, "USDC"),
    durationMs: units * seller.unitMs,
  };
}

/** Every 400th purchase an agent asks for more than its limit, and between for little; later ten times as rarely. */
export function askAt(seed: number, index: number): Ask | null {
  const every = index < 2_000 ? 400 : 4_000;
  const isLarge = index % every === 100;
  if (!isLarge && index % every !== 300) return null;
  const random = createRandom(seed ^ 0x5eed, index);
  const { payer, payee } = stepAt(seed, index);
  const dollars = isLarge ? approvalAboveUsdc + 50 + random.below(200) : 1 + random.below(5);
  return { payer, payee, amount: String(dollars) };
}
