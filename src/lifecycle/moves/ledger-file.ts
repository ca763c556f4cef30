import { readFile } from "node:fs/promises";
import { z } from "zod";
import { writeFileAtomic } from "../../support/write-file.ts";
import type { CastleHome } from "../home.ts";
import { EMPTY_LEDGER, type Ledger } from "./ledger.ts";
import { parsedJson } from "../../support/json.ts";

const lease = z.object({
  name: z.string(),
  role: z.enum(["controlplane", "worker"]),
  address: z.string(),
  mac: z.string(),
  vmid: z.int(),
});

const fileShape = z.object({
  version: z.literal(1),
  leases: z.array(lease),
  quarantine: z.array(lease.extend({ since: z.string() })),
  unfinished: z
    .discriminatedUnion("verb", [
      z.object({ verb: z.literal("replace"), node: z.string(), removed: z.boolean() }),
      z.object({
        verb: z.literal("scale"),
        controlPlanes: z.int(),
        workers: z.int(),
        leaving: z.array(z.string()),
      }),
      z.object({ verb: z.literal("ghosts"), node: z.string() }),
      z.object({ verb: z.literal("restore"), backup: z.string() }),
    ])
    .optional(),
  edits: z.array(z.object({ before: z.string(), after: z.string() })).optional(),
});

/**
 * The castle's ledger. A cache like all of the castle's home: a file that is missing or cannot be read is an empty one,
 * and what etcd, discovery and Kubernetes remember is asked of themselves.
 */
export async function readLedger({ ledger }: Pick<CastleHome, "ledger">): Promise<Ledger> {
  const text = await readFile(ledger, "utf8").catch(() => "");
  const parsed = fileShape.safeParse(parsedJson(text));
  if (!parsed.success) return EMPTY_LEDGER;
  const { version: _version, ...found } = parsed.data;
  return found;
}

export async function writeLedger({ ledger }: Pick<CastleHome, "ledger">, content: Ledger): Promise<void> {
  await writeFileAtomic(ledger, `${JSON.stringify({ version: 1, ...content }, undefined, 2)}\n`);
}

/** Reads, changes and writes it; the castle's lock keeps others out meanwhile. */
export async function changeLedger(
  home: Pick<CastleHome, "ledger">,
  change: (ledger: Ledger) => Ledger,
): Promise<void> {
  const before = await readLedger(home);
  await writeLedger(home, change(before));
}
