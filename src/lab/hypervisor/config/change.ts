import { randomBytes } from "node:crypto";
import { type Input, isTrue } from "../api/input.ts";
import { parameterError } from "../api/api-error.ts";
import type { ChangeTarget, Configuration } from "./configuration.ts";
import { isDiskSlot } from "./disk.ts";
import { changeDisk } from "./disk-change.ts";
import { formatCard, parseCard, parseCardAddress } from "./network-card.ts";
import { isPlainOption, readOption } from "./options.ts";

/** Parameters of the calls that are no part of the configuration. */
const CONTROL = new Set([
  "background_delay",
  "delete",
  "digest",
  "force",
  "node",
  "pool",
  "skiplock",
  "start",
  "storage",
  "unique",
  "vmid",
]);
const CARD = /^net([0-9]|[12][0-9]|3[01])$/;
const CARD_ADDRESS = /^ipconfig([0-9]|[12][0-9]|3[01])$/;

/**
 * The configuration that a create or config call asks for. Nothing is changed in place: either everything in the
 * call is right, or nothing of it happens.
 * @throws ApiError 400 with every faulty parameter.
 */
export function changeConfiguration(
  before: Configuration,
  input: Input,
  target: ChangeTarget,
): Configuration {
  const errors: Record<string, string> = {};
  let after = removeKeys(before, input.get("delete") ?? "", target);
  for (const [key, value] of input) {
    if (CONTROL.has(key)) continue;
    try {
      after = changeKey(after, { key, value }, target);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      errors[key] = error.message;
    }
  }
  if (Object.keys(errors).length > 0) throw parameterError(errors);
  return after;
}

function changeKey(
  before: Configuration,
  { key, value }: { readonly key: string; readonly value: string },
  target: ChangeTarget,
): Configuration {
  if (isDiskSlot(key)) return changeDisk(before, { slot: key, text: value }, target);
  return { ...before, options: { ...before.options, [key]: readValue(before, { key, value }, target) } };
}

function readValue(
  before: Configuration,
  { key, value }: { readonly key: string; readonly value: string },
  { settings }: ChangeTarget,
): string {
  if (CARD.test(key)) {
    const kept = before.options[key];
    const card = parseCard(value, () => (kept === undefined ? freeMac() : parseCard(kept, freeMac).mac));
    if (!settings.bridges.includes(card.bridge))
      throw new RangeError(`bridge '${card.bridge}' does not exist`);
    return formatCard(card);
  }
  if (CARD_ADDRESS.test(key)) {
    parseCardAddress(value);
    return value;
  }
  if (isPlainOption(key)) return readOption(key, value);
  throw new RangeError(
    "property is not defined in schema and the schema does not allow additional properties",
  );
}

/** Unknown names are ignored, as Proxmox does with what is not set. A removed disk takes its volume with it. */
function removeKeys(before: Configuration, names: string, { vmid, host }: ChangeTarget): Configuration {
  const removed = names.split(/[,;\s]+/).filter((name) => name !== "");
  const options = Object.fromEntries(
    Object.entries(before.options).filter(([key]) => !removed.includes(key)),
  );
  const gone = new Set(
    removed.filter((key) => isDiskSlot(key)).map((key) => before.options[key]?.split(",")[0]),
  );
  const volumes = before.volumes.filter(
    (volume) => !(volume.host === host && volume.vmid === vmid && gone.has(volume.volid)),
  );
  return { options, volumes };
}

/** A card without an address gets one with Proxmox' prefix, as on a real host. */
function freeMac(): string {
  return ["BC", "24", "11", ...[...randomBytes(3)].map((byte) => byte.toString(16).padStart(2, "0"))]
    .join(":")
    .toUpperCase();
}

export function startAsked(input: Input): boolean {
  return isTrue(input.get("start"));
}
