import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../../support/write-file.ts";
import type { AgentOptions } from "./agent.ts";
import type { Program } from "./supervised-process.ts";

export interface GitProgramOptions {
  /** Command that runs an agent with the options that are added. */
  readonly agent: readonly [string, ...string[]];
  readonly host: string;
  readonly port: number;
  /** Folder in the lab's state for repositories and login. */
  readonly folder: string;
  readonly namespace?: string;
}

export interface GitLogin {
  readonly username: string;
  readonly token: string;
}

/** Who may do what on the Git server. */
export interface GitLogins {
  /** For all repositories but those under sources/. */
  readonly castle: GitLogin;
  /** For those alone. */
  readonly author: GitLogin;
}

/** Says how to run the Git server: a process of its own, so that a big push holds up nobody's way into the LAN. */
export async function gitProgram(
  options: GitProgramOptions,
): Promise<Program & { readonly logins: GitLogins }> {
  const { folder, host, port, namespace } = options;
  const login = join(folder, "login");
  const agentOptions: AgentOptions = {
    git: { host, port, login, repositories: join(folder, "repositories") },
  };
  return {
    name: "git",
    command: [...options.agent, JSON.stringify(agentOptions)],
    logins: await ensureLogins(login),
    ...(namespace === undefined ? {} : { namespace }),
  };
}

/** Tokens of its own for every lab, kept with the repositories. */
async function ensureLogins(file: string): Promise<GitLogins> {
  const kept = (await readFile(file, "utf8").catch(() => "")).split("\n");
  const logins = {
    castle: loginOf(kept[0]) ?? newLogin("castle"),
    author: loginOf(kept[1]) ?? newLogin("author"),
  };
  const text = [logins.castle, logins.author].map(({ username, token }) => `${username}:${token}\n`).join("");
  if (text !== kept.join("\n")) await writeFileAtomic(file, text);
  return logins;
}

function loginOf(line = ""): GitLogin | undefined {
  const { username, token } = /^(?<username>[^:\n]+):(?<token>\S+)$/.exec(line)?.groups ?? {};
  return username === undefined || token === undefined ? undefined : { username, token };
}

function newLogin(username: string): GitLogin {
  return { username, token: randomBytes(24).toString("base64url") };
}
