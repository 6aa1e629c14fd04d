import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      { test: { name: "offchain", root: "test/offchain", testTimeout: 60_000, hookTimeout: 60_000 } },
    ],
  },
});
