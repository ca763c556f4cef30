import { LineCounter, parseDocument, stringify } from "yaml";
import { z } from "zod";
import type { SiteBuild, SiteLock } from "../release.ts";

/** The file in the site's folder. */
export const LOCK_FILE = "castle.lock";

const output = z
  .string()
  .regex(/^(?!\/)(?!.*(?:^|\/)\.\.(?:\/|$)).+$/, "a folder inside the repository, such as dist");

const shape = z
  .strictObject({
    layout: z.literal(1, "1: the one layout that this castle knows"),
    base: z
      .string("an image with its digest")
      .regex(
        /^[a-z0-9.-]+(?::[0-9]+)?\/[a-z0-9._/-]+@sha256:[0-9a-f]{64}$/,
        "an image with its digest: REGISTRY/REPOSITORY@sha256:…",
      ),
    build: z.union(
      [z.enum(["hugo", "none"]), z.array(z.string()).min(1)],
      "hugo, none, or a command as a list: [npm, run, build]",
    ),
    hugo: z
      .string("a version in quotes")
      .regex(/^\d+\.\d+\.\d+$/, "an exact version, such as 0.165.0")
      .optional(),
    output: output.optional(),
    notSecret: z.array(z.string(), "a list of PATH: RULE").optional(),
  })
  .refine(({ build, hugo }) => (build === "hugo") === (hugo !== undefined), {
    path: ["hugo"],
    error: "the version of Hugo with `build: hugo`, and only there",
  })
  .refine(({ build, output }) => Array.isArray(build) === (output !== undefined) || build === "none", {
    path: ["output"],
    error: "the folder that the command leaves the pages in; Hugo needs none",
  });

export interface LockFault {
  readonly line: number;
  readonly message: string;
}

export type ParsedLock =
  | { readonly ok: true; readonly lock: SiteLock }
  | { readonly ok: false; readonly faults: readonly LockFault[] };

export function parseSiteLock(text: string): ParsedLock {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0) {
    const faults = document.errors.map(({ pos, message }) => ({
      line: lines.linePos(pos[0]).line,
      message: message.split("\n")[0] ?? message,
    }));
    return { ok: false, faults };
  }
  const parsed = shape.safeParse(document.toJS());
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => {
      const node: unknown = document.getIn(
        path.map((key) => (typeof key === "number" ? key : String(key))),
        true,
      );
      const range = hasRange(node) ? node.range : undefined;
      return {
        line: range === undefined ? 1 : lines.linePos(range[0]).line,
        message: `${path.join(".") || "the file"}: ${message}`,
      };
    });
    return { ok: false, faults };
  }
  const { build, output: folder, hugo, notSecret, ...rest } = parsed.data;
  return {
    ok: true,
    lock: {
      ...rest,
      build: siteBuild(build, folder ?? "."),
      ...(hugo === undefined ? {} : { hugo }),
      ...(notSecret === undefined ? {} : { notSecret }),
    },
  };
}

function siteBuild(build: "hugo" | "none" | string[], folder: string): SiteBuild {
  if (build === "hugo") return { kind: "hugo" };
  if (build === "none") return { kind: "none", output: folder };
  return { kind: "command", command: build, output: folder };
}

function hasRange(node: unknown): node is { range: readonly [number, number, number] } {
  return typeof node === "object" && node !== null && "range" in node && Array.isArray(node.range);
}

/** What the file says, for people first; `parseSiteLock` reads the same back. */
export function renderSiteLock({ build, ...lock }: SiteLock): string {
  const fields = {
    layout: lock.layout,
    base: lock.base,
    build: build.kind === "command" ? build.command : build.kind,
    ...(lock.hugo === undefined ? {} : { hugo: lock.hugo }),
    ...(build.kind === "hugo" ? {} : { output: build.output }),
    ...(lock.notSecret === undefined ? {} : { notSecret: lock.notSecret }),
  };
  return `# What a release of this site hangs on besides its commit. Written by castle publish --lock; commit it.\n${stringify(fields, { lineWidth: 0 })}`;
}
