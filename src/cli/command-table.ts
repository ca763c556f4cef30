import type { Application, Command, RouteMap } from "@stricli/core";
import type { Context } from "./context.ts";

export type Target = Application<Context>["root"];

export interface TableEntry {
  /** castle lab power off */
  readonly name: string;
  readonly target: Target;
}

export function isRouteMap(target: Target): target is RouteMap<Context> {
  return "getRoutingTargetForInput" in target;
}

/** Every command and group of commands that help shows, in help's order, groups before what they hold. */
export function visibleEntries(target: Target, name: string): readonly TableEntry[] {
  if (!isRouteMap(target)) return [{ name, target }];
  return [
    { name, target },
    ...target
      .getAllEntries()
      .filter(({ hidden }) => !hidden)
      .flatMap((entry) => visibleEntries(entry.target, `${name} ${entry.name["convert-camel-to-kebab"]}`)),
  ];
}

export function commandsOf(
  root: Target,
): readonly { readonly name: string; readonly command: Command<Context> }[] {
  return visibleEntries(root, "castle").flatMap(({ name, target }) =>
    isRouteMap(target) ? [] : [{ name, command: target }],
  );
}
