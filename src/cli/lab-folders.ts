import { type LabFolders, labFolders } from "../lab/folders.ts";
import type { Context } from "./context.ts";
import { places } from "./places.ts";

export function foldersOf(context: Context, lab: string): LabFolders {
  return labFolders(places(context).labs, lab);
}
