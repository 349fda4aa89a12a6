import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** `npm run shots`: walks the built console in Chromium over the fake server, keeps pictures, runs axe. */
export default defineConfig({
  resolve: {
    alias: {
      "@": fileURLToPath(new URL("./src", import.meta.url)),
      "@tests": fileURLToPath(new URL("./tests", import.meta.url)),
    },
  },
  test: { environment: "node", include: ["tests/shots/*.shots.ts"], testTimeout: 120_000, hookTimeout: 60_000 },
});
