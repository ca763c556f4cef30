import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CastleError } from "../../errors/castle-error.ts";
import { run } from "../../support/run.ts";
import { openScratch } from "../../support/scratch-folder.ts";

export interface DeployKey {
  readonly kind: "deploy-key";
  /** OpenSSH's own form. */
  readonly privateKey: string;
  /** One line, for the server. */
  readonly publicKey: string;
  /** Lines as in a known_hosts file. */
  readonly knownHosts: string;
}

/** ssh://[USER@]HOST[:PORT]/PATH or [USER@]HOST:PATH */
const SSH_ADDRESS =
  /^(?:ssh:\/\/(?:[^@/]+@)?(?<host>[^:/]+)(?::(?<port>\d+))?\/|(?:[^@/]+@)?(?<short>[^:/]+):(?!\/\/))/;

export function isSshAddress(url: string): boolean {
  return SSH_ADDRESS.test(url);
}

/**
 * A new key for one repository. The server's own key is taken from what this user trusts already: a key that comes over
 * the same network as the server's answer proves nothing.
 * @throws CastleError gitops/untrusted, command/missing
 */
export async function makeDeployKey(url: string, castle: string, signal?: AbortSignal): Promise<DeployKey> {
  const knownHosts = await trustedHostKeys(url, signal);
  const folder = await openScratch("key");
  try {
    const file = join(folder.path, "key");
    const about = ["-q", "-t", "ed25519", "-N", "", "-C", `castle ${castle}`, "-f", file];
    await run("ssh-keygen", about, signal === undefined ? {} : { signal });
    const [privateKey, publicKey] = await Promise.all([
      readFile(file, "utf8"),
      readFile(`${file}.pub`, "utf8"),
    ]);
    return { kind: "deploy-key", privateKey, publicKey: publicKey.trim(), knownHosts };
  } finally {
    await folder.remove();
  }
}

async function trustedHostKeys(url: string, signal: AbortSignal | undefined): Promise<string> {
  const { host, port, short } = SSH_ADDRESS.exec(url)?.groups ?? {};
  const name = host ?? short ?? "";
  const entry = port === undefined || port === "22" ? name : `[${name}]:${port}`;
  const { stdout } = await run("ssh-keygen", ["-F", entry], {
    accept: [1, 255],
    ...(signal === undefined ? {} : { signal }),
  });
  const lines = stdout.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  if (lines.length > 0) return `${lines.join("\n")}\n`;
  const ask = `ssh-keyscan ${port === undefined ? "" : `-p ${port} `}${name}`;
  throw new CastleError("gitops/untrusted", {
    message: `The SSH host key of ${entry} is not among this user's known hosts, so castle cannot tell the repository's server from another`,
    hint: `compare ${ask} with what the server's owner says, then: ${ask} >> ~/.ssh/known_hosts`,
    details: { host: entry },
  });
}
