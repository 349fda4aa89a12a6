/// <reference types="vitest/config" />
import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const folder = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Where `npm run dev` finds the running `patchbay serve`. */
const server = process.env.PATCHBAY_URL ?? "http://127.0.0.1:8080";

/**
 * What is fetched apart from the pages, which are a piece each: what others made and every page needs, which stays as it is when we change ours;
 * what menus and dialogs are made of, which nobody needs to sign in; and ours that several pages share, as few pieces and not as fifty.
 */
const groups = [
  { name: "base", test: /node_modules\/(react|react-dom|scheduler|@tanstack|openapi-fetch|sonner)\// },
  { name: "shared", test: /\/src\/shared\/(?!ui\/([a-z]+-)*(dialog|menu|form)\.)|\/api\/|lucide/, minShareCount: 2 },
  { name: "overlays", test: /\/src\/shared\/|node_modules/, minShareCount: 2 },
  { name: "features", test: /\/src\/features\//, minShareCount: 2 },
].map((group, index, all) => ({ ...group, priority: all.length - index }));

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { "@": folder("./src"), "@tests": folder("./tests") } },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: { output: { codeSplitting: { groups } } },
  },
  server: { proxy: { "/api": { target: server, ws: true } } },
  test: {
    environment: "jsdom",
    environmentOptions: { jsdom: { url: "http://127.0.0.1:8080/" } },
    include: ["tests/**/*.test.{ts,tsx}"],
    setupFiles: ["./tests/setup.ts"],
    css: false,
  },
});
