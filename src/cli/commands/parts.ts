import { buildCommand, buildRouteMap } from "@stricli/core";
import { answer } from "../answer.ts";
import type { Context } from "../context.ts";
import { type OutputFlags, installToolsFlag, outputFlag } from "../flags.ts";

const aliases = { o: "output" } as const;
const fileParameter = {
  kind: "tuple",
  parameters: [{ parse: String, brief: "Archive: .tar, .tar.gz, .tgz or .tar.zst", placeholder: "FILE" }],
} as const;

const listCommand = buildCommand({
  docs: {
    brief: "List the parts that a lab is made of and where each stands",
    fullDescription: "Trusts sizes and times of the stored files; castle parts verify reads every byte.",
  },
  parameters: { flags: outputFlag, aliases },
  async func(this: Context, flags: OutputFlags) {
    await answer(this, flags.output, async () => {
      const { listParts } = await import("../parts-commands.ts");
      return listParts(this);
    });
  },
});

const verifyCommand = buildCommand({
  docs: {
    brief: "Read every byte of every stored part and compare its hash",
    fullDescription: "Exit code 3 where a wanted part is missing or any part is not what was stored.",
  },
  parameters: { flags: outputFlag, aliases },
  async func(this: Context, flags: OutputFlags) {
    await answer(this, flags.output, async (report) => {
      const { verifyParts } = await import("../parts-commands.ts");
      return verifyParts(this, report);
    });
  },
});

interface BuildFlags extends OutputFlags {
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
      ...outputFlag,
      ...installToolsFlag,
      keepCaches: {
        kind: "boolean",
        brief: "Keep Go's caches for the next build (up to 12 GiB)",
        default: false,
        withNegated: false,
      },
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
      "For machines that reach the official registries: what the nodes run, and Talos' own image as the nodes' root file system. Programs that have no image are left to castle parts build.",
  },
  parameters: { flags: outputFlag, aliases },
  async func(this: Context, flags: OutputFlags) {
    await answer(this, flags.output, async (report) => {
      const { pullOfficial } = await import("../parts-commands.ts");
      return pullOfficial(this, report);
    });
  },
});

const exportCommand = buildCommand({
  docs: {
    brief: "Write the parts into one file, for a machine that cannot build them",
    fullDescription:
      "The file's name says how it is packed. The file is good for the same castle version and processor.",
  },
  parameters: { flags: outputFlag, aliases, positional: fileParameter },
  async func(this: Context, flags: OutputFlags, file: string) {
    await answer(this, flags.output, async (report) => {
      const { exportToFile } = await import("../parts-commands.ts");
      return exportToFile(this, report, file);
    });
  },
});

const importCommand = buildCommand({
  docs: {
    brief: "Take the parts of an exported file into the store",
    fullDescription: "Every part's hash is checked before it is taken in.",
  },
  parameters: { flags: outputFlag, aliases, positional: fileParameter },
  async func(this: Context, flags: OutputFlags, file: string) {
    await answer(this, flags.output, async (report) => {
      const { importFromFile } = await import("../parts-commands.ts");
      return importFromFile(this, report, file);
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
  },
});
