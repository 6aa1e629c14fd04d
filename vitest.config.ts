import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { StacksFirst } from "./test/offchain/support/stacksFirst.ts";

/** The dashboard's own name for itself, as its tsconfig has it. */
const alias = { "@": join(import.meta.dirname, "web") };

/** `*.live.test.ts` starts a real chain, database, Redis or service; every other test of the service needs none. */
const live = "{offchain,scripts,kinds}/**/*.live.test.ts";

export default defineConfig({
  test: {
    sequence: { sequencer: StacksFirst },
    projects: [
      {
        resolve: { alias },
        test: {
          name: "unit",
          root: "test",
          // Campaigns of some ten thousand steps take seconds, and longer beside other work.
          testTimeout: 30_000,
          include: ["{offchain,scripts,kinds}/**/*.test.ts", "web/{features,lib,ui}/**/*.test.ts"],
          exclude: [live],
          // Nothing is kept between files that another could trip over, and each would load the same modules again.
          isolate: false,
        },
      },
      {
        test: {
          name: "offchain",
          root: "test",
          include: [live],
          globalSetup: join(import.meta.dirname, "test/offchain/support/globalServer.ts"),
          // Ends what hangs; how long a test may take on a machine under load is not the question.
          testTimeout: 180_000,
          hookTimeout: 240_000,
          // Each file starts servers of its own: two at a time is what two cores carry.
          maxWorkers: 2,
          // What has another number of workers runs after the others, where several kinds are asked for at once.
          sequence: { groupOrder: 1 },
          // Nothing is kept between files that another could trip over, and each would load the same modules again.
          isolate: false,
        },
      },
      {
        resolve: { alias },
        test: {
          name: "web",
          root: "test/web",
          include: ["*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 240_000,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
