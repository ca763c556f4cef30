// `npm test`: makes the parts that are missing, runs every suite one project after the other, and ends with one line
// that counts them all. As root on Linux nothing may be skipped; elsewhere the line before tells how much was.
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PROJECTS = ["unit", "contract", "e2e"];

const root = fileURLToPath(new URL("..", import.meta.url));
const everything = process.platform === "linux" && process.getuid?.() === 0;
const results = await mkdtemp(join(tmpdir(), "castle-test-"));
const count = { passed: 0, failed: 0, skipped: 0, suites: 0 };
let broken = false;

try {
  await prepare();
  for (const project of PROJECTS) await suites(project);
} finally {
  await rm(results, { recursive: true });
}
if (everything && count.skipped > 0) {
  broken = true;
  console.log(`${count.skipped} tests were skipped, and as root on Linux none may be`);
}
if (count.passed === 0) broken = true;
if (!everything) console.log(`${count.suites} suites skipped: they need root on Linux, and the parts`);
const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : "";
process.exitCode = broken || count.failed > 0 ? 1 : 0;
console.log(`${count.passed} passed, ${count.failed} failed${skipped}`);

/** The command line that the end-to-end tests drive, and the parts that it needs. */
async function prepare() {
  const steps = [["npm", "run", "--silent", "build"]];
  if (everything)
    steps.push([
      "node",
      "bin/castle.js",
      "parts",
      "build",
      "-f",
      "examples/lab/castle.yaml",
      "--install-tools",
    ]);
  for (const [program, ...args] of steps) {
    const code = await run(program, args);
    if (code !== 0) {
      console.log(`${[program, ...args].join(" ")} ended with ${code}`);
      count.failed++;
    }
  }
}

async function suites(project) {
  const file = join(results, `${project}.json`);
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  const code = await run("npx", ["vitest", "run", "--project", project, ...reporters]);
  const report = await readFile(file, "utf8").then(JSON.parse, () => undefined);
  if (report === undefined) {
    console.log(`vitest gave no result for ${project}`);
    count.failed++;
    return;
  }
  const found = tally(report);
  // A hook or a file that fails has no test of its own to count.
  if (code !== 0 && found.failed === 0) found.failed = 1;
  for (const key of Object.keys(count)) count[key] += found[key];
}

function tally({ testResults }) {
  const found = { passed: 0, failed: 0, skipped: 0, suites: 0 };
  for (const { status, assertionResults } of testResults) {
    const states = assertionResults.map((test) => test.status);
    const failed = states.filter((state) => state === "failed").length;
    const passed = states.filter((state) => state === "passed").length;
    found.passed += passed;
    found.failed += failed === 0 && status === "failed" ? 1 : failed;
    found.skipped += states.length - passed - failed;
    if (states.length > 0 && passed + failed === 0) found.suites++;
  }
  return found;
}

function run(program, args) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
    child.on("error", (error) => {
      console.log(error.message);
      resolve(127);
    });
    child.on("exit", (code, signal) => resolve(code ?? signal));
  });
}
