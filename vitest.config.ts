import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** Folders whose tests start neither a database nor a chain. */
const unit = ["actions", "agents", "domain", "doors", "observe", "ports", "sdk"];

/** The dashboard's own name for itself, as its tsconfig has it. */
const alias = { "@": join(import.meta.dirname, "web") };

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias },
        test: {
          name: "unit",
          root: "test",
          // Campaigns of some ten thousand steps take seconds, and longer beside other work.
          testTimeout: 30_000,
          include: [
            ...unit.map((folder) => `offchain/${folder}/**/*.test.ts`),
            "offchain/config.test.ts",
            "web/{features,lib,ui}/**/*.test.ts",
          ],
        },
      },
      {
        test: {
          name: "offchain",
          root: "test/offchain",
          include: ["{chain,jobs,store}/**/*.test.ts", "*.test.ts"],
          exclude: ["config.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 240_000,
          // Each file starts servers of its own: two at a time is what two cores carry.
          maxWorkers: 2,
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
        },
      },
    ],
  },
});
