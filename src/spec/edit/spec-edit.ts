import { isDeepStrictEqual } from "node:util";
import { formatAddress, parseAddress } from "../address.ts";
import { CastleError } from "../../errors/castle-error.ts";
import type { Castle } from "../castle.ts";
import { formatFaults } from "../fault-text.ts";
import { parseSpec } from "../parse.ts";
import type { Spec } from "../schema.ts";
import { type Layout, layoutOf } from "./layout.ts";
import { lineDifference } from "./line-difference.ts";
import { type YamlChange, editYaml } from "./yaml-edit.ts";

/** A castle.yaml after an edit, and the castle that it describes. */
export interface EditedSpec {
  readonly text: string;
  readonly castle: Castle;
}

type Group = "controlPlanes" | "workers";
const NONE: readonly Group[] = [];

/**
 * The castle.yaml that says this layout, with as few changes as say it: a count where the addresses go on from the
 * first, a list where they do not; what was a default of the lab and would move with the change is written out.
 * @throws CastleError spec/invalid with the faults that the edited spec would have, spec/not-editable
 */
export function editLayout(text: string, file: string, wanted: Layout): EditedSpec {
  const { castle, spec } = parsedOrThrow(text, file);
  for (const pinned of [NONE, ["workers"], ["controlPlanes", "workers"]] as const) {
    const edited = editYaml(text, changesFor(spec, castle, wanted, pinned));
    const after = parseSpec(edited, file);
    if ("castle" in after && isDeepStrictEqual(layoutOf(after.castle), wanted)) {
      return { text: edited, castle: after.castle };
    }
  }
  const edited = editYaml(text, changesFor(spec, castle, wanted, ["controlPlanes", "workers"]));
  parsedOrThrow(edited, file);
  throw new Error("the edited spec has no fault and another layout");
}

/**
 * The smallest edit of what the file says, or of what it said before castle's own edits: a way back leads to the very
 * bytes that a person wrote.
 * @param former texts that differ from this one in their layout only, the newest first
 */
export function smallestEdit(
  { text, former }: { readonly text: string; readonly former: readonly string[] },
  file: string,
  wanted: Layout,
): EditedSpec {
  let smallest = editLayout(text, file, wanted);
  let lines = lineDifference(text, smallest.text).length;
  for (const base of former) {
    const edit = editLayout(base, file, wanted);
    const length = lineDifference(base, edit.text).length;
    if (length < lines) [smallest, lines] = [edit, length];
  }
  return smallest;
}

function parsedOrThrow(text: string, file: string): { castle: Castle; spec: Spec } {
  const parsed = parseSpec(text, file);
  if (!("faults" in parsed)) return parsed;
  throw new CastleError("spec/invalid", {
    message: `${file} would be this then, and would not be valid:\n${formatFaults(parsed.faults, text)}`,
    hint: "nothing was changed; mend what is named, or ask for something else",
    details: { faults: parsed.faults },
  });
}

function changesFor(
  spec: Spec,
  castle: Castle,
  wanted: Layout,
  pinned: readonly Group[],
): readonly YamlChange[] {
  const now = layoutOf(castle);
  return [
    ...(now.vip === wanted.vip ? [] : [{ path: ["network", "vip"], value: wanted.vip } as const]),
    ...(["controlPlanes", "workers"] as const).flatMap((group) =>
      groupChanges(group, spec.nodes?.[group] ?? {}, {
        now: now[group],
        wanted: wanted[group],
        pin: pinned.includes(group),
      }),
    ),
    ...(wanted.pool === undefined || now.pool === wanted.pool
      ? []
      : [{ path: ["loadBalancer", "pool"], value: wanted.pool } as const]),
  ];
}

interface GroupSpec {
  readonly count?: number | undefined;
  readonly from?: string | undefined;
  readonly addresses?: readonly string[] | undefined;
}

function groupChanges(
  group: Group,
  said: GroupSpec,
  { now, wanted, pin }: { now: readonly string[]; wanted: readonly string[]; pin: boolean },
): readonly YamlChange[] {
  if (isDeepStrictEqual(now, wanted) && !pin) return [];
  const at = (key: string) => ["nodes", group, key] as const;
  const [first] = wanted;
  if (first === undefined) {
    return [
      ...(said.count === 0 ? [] : [{ path: at("count"), value: 0 }]),
      { path: at("addresses"), value: undefined },
    ];
  }
  if (said.addresses !== undefined) return [{ path: at("addresses"), value: wanted }];
  if (!inARow(wanted)) {
    return [
      { path: at("addresses"), value: wanted },
      { path: at("count"), value: undefined },
      { path: at("from"), value: undefined },
    ];
  }
  const movesFirst = first !== now[0] || (pin && said.from === undefined);
  return [
    ...(wanted.length === (said.count ?? now.length) ? [] : [{ path: at("count"), value: wanted.length }]),
    ...(movesFirst ? [{ path: at("from"), value: first }] : []),
  ];
}

function inARow(addresses: readonly string[]): boolean {
  const first = parseAddress(addresses[0] ?? "") ?? 0;
  return addresses.every((address, index) => address === formatAddress(first + index));
}
