import { createHash } from "node:crypto";
import type { Skill } from "./cast.ts";
import { createRandom, type Random } from "./random.ts";

/** What a piece of work gives: a line for the buyer, and the digest of the whole. */
export interface Work {
  result: string;
  digest: string;
}

const words =
  "agent energy treasury voucher channel carbon grid solar budget owner quorum receipt market trust ledger work".split(
    " ",
  );
const sentence = (random: Random, length: number) =>
  Array.from({ length }, () => words[random.below(words.length)] ?? "").join(" ");

/** Really does `units` of the skill's work on material that the seed decides. */
export function labour(skill: Skill, units: number, seed: number): Work {
  const result = trades[skill](units, createRandom(seed));
  return { result, digest: createHash("sha256").update(`${skill}:${units}:${result}`).digest("hex") };
}

const trades: Record<Skill, (units: number, random: Random) => string> = {
  /** The words that stand most often in a text. */
  research(units, random) {
    const counts = new Map<string, number>();
    for (const word of sentence(random, units * 400).split(" "))
      counts.set(word, (counts.get(word) ?? 0) + 1);
    return [...counts]
      .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
      .slice(0, 3)
      .map(([word]) => word)
      .join(" ");
  },

  /** A tile of the Mandelbrot set, as the sum of its escape times. */
  image(units, random) {
    const [left, top] = [-2 + random.below(100) / 50, -1 + random.below(100) / 100];
    let sum = 0;
    for (let pixel = 0; pixel < units * 256; pixel += 1)
      sum += escapeTime(left + (pixel % 16) / 400, top + Math.floor(pixel / 16) / 400);
    return `tile ${left.toFixed(2)} ${top.toFixed(2)}: ${sum}`;
  },

  /** A sentence in the demo's pig latin. */
  translation(units, random) {
    const latin = (word: string) => `${word.slice(1)}${word.charAt(0)}ay`;
    return sentence(random, units * 12)
      .split(" ")
      .map(latin)
      .join(" ");
  },

  /** Sorted records without duplicates, and their median. */
  data(units, random) {
    const records = [...new Set(Array.from({ length: units * 300 }, () => random.below(100_000)))];
    records.sort((a, b) => a - b);
    return `${records.length} records, median ${records[records.length >> 1] ?? 0}`;
  },

  /** Checks a chain of hashes link by link. */
  review(units, random) {
    let link = String(random.below(2 ** 31));
    for (let count = 0; count < units * 100; count += 1)
      link = createHash("sha256").update(link).digest("hex");
    return `sound up to ${link.slice(0, 16)}`;
  },

  /** The sentence of a text that shares most words with all the others. */
  summary(units, random) {
    const text = Array.from({ length: units * 6 }, () => sentence(random, 9));
    const score = (line: string) =>
      text.reduce((sum, other) => sum + line.split(" ").filter((word) => other.includes(word)).length, 0);
    return text.reduce((best, line) => (score(line) > score(best) ? line : best));
  },

  /** The most value that fits into a budget: a knapsack. */
  plan(units, random) {
    const budget = units * 100;
    const best = new Array<number>(budget + 1).fill(0);
    for (let item = 0; item < 20; item += 1) {
      const [weight, value] = [1 + random.below(40), 1 + random.below(100)];
      for (let room = budget; room >= weight; room -= 1)
        best[room] = Math.max(best[room] ?? 0, (best[room - weight] ?? 0) + value);
    }
    return `value ${best[budget] ?? 0} within ${budget}`;
  },

  /** Counts the ways to place queens on boards that do not attack each other. */
  code(units, random) {
    const size = 5 + random.below(2);
    let ways = 0;
    for (let board = 0; board < units; board += 1) ways += queens(size, 0, 0, 0, 0);
    return `${ways} ways on ${units} boards of ${size}`;
  },
};

function escapeTime(x: number, y: number): number {
  let [real, imaginary, steps] = [0, 0, 0];
  while (real * real + imaginary * imaginary < 4 && steps < 64) {
    [real, imaginary] = [real * real - imaginary * imaginary + x, 2 * real * imaginary + y];
    steps += 1;
  }
  return steps;
}

/** Backtracking with the attacked columns and diagonals as bits. */
function queens(size: number, row: number, columns: number, left: number, right: number): number {
  if (row === size) return 1;
  let ways = 0;
  for (let column = 0; column < size; column += 1) {
    const bit = 1 << column;
    if ((columns | left | right) & bit) continue;
    ways += queens(size, row + 1, columns | bit, (left | bit) << 1, (right | bit) >> 1);
  }
  return ways;
}
