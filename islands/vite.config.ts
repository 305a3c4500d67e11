import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = fileURLToPath(new URL(".", import.meta.url));

/** Builds `src/app.ts` and its style into the package's static files; templates find them through the manifest. */
export default defineConfig({
  base: "/static/dist/",
  publicDir: false,
  css: {
    preprocessorOptions: {
      // "." because the Ministry of Justice's Sass names node_modules/ from the project's folder.
      scss: { loadPaths: [here], quietDeps: true },
    },
  },
  build: {
    outDir: "../src/palermo/web/static/dist",
    emptyOutDir: true,
    manifest: "manifest.json",
    // Lightning CSS drops rules of the design systems that it takes for mistakes.
    cssMinify: "esbuild",
    // The page policy allows no data: URL and no inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { app: "src/app.ts" },
      checks: {
        // htmx holds an eval that polling.ts switches off and the page policy forbids.
        eval: false,
        // How long each plugin took says nothing about what was built.
        bundlerTimings: false,
      },
    },
  },
});
