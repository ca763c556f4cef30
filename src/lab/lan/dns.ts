import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import { CastleError } from "../../errors/castle-error.ts";
import { writeFileAtomic } from "../../support/write-file.ts";
import type { Program } from "./supervised-process.ts";

export interface DnsOptions {
  /** Path of the CoreDNS binary. */
  readonly program: string;
  readonly host: string;
  readonly port: number;
  /** File of names in the lab's state; `writeHosts` rewrites it while the server runs. */
  readonly hosts: string;
  /** Folder for its config. */
  readonly run: string;
  readonly namespace?: string;
}

/** Names to addresses. */
export type Hosts = Readonly<Record<string, readonly string[]>>;

/**
 * Writes the LAN's name server's config and says how to run it. It knows the names in the hosts file, forward and
 * reverse, and answers NXDOMAIN to everything else: nothing of the lab is asked of the internet.
 */
export async function dnsProgram(options: DnsOptions): Promise<Program> {
  const nothing = join(options.run, "nothing.zone");
  const config = join(options.run, "Corefile");
  // The hosts plugin alone answers SERVFAIL to unknown names, which resolvers try again; an empty root zone says no.
  await writeFileAtomic(nothing, "@ 5 IN SOA lan. nobody.lan. 1 3600 600 86400 5\n@ 5 IN NS lan.\n");
  await writeFileAtomic(
    config,
    `.:${options.port} {
    bind ${options.host}
    errors
    hosts ${options.hosts} {
        ttl 5
        reload 200ms
        fallthrough
    }
    file ${nothing} . {
        reload 0
    }
}
`,
  );
  return {
    name: "dns",
    command: [options.program, "-conf", config],
    ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
  };
}

/**
 * Replaces the names that the LAN knows; the server reads them within a second.
 * @throws CastleError lan/name-invalid
 */
export async function writeHosts(file: string, hosts: Hosts): Promise<void> {
  const lines = Object.entries(hosts)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, addresses]) => addresses.map((address) => hostLine(name, address)));
  await writeFileAtomic(file, lines.join(""));
}

/** Adds names to those that an earlier daemon wrote. @throws CastleError lan/name-invalid */
export async function addHosts(file: string, hosts: Hosts): Promise<void> {
  const text = await readFile(file, "utf8").catch(() => "");
  const found = new Map<string, string[]>();
  for (const line of text.split("\n").filter((line) => line !== "")) {
    const [address = "", name = ""] = line.split(" ");
    found.set(name, [...(found.get(name) ?? []), address]);
  }
  await writeHosts(file, { ...Object.fromEntries(found), ...hosts });
}

function hostLine(name: string, address: string): string {
  if (isIP(address) === 0 || !/^[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9])?$/i.test(name)) {
    throw new CastleError("lan/name-invalid", {
      message: `the LAN's name server cannot say that "${name}" is at "${address}"`,
    });
  }
  return `${address} ${name}\n`;
}
