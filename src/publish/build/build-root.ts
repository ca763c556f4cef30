import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { availableMemory } from "node:process";
import type { SiteLock, SourceFacts } from "../release.ts";

const MIB = 1024 * 1024;
/** Linux' magic number of a file system in memory (linux/magic.h). */
const TMPFS = 0x01021994;
/** What tree, pages, their compressed copies and the image weigh together, in sources. */
const FACTOR = 8;
/** Bytes that any build takes. */
const LEAST = 64 * MIB;
/** Bytes that no build takes of the memory: a large one has more to do than to make files. */
const MOST = 512 * MIB;
/** A build takes one part of what is free, at most. */
const SHARE = 4;

interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where Linux has a file system in memory. */
  readonly memory?: string;
  /** Bytes. */
  readonly available?: number;
}

/**
 * The folder that a build's own folder belongs into: in memory where the site is small and memory plenty, because making
 * thousands of files on a disk can take longer than Hugo itself (docs/decisions/build-in-memory.md). A site's own program
 * may write as much as it likes, so it has the disk; whoever sets TMPDIR has chosen.
 */
export async function buildRoot(
  { bytes }: Pick<SourceFacts, "bytes">,
  { build }: Pick<SiteLock, "build">,
  { environment, memory = "/dev/shm", available = availableMemory() }: Surroundings,
): Promise<string> {
  const room = bytes * FACTOR + LEAST;
  const told = environment["TMPDIR"] ?? "";
  if (told !== "" || build.kind === "command" || room > MOST || room * SHARE > available) return tmpdir();
  const system = await statfs(memory).catch(() => undefined);
  const isRoomy = system?.type === TMPFS && system.bavail * system.bsize >= room * SHARE;
  return isRoomy ? memory : tmpdir();
}
