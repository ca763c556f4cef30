import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Secret } from "../support/secret.ts";

/** How castle shows a Git server who it is. Undefined where the user's own Git settings know. */
export type GitCredentials =
  | { readonly kind: "password"; readonly username: string; readonly password: Secret }
  | {
      readonly kind: "deploy-key";
      /** OpenSSH or PEM, not encrypted. */
      readonly privateKey: Secret;
      /** Lines as in a known_hosts file; a server that is not among them is not talked to. */
      readonly knownHosts: string;
    };

export interface GitAccess {
  readonly env: Readonly<Record<string, string>>;
  /** Settings for `git -c`; no secrets. */
  readonly settings: readonly string[];
}

/** Git asks this program; the answers are in the environment, which argv and files are not allowed to know. */
const ASKPASS = `#!/bin/sh
case "$1" in
Username*) printf '%s\\n' "$CASTLE_GIT_USERNAME" ;;
*) printf '%s\\n' "$CASTLE_GIT_PASSWORD" ;;
esac
`;

/** Calls the action with what Git needs to use the credentials; the files for it exist only meanwhile, mode 0600. */
export async function withCredentials<T>(
  credentials: GitCredentials | undefined,
  folder: string,
  action: (access: GitAccess) => Promise<T>,
): Promise<T> {
  if (credentials === undefined) return action({ env: {}, settings: [] });
  const work = await mkdtemp(join(folder, "access-"));
  try {
    return await action(await prepare(credentials, work));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function prepare(credentials: GitCredentials, work: string): Promise<GitAccess> {
  switch (credentials.kind) {
    case "password": {
      const askpass = join(work, "askpass");
      await writeFile(askpass, ASKPASS, { mode: 0o700 });
      return {
        env: {
          GIT_ASKPASS: askpass,
          CASTLE_GIT_USERNAME: credentials.username,
          CASTLE_GIT_PASSWORD: credentials.password.reveal(),
        },
        // The user's helpers would answer first, or keep castle's token.
        settings: ["credential.helper="],
      };
    }
    case "deploy-key": {
      const [key, known] = [join(work, "key"), join(work, "known_hosts")];
      const text = credentials.privateKey.reveal();
      // ssh calls a key without its last line feed invalid.
      await writeFile(key, text.endsWith("\n") ? text : `${text}\n`, { mode: 0o600 });
      await writeFile(known, `${credentials.knownHosts.trimEnd()}\n`, { mode: 0o600 });
      return {
        env: { GIT_SSH_COMMAND: sshCommand(key, known), GIT_SSH_VARIANT: "ssh" },
        settings: [],
      };
    }
    default:
      return credentials satisfies never;
  }
}

function sshCommand(key: string, knownHosts: string): string {
  const options = [
    "BatchMode=yes",
    "ConnectTimeout=10",
    "GlobalKnownHostsFile=/dev/null",
    "IdentitiesOnly=yes",
    "IdentityAgent=none",
    "ServerAliveInterval=10",
    "StrictHostKeyChecking=yes",
    `UserKnownHostsFile=${knownHosts}`,
  ];
  const words = ["ssh", "-F", "/dev/null", "-i", key, ...options.flatMap((option) => ["-o", option])];
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}
