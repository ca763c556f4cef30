/** How the values of a configuration key are checked on the way in and shown on the way out. */
type OptionKind = "boolean" | "number" | "text";

const BOOLEANS = [
  "acpi",
  "autostart",
  "kvm",
  "localtime",
  "numa",
  "onboot",
  "protection",
  "tablet",
  "template",
];
const NUMBERS = ["cores", "cpuunits", "sockets", "vcpus"];
const TEXTS = [
  "affinity",
  "agent",
  "args",
  "audio0",
  "balloon",
  "bios",
  "boot",
  "bootdisk",
  "cicustom",
  "cipassword",
  "citype",
  "ciupgrade",
  "ciuser",
  "cpu",
  "cpulimit",
  "description",
  "freeze",
  "hookscript",
  "hotplug",
  "keyboard",
  "machine",
  "memory",
  "name",
  "nameserver",
  "ostype",
  "rng0",
  "scsihw",
  "searchdomain",
  "shares",
  "smbios1",
  "sshkeys",
  "startdate",
  "startup",
  "tags",
  "vga",
  "vmgenid",
  "vmstatestorage",
  "watchdog",
];
const NUMBERED = /^(serial|usb|hostpci|parallel|numa|virtiofs)\d+$/;
const POSITIVE: ReadonlySet<string> = new Set(["cores", "memory", "sockets"]);

const KINDS: ReadonlyMap<string, OptionKind> = new Map([
  ...BOOLEANS.map((key) => [key, "boolean"] as const),
  ...NUMBERS.map((key) => [key, "number"] as const),
  ...TEXTS.map((key) => [key, "text"] as const),
]);

export function isPlainOption(key: string): boolean {
  return KINDS.has(key) || NUMBERED.test(key);
}

/**
 * A plain option's value as it is kept.
 * @throws RangeError with what is wrong.
 */
export function readOption(key: string, value: string): string {
  if (key === "cipassword") return "**********";
  if (KINDS.get(key) === "boolean") {
    if (/^(1|on|yes|true)$/i.test(value)) return "1";
    if (/^(0|off|no|false)$/i.test(value)) return "0";
    throw new RangeError(`type check ('boolean') failed - got '${value}'`);
  }
  const number = KINDS.get(key) === "number" || key === "memory" || key === "balloon";
  if (number && !/^\d+$/.test(value)) throw new RangeError(`type check ('integer') failed - got '${value}'`);
  if (POSITIVE.has(key) && Number(value) < 1) throw new RangeError("value must have a minimum value of 1");
  if (key === "name" && !/^[a-z0-9]([a-z0-9-.]*[a-z0-9])?$/i.test(value)) {
    throw new RangeError("invalid format - value does not look like a valid DNS name");
  }
  return value;
}

/** The type that clients expect: 1 and 0 and counts as numbers, everything else as text. */
export function showOption(key: string, value: string): string | number {
  return KINDS.get(key) === "boolean" || KINDS.get(key) === "number" ? Number(value) : value;
}
