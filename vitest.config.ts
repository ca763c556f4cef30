import { defineConfig } from "vitest/config";

// Suites that raise machines. A castle keeps two cores at work while it rises, and half of one while it stands: two files
// at a time.
const patient = { testTimeout: 600_000, hookTimeout: 900_000 };
// What a castle's machines said, where a test of it failed.
const setupFiles = ["test/e2e/tell-consoles.ts"];
const alone = { ...patient, fileParallelism: false, maxWorkers: 1 };
const inPairs = { ...patient, fileParallelism: true, maxWorkers: 2 };

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
          ...alone,
        },
      },
      { test: { name: "e2e", include: ["test/e2e/**/*.test.ts"], setupFiles, ...inPairs } },
      { test: { name: "long", include: ["test/long/**/*.test.ts"], setupFiles, ...alone } },
    ],
  },
});
