import { access } from "node:fs/promises";

/** Whether something that may be looked at lies there, of whatever kind. */
export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
