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

/** Says how to run the Git server: a process of its own, so that a big push holds up nobody's way into the LAN. */
export async function gitProgram(
  options: GitProgramOptions,
): Promise<Program & { readonly login: GitLogin }> {
  const { folder, host, port, namespace } = options;
  const login = join(folder, "login");
  const agentOptions: AgentOptions = {
    git: { host, port, login, repositories: join(folder, "repositories") },
  };
  return {
    name: "git",
    command: [...options.agent, JSON.stringify(agentOptions)],
    login: await ensureLogin(login),
    ...(namespace === undefined ? {} : { namespace }),
  };
}

/** A token of its own for every lab, kept with the repositories. */
async function ensureLogin(file: string): Promise<GitLogin> {
  const kept = await readFile(file, "utf8").catch(() => "");
  const { username, token } = /^(?<username>[^:\n]+):(?<token>\S+)\n$/.exec(kept)?.groups ?? {};
  if (username !== undefined && token !== undefined) return { username, token };
  const made = { username: "castle", token: randomBytes(24).toString("base64url") };
  await writeFileAtomic(file, `${made.username}:${made.token}\n`);
  return made;
}
