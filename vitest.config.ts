import { defineConfig } from "vitest/config";

// Suites that raise machines run one file at a time: two cores carry one castle, not several.
const real = { testTimeout: 600_000, hookTimeout: 900_000, fileParallelism: false, maxWorkers: 1 };

export default defineConfig({
  test: {
    projects: [
      {
        test: { name: "unit", include: ["src/**/*.test.ts", "bench/**/*.test.ts", "test/unit/**/*.test.ts"] },
      },
      {
        test: {
          name: "contract",
          include: ["test/contract/**/*.test.ts"],
          globalSetup: ["test/contract/prepare-parts.ts"],
          ...real,
        },
      },
      { test: { name: "e2e", include: ["test/e2e/**/*.test.ts"], ...real } },
      { test: { name: "long", include: ["test/long/**/*.test.ts"], ...real } },
    ],
  },
});
