import type { ErrorCode } from "../errors/catalogue.ts";
import { CastleError } from "../errors/castle-error.ts";
import type { GitResult } from "./git.ts";

export interface RemoteName {
  readonly url: string;
  readonly branch: string;
}

interface Meaning {
  readonly code: ErrorCode;
  readonly pattern: RegExp;
  readonly says: string;
  readonly hint: (remote: RemoteName) => string;
}

const tryIt = ({ url }: RemoteName) => `git ls-remote ${url}`;
const useOther = () =>
  "give castle a user and token, or a deploy key, that may read and push to this repository, and run the command again";

/** In this order: a refused login also says that the repository could not be read. */
const MEANINGS: readonly Meaning[] = [
  {
    code: "command/missing",
    pattern: /cannot run ssh/i,
    says: "is reached by ssh, which is not installed or not on PATH",
    hint: () => "install OpenSSH's client, then run the command again",
  },
  {
    code: "gitops/untrusted",
    pattern: /host key verification failed|host key is known|no .* host key is known/i,
    says: "shows an SSH host key that is not among the known hosts",
    hint: ({ url }) => `compare with the server's own: ssh-keyscan ${hostOf(url)}`,
  },
  {
    code: "gitops/untrusted",
    pattern:
      /ssl certificate|certificate verif|self.signed certificate|ssl_cacert|unable to get local issuer/i,
    says: "shows a certificate that this machine does not trust",
    hint: ({ url }) => `git config --global http.${url}.sslCAInfo /path/to/ca.pem`,
  },
  {
    code: "gitops/credentials",
    pattern:
      /authentication failed|could not read (username|password)|terminal prompts disabled|permission denied|requested url returned error: 40[13]|access denied|invalid (username|credentials)|load key/i,
    says: "refuses the credentials",
    hint: useOther,
  },
  {
    code: "gitops/not-a-repository",
    pattern:
      /repository .*not found|does not appear to be a git repository|is this a git repository|not a git repository|requested url returned error: 404|no such file or directory|repository .*does not exist/i,
    says: "is not a Git repository, or none that these credentials may see",
    hint: tryIt,
  },
  {
    code: "gitops/remote-invalid",
    pattern:
      /unable to find remote helper|no path specified|port number .*ended|url .*malformed|protocol .*not supported|strange hostname/i,
    says: "is not an address that Git understands",
    hint: () => "set gitops.repository to an https:// or ssh:// address",
  },
  {
    code: "gitops/unreachable",
    pattern:
      /could not resolve|failed to connect|couldn't connect|connection (refused|timed out|reset|closed)|network is unreachable|no route to host|timed out|empty reply|recv failure|remote end hung up|unexpected disconnect|early eof|rpc failed|operation too slow|requested url returned error: 5\d\d|unable to access/i,
    says: "does not answer",
    hint: tryIt,
  },
];

/** What Git's failure on a remote means. The one place that reads Git's sentences. */
export function remoteFailure(remote: RemoteName, result: GitResult): CastleError {
  const said = result.stderr.trim();
  const last = said.split("\n").slice(-4).join("\n");
  const details = { remote: remote.url, branch: remote.branch, exitCode: result.exitCode };
  if (result.late) {
    return new CastleError("gitops/unreachable", {
      message: `${remote.url} (branch ${remote.branch}) did not answer in time${last === "" ? "" : `: ${last}`}`,
      hint: tryIt(remote),
      details,
    });
  }
  const meaning = MEANINGS.find(({ pattern }) => pattern.test(said));
  if (meaning === undefined) {
    return new CastleError("gitops/failed", {
      message: `Git failed on ${remote.url} (branch ${remote.branch}): ${last === "" ? "it said nothing" : last}`,
      hint: tryIt(remote),
      details,
    });
  }
  return new CastleError(meaning.code, {
    message: `${remote.url} (branch ${remote.branch}) ${meaning.says}: ${last}`,
    hint: meaning.hint(remote),
    details,
  });
}

/**
 * Refuses what would not be one repository and one branch, or would put a password into argv and messages.
 * @throws CastleError gitops/remote-invalid
 */
export function checkRemote({ url, branch }: RemoteName): void {
  if (url === "" || url.startsWith("-") || url.includes("::") || /[\s\0]/.test(url)) {
    throw new CastleError("gitops/remote-invalid", {
      message: `"${url}" is not the address of a Git repository`,
      hint: "set gitops.repository to an https:// or ssh:// address",
    });
  }
  if (/^[a-z+]+:\/\/[^/@]*:[^/@]*@/i.test(url)) {
    throw new CastleError("gitops/remote-invalid", {
      message: `The address of the GitOps repository at ${hostOf(url)} holds a password`,
      hint: "take the password out of gitops.repository and keep it in the secret store",
    });
  }
  if (!/^(?![-/.])(?!.*(\.\.|\/\/|\/\.|@\{|\.lock(\/|$)))[^\s~^:?*[\\\p{Cc}]+(?<![/.])$/u.test(branch)) {
    throw new CastleError("gitops/remote-invalid", {
      message: `"${branch}" cannot be the name of a branch`,
      hint: "set gitops.branch to the branch that Flux shall follow, for example main",
    });
  }
}

function hostOf(url: string): string {
  const { host } = /^(?:[a-z+]+:\/\/)?(?:[^@/]*@)?(?<host>[^:/]+)/i.exec(url)?.groups ?? {};
  return host ?? url;
}

/** @param heads whole names of the branches that there are */
export function branchMissing({ url, branch }: RemoteName, heads: readonly string[]): CastleError {
  const found = heads.map((head) => head.slice("refs/heads/".length)).toSorted();
  return new CastleError("gitops/branch-missing", {
    message: `${url} has no branch ${branch}; it has ${found.slice(0, 8).join(", ")}${found.length > 8 ? " …" : ""}`,
    hint: `set gitops.branch to one of them, or: git push ${url} HEAD:refs/heads/${branch}`,
    details: { remote: url, branch, found },
  });
}
