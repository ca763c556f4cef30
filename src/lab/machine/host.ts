import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";

/** What the host allows its machines. */
export interface MachineHost {
  /** Names as the OCI specification writes them, CAP_…, in the kernel's order. */
  readonly capabilities: readonly string[];
  /** Hard limit of open files. */
  readonly openFiles: number;
  readonly cores: number;
}

/** In the order of their bits, linux/capability.h. */
const CAPABILITIES =
  `CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE
SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL
SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`
    .split(/\s+/)
    .map((name) => `CAP_${name}`);

/** What Talos itself asks for on a real machine (its SetRLimit task, which container mode leaves out). */
const TALOS_OPEN_FILES = 1_048_576;

export async function observeHost(): Promise<MachineHost> {
  const [status, limits] = await Promise.all([
    readFile("/proc/self/status", "utf8"),
    readFile("/proc/self/limits", "utf8"),
  ]);
  const capabilities = effectiveCapabilities(status);
  return {
    capabilities,
    openFiles: openFilesLimit(limits, capabilities),
    cores: availableParallelism(),
  };
}

/** @param status content of /proc/PID/status */
export function effectiveCapabilities(status: string): readonly string[] {
  const mask = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  return CAPABILITIES.filter((_, bit) => (mask >> BigInt(bit)) & 1n);
}

/** @param limits content of /proc/PID/limits */
export function openFilesLimit(limits: string, capabilities: readonly string[]): number {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(limits)?.[1];
  const allowed = hard === undefined || hard === "unlimited" ? TALOS_OPEN_FILES : Number(hard);
  return capabilities.includes("CAP_SYS_RESOURCE") ? Math.max(allowed, TALOS_OPEN_FILES) : allowed;
}
