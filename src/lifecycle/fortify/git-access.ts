import { z } from "zod";
import type { GitCredentials } from "../../gitops/credentials.ts";
import type { CastleRun } from "../castle-run.ts";
import type { PlatformGround } from "../ground/ground.ts";
import { Secret } from "../../support/secret.ts";

/** The Secret in flux-system that Flux reads the repository with. */
export const GIT_SECRET = "git-access";

const keptShape = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("password"), username: z.string(), password: z.string() }),
  z.object({
    kind: z.literal("deploy-key"),
    privateKey: z.string(),
    publicKey: z.string(),
    knownHosts: z.string(),
  }),
]);
type Kept = z.infer<typeof keptShape>;

/** How castle and Flux show the Git server who they are. */
export interface GitAccess {
  readonly credentials: GitCredentials | undefined;
  /** The Secret's content, in the keys that Flux' GitRepository reads; undefined: Flux needs none. */
  readonly secret: Readonly<Record<string, string>> | undefined;
}

/** The ground's own login, or what the secret store holds under gitops-credentials. */
export async function gitAccess(
  { store }: Pick<CastleRun, "store">,
  { login }: PlatformGround,
): Promise<GitAccess> {
  if (login !== undefined) {
    return accessOf({ kind: "password", username: login.username, password: login.token.reveal() });
  }
  const text = await store.get("gitops-credentials");
  if (text === undefined) return { credentials: undefined, secret: undefined };
  return accessOf(keptShape.parse(JSON.parse(text.reveal())));
}

function accessOf(kept: Kept): GitAccess {
  switch (kept.kind) {
    case "password": {
      const { username, password } = kept;
      return {
        credentials: { kind: "password", username, password: new Secret(password) },
        secret: { username, password },
      };
    }
    case "deploy-key": {
      const { privateKey, publicKey, knownHosts } = kept;
      return {
        credentials: { kind: "deploy-key", privateKey: new Secret(privateKey), knownHosts },
        secret: { identity: privateKey, "identity.pub": publicKey, known_hosts: knownHosts },
      };
    }
    default:
      return kept satisfies never;
  }
}
