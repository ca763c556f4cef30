import { createSocket } from "node:dgram";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { poll } from "../../support/poll.ts";
import { run } from "../../support/run.ts";

const CARDS = "/proc/sys/net/ipv4/neigh";
/** Milliseconds that a machine of the same network has to answer. */
const ANSWER = 250;
/** Milliseconds that the kernel's log of answers has to open. */
const OPENING = 3_000;
/** An address of no network, for documentation: RFC 5737. */
const MARK = "192.0.2.1";

/**
 * Asks by ARP who holds each address on the networks of the namespace that this process runs in, and takes down everybody
 * who answers: two MAC addresses are two machines on one address. The kernel keeps the first answer only and ignores
 * others for a second; while this asks, each of them counts, and the kernel's own log tells all.
 * @returns every address with its holders' MAC addresses, upper case, sorted
 */
export async function findHolders(addresses: readonly string[]): Promise<Readonly<Record<string, string[]>>> {
  const heard = new Map(addresses.map((address) => [address, new Set<string>()]));
  const cards = Object.entries(networkInterfaces()).flatMap(([name, held]) =>
    (held ?? []).map(({ address, mac }) => ({ name, address, mac })),
  );
  for (const { address, mac } of cards) heard.get(address)?.add(mac.toUpperCase());
  const card = cards.find(({ name, address }) => name !== "lo" && address.includes("."))?.name;
  if (card === undefined || addresses.length === 0) return told(heard);
  const restore = await countEveryAnswer();
  const log = execa("ip", ["-o", "monitor", "neigh"], { reject: false, buffer: false, timeout: 10_000 });
  let text = "";
  log.stdout.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
  try {
    await opened(card, () => text);
    // The kernel answers from what it knows, and asks only where it knows nothing.
    const flushes = addresses.map((address) => `neigh flush to ${address}`);
    await run("ip", ["-force", "-batch", "-"], { input: `${flushes.join("\n")}\n`, accept: [1, 2, 255] });
    text = "";
    await askAll(addresses);
    // Nobody says that he is the last to answer.
    await delay(ANSWER);
  } finally {
    log.kill();
    await log;
    await restore();
  }
  for (const [, address = "", mac = ""] of text.matchAll(/^(\S+) dev \S+ lladdr (\S+) /gm)) {
    heard.get(address)?.add(mac.toUpperCase());
  }
  return told(heard);
}

/** A change that is made and seen proves that the log is open. */
async function opened(card: string, log: () => string): Promise<void> {
  const change = `neigh replace ${MARK} lladdr 02:00:00:00:00:01 dev ${card} nud permanent\nneigh del ${MARK} dev ${card}\n`;
  await poll(
    async () => {
      await run("ip", ["-batch", "-"], { input: change });
      return log().includes(`${MARK} `) ? true : undefined;
    },
    { every: 10, within: OPENING, onTimeout: () => new Error("the kernel's log of neighbours did not open") },
  );
}

/** Any datagram makes the kernel ask for the address; port 9 discards it. */
async function askAll(addresses: readonly string[]): Promise<void> {
  const socket = createSocket("udp4");
  try {
    socket.on("error", () => undefined);
    await Promise.all(
      addresses.map(
        (address) => new Promise<void>((resolve) => socket.send("", 9, address, () => resolve())),
      ),
    );
  } finally {
    socket.close();
  }
}

/** Below zero: also two answers of the same instant. @returns what puts the old patience back */
async function countEveryAnswer(): Promise<() => Promise<void>> {
  const files = (await readdir(CARDS)).map((card) => join(CARDS, card, "locktime"));
  const before = await Promise.all(files.map(async (file) => [file, await readFile(file, "utf8")] as const));
  await Promise.all(files.map((file) => writeFile(file, "-1")));
  return async () => {
    await Promise.all(before.map(([file, value]) => writeFile(file, value.startsWith("-") ? "100" : value)));
  };
}

function told(heard: ReadonlyMap<string, ReadonlySet<string>>): Record<string, string[]> {
  return Object.fromEntries([...heard].map(([address, macs]) => [address, [...macs].sort()]));
}
