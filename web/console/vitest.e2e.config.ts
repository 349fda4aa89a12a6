import { defineConfig } from "vitest/config";

/** `npm run e2e`: people's paths through the real program in a real browser. `PATCHBAY_BIN` is the program. */
export default defineConfig({
  test: {
    environment: "node",
    include: ["e2e/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});
