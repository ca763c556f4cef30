import { z } from "zod";
import type { GitCredentials } from "../../gitops/credentials.ts";
import type { CastleRun } from "../castle-run.ts";
import type { PlatformGround } from "../ground/ground.ts";
import { isSshAddress, makeDeployKey } from "./deploy-key.ts";
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
  /** The public half, for who has to let it in. */
  readonly deployKey: string | undefined;
}

/** What the user gave for the repository in this run; the next runs have it from the secret store. */
interface Given {
  readonly token: Secret | undefined;
}

type AccessRun = Pick<CastleRun, "castle" | "store" | "signal">;

/**
 * The ground's own login; or what the secret store holds; or, for an address that needs one, a token that was given or
 * a deploy key that is made now. A token that was given takes the place of the one that was kept.
 * @throws CastleError gitops/untrusted, secrets/…
 */
export async function ensureGitAccess(
  run: AccessRun,
  ground: PlatformGround,
  { token }: Given,
): Promise<GitAccess> {
  if (ground.login !== undefined) return gitAccess(run, ground);
  const url = ground.repository.outside;
  if (token !== undefined && url.startsWith("https://")) return keep(run, passwordOf(token.reveal()));
  const kept = await gitAccess(run, ground);
  if (kept.credentials !== undefined || !isSshAddress(url)) return kept;
  return keep(run, await makeDeployKey(url, run.castle.name, run.signal));
}

async function keep({ store }: Pick<CastleRun, "store">, kept: Kept): Promise<GitAccess> {
  await store.put({ "gitops-credentials": new Secret(JSON.stringify(kept)) });
  return accessOf(kept);
}

/** USER:TOKEN, or a token alone: then any user name will do, and "git" is what servers document. */
function passwordOf(token: string): Kept {
  const colon = token.indexOf(":");
  return colon < 0
    ? { kind: "password", username: "git", password: token }
    : { kind: "password", username: token.slice(0, colon), password: token.slice(colon + 1) };
}

/** The ground's own login, or what the secret store holds; nothing is made. */
export async function gitAccess(
  { store }: Pick<CastleRun, "store">,
  { login }: PlatformGround,
): Promise<GitAccess> {
  if (login !== undefined) {
    return accessOf({ kind: "password", username: login.username, password: login.token.reveal() });
  }
  const text = await store.get("gitops-credentials");
  if (text === undefined) return { credentials: undefined, secret: undefined, deployKey: undefined };
  return accessOf(keptShape.parse(JSON.parse(text.reveal())));
}

function accessOf(kept: Kept): GitAccess {
  switch (kept.kind) {
    case "password": {
      const { username, password } = kept;
      return {
        credentials: { kind: "password", username, password: new Secret(password) },
        secret: { username, password },
        deployKey: undefined,
      };
    }
    case "deploy-key": {
      const { privateKey, publicKey, knownHosts } = kept;
      return {
        credentials: { kind: "deploy-key", privateKey: new Secret(privateKey), knownHosts },
        secret: { identity: privateKey, "identity.pub": publicKey, known_hosts: knownHosts },
        deployKey: publicKey,
      };
    }
    default:
      return kept satisfies never;
  }
}
