// Makes dist of src: few files where tsc makes a thousand, which each command would open one after the other. What a
// command needs only at times lies in files of its own, as src imports it. docs/decisions/bundle.md has the reasons.
import { cp, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** Milliseconds. A castle that runs while another is built still finds what it has yet to load. */
const KEPT = 24 * 60 * 60_000;

/** Read at run time by the module that they lie beside; all code of dist lies in one folder. */
const READ = ["src/talos/proto", "src/lab/lan/discovery/cluster.proto"];

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");

await build({
  entryPoints: [join(root, "src/cli/main.ts")],
  outdir: dist,
  chunkNames: "[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  minifyWhitespace: true,
  minifySyntax: true,
  sourcemap: true,
  sourcesContent: false,
  // Large, and loaded by those alone who keep their secrets there.
  external: ["@infisical/sdk"],
  // How packages in CommonJS ask for Node's own modules.
  banner: {
    js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);',
  },
  logLevel: "warning",
});
for (const path of READ) {
  await cp(join(root, path), join(dist, path.split("/").at(-1)), { recursive: true });
}
for (const name of await readdir(dist)) {
  const { mtimeMs } = await stat(join(dist, name));
  if (Date.now() - mtimeMs > KEPT) await rm(join(dist, name), { recursive: true });
}
