import { createHash } from "node:crypto";
import type { Role } from "./castle.ts";

/** fortress-cp-1, fortress-worker-1: the index counts from 0, the name from 1. */
export function nodeName(castle: string, role: Role, index: number): string {
  return `${castle}-${role === "controlplane" ? "cp" : "worker"}-${index + 1}`;
}

/** The first worker's VM id is this much above the first control plane's: neither group moves the other. */
const WORKERS_OFFSET = 100;
/** Derived ids are blocks of 1000 from 100000 to 999000: six digits, far from the ids that people give. */
const BLOCKS = 900;

/**
 * The VM id of a node. A castle has a block of its own: its first id is `from`, or derived from the castle's
 * name; two names share a block once in 900. The ids of a node never change while it keeps its name.
 */
export function vmId(castle: string, node: { role: Role; index: number }, from?: number): number {
  const first = from ?? (100 + (hash(castle).readUInt32BE(0) % BLOCKS)) * 1000;
  return first + (node.role === "worker" ? WORKERS_OFFSET : 0) + node.index;
}

/**
 * One MAC a name, with Proxmox' own prefix. Derived, so that losing every state brings back the same ones. Two
 * names of one castle whose hashes meet are told apart in their order.
 */
export function macAddresses(castle: string, names: readonly string[]): ReadonlyMap<string, string> {
  const taken = new Set<string>();
  return new Map(
    names.map((name) => {
      let attempt = 0;
      let mac = macAddress(castle, name, attempt);
      while (taken.has(mac)) mac = macAddress(castle, name, ++attempt);
      taken.add(mac);
      return [name, mac];
    }),
  );
}

function macAddress(castle: string, name: string, attempt: number): string {
  const tail = hash(`${castle}/${name}${attempt === 0 ? "" : `/${attempt}`}`)
    .subarray(0, 3)
    .toString("hex");
  return `BC:24:11:${tail.replaceAll(/(..)(?=.)/g, "$1:")}`.toUpperCase();
}

function hash(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
