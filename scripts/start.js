// `npm start`: the castle of examples/lab, and on it the example blog, published from a repository of its own. Ends with
// the address at which a browser on this machine opens it; run again, it goes on with what is missing.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const spec = ["-f", "examples/lab/castle.yaml"];
const steps = [
  ["up", ...spec, "--install-tools", "--yes"],
  ["lab", "source", "blog", ...spec, "--from", "examples/blog"],
  ["publish", "blog", ...spec],
];

// Whoever stops it stops the command that runs, which ends in its own way.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => {});

for (const args of steps) {
  const code = await castle(args);
  if (code === 0) continue;
  process.exitCode = code;
  break;
}

function castle(args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["bin/castle.js", ...args], { cwd: root, stdio: "inherit" });
    child.on("exit", (code) => resolve(code ?? 1));
  });
}
