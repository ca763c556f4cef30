import { exists } from "../../support/exists.ts";
import { readFile } from "node:fs/promises";
import { CastleError } from "../../errors/castle-error.ts";
import { run } from "../../support/run.ts";

/** Something of the kernel that machines need; as a rule also the name of the module that holds it. */
export interface KernelFeature {
  readonly module: string;
  /** Why a machine needs it, for the error's reader. */
  readonly purpose: string;
  /** True if the kernel has it now, whether loaded or built in. */
  readonly isPresent: () => Promise<boolean>;
}

const kernelFeatures: readonly KernelFeature[] = [
  { module: "overlay", purpose: "root file systems", isPresent: () => hasFileSystem("overlay") },
  { module: "veth", purpose: "network cards", isPresent: () => canMakeLink("veth") },
  { module: "bridge", purpose: "the LAN", isPresent: () => canMakeLink("bridge") },
  { module: "vxlan", purpose: "the pods' network", isPresent: () => canMakeVxlan() },
  {
    module: "br_netfilter",
    purpose: "service addresses between pods of one machine",
    isPresent: () => exists("/proc/sys/net/bridge"),
  },
  {
    module: "nf_conntrack",
    purpose: "service addresses",
    isPresent: () => exists("/proc/sys/net/netfilter/nf_conntrack_max"),
  },
  { module: "nf_tables", purpose: "packet filters", isPresent: () => hasSymbol("nft_do_chain") },
  { module: "fuse", purpose: "/dev/fuse in machines", isPresent: () => exists("/dev/fuse") },
  { module: "tun", purpose: "/dev/net/tun in machines", isPresent: () => exists("/dev/net/tun") },
];

/**
 * Checks by doing, not by a list of modules: a built-in one is in no list. What is missing is loaded.
 * @throws CastleError lan/kernel-feature-missing, naming all that are missing
 */
export async function ensureKernelFeatures(
  features: readonly KernelFeature[] = kernelFeatures,
): Promise<void> {
  const missing = (await Promise.all(features.map((feature) => isMissing(feature)))).filter(
    (feature) => feature !== undefined,
  );
  if (missing.length === 0) return;
  const list = missing.map(({ module, purpose }) => `${module} (${purpose})`).join(", ");
  throw new CastleError("lan/kernel-feature-missing", {
    message: `the kernel lacks ${list}, and modprobe could not load ${missing.length === 1 ? "it" : "them"}`,
    hint: `run: modprobe -a ${missing.map(({ module }) => module).join(" ")}`,
    details: { missing: missing.map(({ module }) => module) },
  });
}

async function isMissing(feature: KernelFeature): Promise<KernelFeature | undefined> {
  if (await feature.isPresent()) return undefined;
  try {
    await run("modprobe", [feature.module], { timeout: 20_000 });
  } catch (error) {
    if (!(error instanceof CastleError)) throw error;
    return feature;
  }
  return (await feature.isPresent()) ? undefined : feature;
}

async function hasFileSystem(name: string): Promise<boolean> {
  const list = await readFile("/proc/filesystems", "utf8");
  return list.split("\n").some((line) => line.split("\t")[1] === name);
}

/** Tries it in a network namespace that lives as long as the command. */
async function canMakeLink(type: string, ...options: string[]): Promise<boolean> {
  const args = ["--net", "ip", "link", "add", "probe0", "type", type, ...options];
  const done = await run("unshare", args, { accept: [1, 2], timeout: 10_000 });
  return done.exitCode === 0;
}

async function canMakeVxlan(): Promise<boolean> {
  return canMakeLink("vxlan", "id", "1", "dstport", "8472");
}

/** The list is 10 MB long: grep stops at the first hit, and this process goes on meanwhile. */
async function hasSymbol(symbol: string): Promise<boolean> {
  const args = ["-qwm1", symbol, "/proc/kallsyms"];
  return (await run("grep", args, { accept: [1, 2], timeout: 10_000 })).exitCode === 0;
}
