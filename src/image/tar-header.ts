import { contentSize, type TarEntry } from "./tar-entry.ts";

const BLOCK = 512;
const NAME = 100;
const PREFIX = 155;
/** The largest number that eleven octal digits hold: 8 GiB - 1. */
const OCTAL_LIMIT = 0o77777777777;

const typeFlag = { file: "0", hardlink: "1", symlink: "2", directory: "5" } as const;

/**
 * The header blocks of an entry: ustar, preceded by a pax record where a name or size does not fit.
 * Owner root, time 0 unless the entry says one: two archives of the same tree are the same bytes.
 */
export function tarHeader(entry: TarEntry): Uint8Array {
  const path = entry.type === "directory" ? `${entry.path}/` : entry.path;
  const target = entry.type === "symlink" || entry.type === "hardlink" ? entry.target : "";
  const size = entry.type === "file" ? contentSize(entry.content) : 0;
  const mode = entry.type === "symlink" ? 0o777 : entry.type === "hardlink" ? 0o644 : entry.mode;
  const split = splitPath(path);
  const pax: string[] = [];
  if (split === undefined) pax.push(paxRecord("path", path));
  if (Buffer.byteLength(target) > NAME) pax.push(paxRecord("linkpath", target));
  if (size > OCTAL_LIMIT) pax.push(paxRecord("size", String(size)));
  const header = block({
    ...(split ?? { prefix: "", name: cut(path) }),
    mode,
    size: size > OCTAL_LIMIT ? 0 : size,
    modified: entry.type === "file" ? (entry.modified ?? 0) : 0,
    flag: typeFlag[entry.type],
    target: cut(target),
  });
  return pax.length === 0 ? header : Buffer.concat([paxBlocks(pax.join("")), header]);
}

const ZEROS = new Uint8Array(BLOCK);

/** Zeros that fill up the last block of `size` bytes of content. Not to be written to. */
export function tarPadding(size: number): Uint8Array {
  return ZEROS.subarray(0, (BLOCK - (size % BLOCK)) % BLOCK);
}

/** Two empty blocks end an archive. */
export function tarEnd(): Uint8Array {
  return new Uint8Array(2 * BLOCK);
}

interface HeaderFields {
  readonly prefix: string;
  readonly name: string;
  readonly mode: number;
  readonly size: number;
  readonly modified: number;
  readonly flag: string;
  readonly target: string;
}

function block(fields: HeaderFields): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.write(fields.name, 0, NAME, "utf8");
  header.write(octal(fields.mode & 0o7777, 7), 100, "latin1");
  header.write(octal(0, 7), 108, "latin1");
  header.write(octal(0, 7), 116, "latin1");
  header.write(octal(fields.size, 11), 124, "latin1");
  header.write(octal(fields.modified, 11), 136, "latin1");
  header.write(" ".repeat(8), 148, "latin1");
  header.write(fields.flag, 156, "latin1");
  header.write(fields.target, 157, NAME, "utf8");
  header.write("ustar\u000000", 257, "latin1");
  header.write(fields.prefix, 345, PREFIX, "utf8");
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${sum.toString(8).padStart(6, "0")}\u0000 `, 148, "latin1");
  return header;
}

function paxBlocks(records: string): Buffer {
  const content = Buffer.from(records);
  const header = block({
    prefix: "",
    name: "pax",
    mode: 0o644,
    size: content.byteLength,
    modified: 0,
    flag: "x",
    target: "",
  });
  return Buffer.concat([header, content, tarPadding(content.byteLength)]);
}

/** `LENGTH key=value\n`, where LENGTH counts itself. */
function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest;
  while (length !== rest + String(length).length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}

function splitPath(path: string): { prefix: string; name: string } | undefined {
  if (Buffer.byteLength(path) <= NAME) return { prefix: "", name: path };
  for (let at = path.indexOf("/"); at > 0; at = path.indexOf("/", at + 1)) {
    const prefix = path.slice(0, at);
    const name = path.slice(at + 1);
    if (name !== "" && Buffer.byteLength(name) <= NAME && Buffer.byteLength(prefix) <= PREFIX) {
      return { prefix, name };
    }
  }
  return undefined;
}

function octal(value: number, digits: number): string {
  return `${value.toString(8).padStart(digits, "0")}\u0000`;
}

/** The text where it fits; else what stands in the ustar field while a pax record holds the whole. */
function cut(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.byteLength <= NAME) return text;
  return bytes
    .subarray(0, NAME)
    .toString("latin1")
    .replace(/[^\x20-\x7e]/g, "_");
}
