import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { run } from "../../src/support/run.ts";
import { canRunLab } from "../fixtures/parts.ts";

const { env } = process;
const MODULE = fileURLToPath(new URL("../../parts/acme", import.meta.url));
/** Milliseconds; most of it for a compiler whose caches are cold. */
const WITHIN = 540_000;

describe.skipIf(!canRunLab)("the ACME controller", () => {
  it("passes its own tests, against pebble in the same process", async () => {
    const caches = env["CASTLE_GO_CACHES"];
    // Built as the parts are, so that caches which were kept from their build serve.
    const { stdout } = await run("go", ["test", "-trimpath", "-v", "./..."], {
      cwd: MODULE,
      timeout: WITHIN,
      env: {
        CGO_ENABLED: "0",
        GOFLAGS: "-mod=readonly -buildvcs=false",
        GOTOOLCHAIN: "local",
        GOWORK: "off",
        ...(caches === undefined ? {} : { GOCACHE: join(caches, "build"), GOMODCACHE: join(caches, "mod") }),
      },
    });
    expect(stdout).not.toMatch(/^--- (FAIL|SKIP)/m);
    expect(stdout.match(/^--- PASS/gm)?.length).toBeGreaterThanOrEqual(8);
  });
});
