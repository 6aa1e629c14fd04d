import type { WorkRequest } from "#offchain/sdk/agent.ts";

export const skills = [
  "research",
  "image",
  "translation",
  "data",
  "review",
  "summary",
  "plan",
  "code",
] as const;
export type Skill = (typeof skills)[number];

/** One agent of the demo economy: what it sells, for how much, and the hardware that it declares. */
export interface Player {
  name: string;
  role: string;
  skill: Skill;
  /** µUSDC for one unit of work. */
  pricePerUnit: bigint;
  computeType: WorkRequest["computeType"];
  region: WorkRequest["region"];
  /** Declared time of one unit on that hardware, ms: the meter counts units, so that every run counts alike. */
  unitMs: number;
}

/** The eight, in the order of their accounts in the mnemonic. Prices are of the size of one small model call. */
export const cast: readonly Player[] = [
  player("Ada", "Researcher", "research", 300n, "A100", "nordic", 120),
  player("Iris", "Image maker", "image", 900n, "L4", "us-west", 450),
  player("Babel", "Translator", "translation", 150n, "T4", "france", 80),
  player("Dana", "Data seller", "data", 100n, "Storage", "germany", 40),
  player("Rex", "Reviewer", "review", 250n, "CPU", "uk", 150),
  player("Sam", "Summariser", "summary", 200n, "T4", "eu-average", 90),
  player("Pia", "Planner", "plan", 400n, "CPU", "nordic", 200),
  player("Cody", "Coder", "code", 600n, "H100", "us-east", 160),
];

/** Whom each agent buys from: three others, so that there are 24 channels. */
export const partnersOf = (payer: number): number[] =>
  [1, 3, 5].map((distance) => (payer + distance) % cast.length);

/** The agent that owns the energy society, and allots its ATP. */
export const allotterIndex = cast.findIndex(({ skill }) => skill === "plan");

function player(
  name: string,
  role: string,
  skill: Skill,
  pricePerUnit: bigint,
  computeType: Player["computeType"],
  region: Player["region"],
  unitMs: number,
): Player {
  return { name, role, skill, pricePerUnit, computeType, region, unitMs };
}
