import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join, posix } from "node:path";
import type { ReleaseFile } from "../release.ts";
import { type OutputFault, outputError } from "./output-fault.ts";
import { secretName, secretsIn } from "./secret-rules.ts";
import { sha256 } from "../../support/sha256.ts";

/** What a site's program left, looked through. Sorted by path, byte order. */
export interface OutputTree {
  readonly folder: string;
  readonly files: readonly ReleaseFile[];
  /** Links that stay inside. */
  readonly links: readonly { readonly path: string; readonly target: string }[];
}

export interface OutputOptions {
  readonly folder: string;
  /** Paths of this machine that no page may name. */
  readonly machinePaths: readonly string[];
  /** "PATH: RULE" of what is no secret. */
  readonly notSecret?: readonly string[];
  /** Names at the top that are the repository's and not the site's. */
  readonly leftOut?: ReadonlySet<string>;
  /** Is given each file, so that nobody has to read it a second time. */
  readonly onFile?: (path: string, content: Uint8Array) => void;
}

/**
 * Lists, hashes and looks through what would be published. Reads thousands of small files one after the other: waiting
 * for each would take longer than reading them.
 * @throws CastleError build/secret, build/hidden-file, build/unsafe-file, build/case-collision, build/machine-path
 */
export function readOutput(options: OutputOptions): OutputTree {
  const { folder, machinePaths } = options;
  const found: Found = { files: [], links: [], faults: [] };
  // A program that made nothing is told by its pages, not by a missing folder.
  if (existsSync(folder)) walk(options, "", found);
  const files = found.files.map((path): ReleaseFile => {
    const content = readFileSync(join(folder, path));
    options.onFile?.(path, content);
    for (const rule of secretsIn(content)) {
      if (options.notSecret?.includes(`${path}: ${rule}`) === true) continue;
      found.faults.push({ code: "build/secret", path, why: rule });
    }
    if (machinePaths.some((name) => content.includes(name))) {
      found.faults.push({ code: "build/machine-path", path, why: "names the folder that it was built in" });
    }
    return { path, sha256: sha256(content), bytes: content.byteLength };
  });
  found.faults.push(...collisions([...found.files, ...found.links.map(({ path }) => path)]));
  const [first, ...others] = found.faults.toSorted((a, b) => byBytes(a.path, b.path));
  if (first !== undefined) throw outputError([first, ...others]);
  return { folder, files: files.toSorted(byPath), links: found.links.toSorted(byPath) };
}

interface Found {
  readonly files: string[];
  readonly links: { readonly path: string; readonly target: string }[];
  readonly faults: OutputFault[];
}

function walk(options: OutputOptions, below: string, found: Found): void {
  for (const entry of readdirSync(join(options.folder, below), { withFileTypes: true })) {
    const { name } = entry;
    if (below === "" && options.leftOut?.has(name) === true) continue;
    const path = below === "" ? name : `${below}/${name}`;
    const rule = secretName(path);
    if (rule !== undefined) {
      found.faults.push({ code: "build/secret", path, why: rule });
    } else if (name.startsWith(".") && path !== ".well-known") {
      found.faults.push({ code: "build/hidden-file", path, why: "is a hidden file" });
    } else if (entry.isDirectory()) {
      walk(options, path, found);
    } else if (entry.isSymbolicLink()) {
      addLink(options.folder, path, found);
    } else if (!entry.isFile()) {
      found.faults.push({ code: "build/unsafe-file", path, why: "is a device, socket or pipe" });
    } else if ((lstatSync(join(options.folder, path)).mode & 0o6000) !== 0) {
      found.faults.push({ code: "build/unsafe-file", path, why: "is setuid or setgid" });
    } else {
      found.files.push(path);
    }
  }
}

function addLink(folder: string, path: string, { links, faults }: Found): void {
  const target = readlinkSync(join(folder, path));
  const end = posix.join(posix.dirname(path), target);
  if (target.startsWith("/") || end === ".." || end.startsWith("../")) {
    faults.push({ code: "build/unsafe-file", path, why: "is a link that leaves the site" });
  } else {
    links.push({ path, target });
  }
}

/** Two names that a file system or a reader without an eye for case takes for one; folders count as well. */
export function collisions(paths: readonly string[]): OutputFault[] {
  const seen = new Map<string, string>();
  const faults = new Map<string, OutputFault>();
  for (const path of paths) {
    const parts = path.split("/");
    for (let length = 1; length <= parts.length; length += 1) {
      const name = parts.slice(0, length).join("/");
      const folded = name.normalize("NFC").toLowerCase();
      const other = seen.get(folded);
      if (other === undefined) seen.set(folded, name);
      else if (other !== name) {
        faults.set(name, { code: "build/case-collision", path: name, why: `is ${other} but for its case` });
        break;
      }
    }
  }
  return [...faults.values()];
}

function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return byBytes(a.path, b.path);
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
