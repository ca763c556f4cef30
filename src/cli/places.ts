import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { Context } from "./context.ts";

/** Where castle keeps what belongs to a user or a machine rather than to one castle (XDG base directories). */
export interface Places {
  readonly parts: string;
  /** One folder for each lab. */
  readonly labs: string;
  /** The age identity that opens encrypted secrets. */
  readonly identity: string;
  /** castle's own installation: `parts/` with the module pins lies in it. */
  readonly installation: string;
}

export function places({ env, executable }: Context): Places {
  const home = env["HOME"] ?? homedir();
  return {
    parts: env["CASTLE_PARTS"] ?? join(env["XDG_CACHE_HOME"] ?? join(home, ".cache"), "castle", "parts"),
    labs:
      env["CASTLE_LABS"] ?? join(env["XDG_STATE_HOME"] ?? join(home, ".local", "state"), "castle", "labs"),
    identity: join(env["XDG_CONFIG_HOME"] ?? join(home, ".config"), "castle", "identity"),
    installation: dirname(dirname(executable)),
  };
}

/** Layers, bases and scaled pictures of earlier releases, copies of the manifests; may be lost at any time. */
export function publishCache(context: Context): string {
  return join(places(context).parts, "..", "publish");
}
