import { describe, expect, test } from "vitest";
import type { Random } from "#offchain/demo/random.ts";
import { challengeWindowMs } from "#offchain/features/clearing/rules.ts";
import { Books, eachWithBooks } from "../../../support/books.ts";
import { chance } from "../../../support/chance.ts";
import type { Call } from "./clearingModel.ts";
import { finalityBlocks, World } from "./world.ts";

let world: World;
eachWithBooks((books: Books) => {
  world = new World(books);
});

/** By chance as well, since rows are in the order of their payees: the seed then tells the whole story. */
const addressBy = (random: Random): string =>
  `0x${Array.from({ length: 40 }, () => random.below(16).toString(16)).join("")}`;

describe("whatever is killed, reorganised, demanded and voided meanwhile", () => {
  /** Something that happens, by chance. */
  async function happen(random: Random, payees: readonly string[]): Promise<void> {
    const any = () => payees[random.below(payees.length)] ?? "";
    const demand = (): Call[] => {
      const receipt = world.receipts[random.below(world.receipts.length)];
      return receipt ? [{ demanded: receipt.payee, amount: receipt.cumulative }] : [];
    };
    const what = random.below(12);
    if (what < 4) await world.credit(any(), BigInt(random.below(40) + 1));
    else if (what < 7) await world.pass();
    else if (what === 7) await world.mine({ before: demand() });
    else if (what === 8) await world.mine({ after: demand() });
    else if (what === 9) await world.mine({}, random.below(3));
    else if (what === 10) await world.reorganise(random.below(finalityBlocks + 1));
    else {
      const epoch = world.chain.challengeable;
      if (epoch !== null && random.below(3) === 0) await world.mine({ after: [{ voided: epoch }] });
      else world.wait(random.below(challengeWindowMs));
    }
  }

  test("the service knows what the chain credits, contradicts no receipt, and pays everybody in the end", async () => {
    const random = chance();
    for (let story = 0; story < 12; story += 1) {
      world = new World(await Books.open(world.books.sql));
      world.random = random;
      world.kills = 15;
      const payees = Array.from({ length: 6 }, () => addressBy(random));
      for (let step = 0; step < 120; step += 1) {
        await happen(random, payees);
        await world.check();
      }
      await world.settle();
      await world.check();
      for (const payee of payees) {
        expect(world.receiptOf(payee) - world.chain.credited(payee)).toBeLessThan(world.chain.least);
        // Whoever demands is there to be paid by itself.
        if (!world.demanders.has(payee)) expect(world.chain.paid(payee)).toBe(world.chain.credited(payee));
      }
    }
  });
});
