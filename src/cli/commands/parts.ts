import { buildCommand, buildRouteMap } from "@stricli/core";
import { answer } from "../answer.ts";
import type { Context } from "../context.ts";
import {
  type OutputFlags,
  type YesFlags,
  aliases,
  installToolsFlag,
  outputFlag,
  yesFlag,
  off,
} from "../flags.ts";
import type { PartsChoice } from "../parts-session.ts";

const partsFlags = {
  ...outputFlag,
  file: {
    kind: "parsed",
    parse: String,
    brief: "The castle whose parts are meant; castle.yaml if it is here, else what every lab needs",
    placeholder: "FILE",
    optional: true,
  },
  all: off("The parts of every castle: with platform and monitoring"),
} as const;

interface PartsFlags extends OutputFlags, PartsChoice {}

const archiveParameter = {
  kind: "tuple",
  parameters: [{ parse: String, brief: "Archive: .tar, .tar.gz, .tgz or .tar.zst", placeholder: "ARCHIVE" }],
} as const;

const listCommand = buildCommand({
  docs: {
    brief: "List the parts that a lab is made of and where each stands",
    fullDescription: "Trusts sizes and times of the stored files; castle parts verify reads every byte.",
  },
  parameters: { flags: partsFlags, aliases },
  async func(this: Context, { output, ...choice }: PartsFlags) {
    await answer(this, output, async () => {
      const { listParts } = await import("../parts-commands.ts");
      return listParts(this, choice);
    });
  },
});

const verifyCommand = buildCommand({
  docs: {
    brief: "Read every byte of every stored part and compare its hash",
    fullDescription: "Exit code 3 where a wanted part is missing or any part is not what was stored.",
  },
  parameters: { flags: partsFlags, aliases },
  async func(this: Context, { output, ...choice }: PartsFlags) {
    await answer(this, output, async (report) => {
      const { verifyParts } = await import("../parts-commands.ts");
      return verifyParts(this, report, choice);
    });
  },
});

interface BuildFlags extends PartsFlags {
  readonly installTools: boolean;
  readonly keepCaches: boolean;
}

const buildPartsCommand = buildCommand({
  docs: {
    brief: "Build the parts that are missing",
    fullDescription:
      "Builds what is missing from pinned Go modules, in dependency order. Each finished part is kept: a build that was killed goes on where it was.",
  },
  parameters: {
    flags: {
      ...partsFlags,
      ...installToolsFlag,
      keepCaches: off("Keep Go's caches for the next build (up to 12 GiB), even where space is short"),
    },
    aliases,
  },
  async func(this: Context, { output, ...flags }: BuildFlags) {
    await answer(this, output, async (report) => {
      const { buildParts } = await import("../parts-commands.ts");
      return buildParts(this, report, flags);
    });
  },
});

const pullCommand = buildCommand({
  docs: {
    brief: "Take the official images instead of building them",
    fullDescription:
      "For machines that reach the official registries: what the nodes run, Talos' own image as the nodes' root file system, and talosctl, kubectl, etcdctl, the registry, CoreDNS and pebble out of theirs. Parts without an official image (runc, the Terraform provider, castle's own) are left to castle parts build.",
  },
  parameters: { flags: partsFlags, aliases },
  async func(this: Context, { output, ...choice }: PartsFlags) {
    await answer(this, output, async (report) => {
      const { pullOfficial } = await import("../parts-commands.ts");
      return pullOfficial(this, report, choice);
    });
  },
});

const exportCommand = buildCommand({
  docs: {
    brief: "Write the parts into one file, for a machine that cannot build them",
    fullDescription:
      "The file's name says how it is packed. The file is good for the same castle version and processor.",
  },
  parameters: { flags: partsFlags, aliases, positional: archiveParameter },
  async func(this: Context, { output, ...choice }: PartsFlags, archive: string) {
    await answer(this, output, async (report) => {
      const { exportToFile } = await import("../parts-commands.ts");
      return exportToFile(this, report, { ...choice, archive });
    });
  },
});

const importCommand = buildCommand({
  docs: {
    brief: "Take the parts of an exported file into the store",
    fullDescription: "Every part's hash is checked before it is taken in.",
  },
  parameters: { flags: outputFlag, aliases: { o: "output" }, positional: archiveParameter },
  async func(this: Context, flags: OutputFlags, archive: string) {
    await answer(this, flags.output, async (report) => {
      const { importFromFile } = await import("../parts-commands.ts");
      return importFromFile(this, report, archive);
    });
  },
});

const pruneCommand = buildCommand({
  docs: {
    brief: "Remove what other versions of castle left in the store",
    fullDescription:
      "Removes stored parts that this castle's list does not name, which are mostly those of earlier versions. What labs on this machine use stays. Another castle on this machine that shares the store would have to build its parts again.",
  },
  parameters: { flags: { ...outputFlag, ...yesFlag }, aliases: { o: "output", y: "yes" } },
  async func(this: Context, { output, yes }: OutputFlags & YesFlags) {
    await answer(this, output, async () => {
      const { pruneParts } = await import("../parts-commands.ts");
      return pruneParts(this, yes);
    });
  },
});

export const partsRoutes = buildRouteMap<string, Context>({
  docs: {
    brief: "What a lab is made of: build, pull, carry, check",
    fullDescription:
      "Parts are the programs and images that a lab consists of. They are kept by content hash in the user's cache (CASTLE_PARTS, or castle/parts under XDG_CACHE_HOME) and shared by all labs.",
  },
  routes: {
    list: listCommand,
    build: buildPartsCommand,
    pull: pullCommand,
    export: exportCommand,
    import: importCommand,
    verify: verifyCommand,
    prune: pruneCommand,
  },
});
