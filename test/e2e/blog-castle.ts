import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kill } from "node:process";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { type RunningLab } from "../../src/lab/daemon/launch.ts";
import { lanNamespace } from "../../src/lab/namespaces.ts";
import { processIdentityShape } from "../../src/support/process-identity.ts";
import { OpenLoop } from "../fixtures/open-loop/open-loop.ts";
import type { CastleCommand, Said } from "./castle-command.ts";
import { type PersonGit, cloneManifests, personGit } from "./person-git.ts";

const BLOG = fileURLToPath(new URL("../../examples/blog", import.meta.url));

export const releasedShape = z.object({
  kind: z.literal("Released"),
  outcome: z.literal("live"),
  commit: z.string(),
  tag: z.string(),
  digest: z.string(),
  registry: z.object({ uploaded: z.object({ blobs: z.int(), bytes: z.int() }) }).optional(),
  manifests: z.object({ commit: z.string(), pushed: z.boolean(), previous: z.string().optional() }),
  pods: z.array(z.object({ pod: z.string(), imageId: z.string(), files: z.int() })),
  public: z.object({ url: z.string(), files: z.int() }),
  url: z.string(),
  milliseconds: z.int(),
  phases: z.array(z.object({ step: z.string(), milliseconds: z.int(), outcome: z.string() })),
});
export type Released = z.infer<typeof releasedShape>;

const raisedShape = z.object({ platform: z.object({ ingress: z.string() }) });
const sourceShape = z.object({ kind: z.literal("LabSource"), folder: z.string(), remote: z.string() });

/** A castle in the lab, and the example blog's repository with the lab's Git server as its remote. */
export class BlogCastle {
  readonly castle: CastleCommand;
  readonly lab: RunningLab;
  readonly ingress: string;
  /** The blog's work tree. */
  readonly source: string;
  /** Its remote. */
  readonly remote: string;

  private constructor(
    castle: CastleCommand,
    lab: RunningLab,
    facts: Pick<BlogCastle, "ingress" | "source" | "remote">,
  ) {
    this.castle = castle;
    this.lab = lab;
    this.ingress = facts.ingress;
    this.source = facts.source;
    this.remote = facts.remote;
  }

  /** @param castle prepared; whoever gave it takes it away, also where this fails */
  static async raise(castle: CastleCommand): Promise<BlogCastle> {
    await castle.spec("gitops: {}\n");
    const { platform } = await castle.ask(raisedShape, "up", "--install-tools");
    const { folder, remote } = await castle.ask(sourceShape, "lab", "source", "--from", BLOG);
    const lab = await castle.lab();
    return new BlogCastle(castle, lab, { ingress: platform.ingress, source: folder, remote });
  }

  get host(): string {
    return `blog.${this.castle.name}.lan`;
  }

  /** As the blog's author. */
  git(...args: string[]): Promise<string> {
    return personGit(this.source)(...args);
  }

  /** Adds a line to a post and one to the style sheet, and pushes. @returns the commit */
  async write(line: string): Promise<string> {
    const names = await readdir(join(this.source, "content"), { recursive: true });
    const post = names.find((name) => name.endsWith(".md")) ?? "";
    await writeFile(join(this.source, "content", post), `\n${line}\n`, { flag: "a" });
    const style = "themes/keep/assets/css/keep.css";
    await writeFile(join(this.source, style), `\n.l${line.length}::after { content: "${line}"; }\n`, {
      flag: "a",
    });
    await this.git("commit", "-q", "-a", "-m", line);
    await this.git("push", "-q");
    return this.git("rev-parse", "HEAD");
  }

  publish(...flags: string[]): Promise<Released> {
    return this.castle.ask(releasedShape, "publish", ...flags);
  }

  /** A publication with more of an environment: one whose calls are written down, or that is killed at one of them. */
  async publishWith(env: Readonly<Record<string, string>>): Promise<Said> {
    Object.assign(this.castle.env, env);
    try {
      return await this.castle.try("publish", "-o", "json");
    } finally {
      for (const name of Object.keys(env)) delete this.castle.env[name];
    }
  }

  rollback(commit: string): Promise<Released> {
    return this.castle.ask(releasedShape, "rollback", commit);
  }

  /** A person's clone of the castle's own repository, until the action ends. */
  async manifests<T>(action: (git: PersonGit, folder: string) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(tmpdir(), "castle-manifests-"));
    try {
      return await action(await cloneManifests(this.lab, this.castle.name, folder), folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** The commits of the castle's own repository that name the release, and the tags of the registry that do. */
  async traces(commit: string): Promise<{ readonly commits: number; readonly tags: readonly string[] }> {
    const commits = await this.manifests((git) =>
      git("log", "--format=%H", `--grep=Castle-Source: ${commit}`),
    );
    const releases = z
      .object({ releases: z.array(z.object({ tag: z.string(), commit: z.string() })) })
      .parse(JSON.parse(await this.castle.run("releases", "-o", "json"))).releases;
    return {
      commits: commits.split("\n").filter(Boolean).length,
      tags: releases.filter((one) => commit.startsWith(one.commit.slice(0, 12))).map(({ tag }) => tag),
    };
  }

  /** How many rollouts the site's Deployment has had. */
  async rollouts(): Promise<number> {
    const revision = String.raw`jsonpath={.metadata.annotations.deployment\.kubernetes\.io/revision}`;
    return Number(await this.castle.kubectl("-n", "site-blog", "get", "deployment", "web", "-o", revision));
  }

  /** Visitors on the castle's network, who come at a fixed pace, each over a connection of its own. */
  async visitors({ every, assetsEvery }: { readonly every: number; readonly assetsEvery?: number }) {
    const folder = await mkdtemp(join(tmpdir(), "castle-visitors-"));
    const ca = join(folder, "roots.pem");
    const { acme } = await this.lab.control.call("services", {});
    await writeFile(ca, acme?.roots ?? "");
    const loop = new OpenLoop(lanNamespace(this.castle.name), {
      url: `https://${this.host}/`,
      address: this.ingress,
      ca,
      every,
      // Not what is measured here: on a machine at work an answer may be late, but it has to come.
      within: 15_000,
      ...(assetsEvery === undefined ? {} : { assetsEvery }),
    });
    await loop.answered();
    return async () => {
      const told = await loop.stop();
      await rm(folder, { recursive: true });
      return told;
    };
  }

  /** The Git server of the lab, which has the blog's and the castle's repository, answers nobody until it is woken. */
  async freezeGit(): Promise<() => void> {
    const file = join(this.castle.labs.lanRun, "git.pid");
    const { pid } = processIdentityShape.parse(JSON.parse(await readFile(file, "utf8")));
    kill(pid, "SIGSTOP");
    return () => {
      kill(pid, "SIGCONT");
    };
  }

  /** Login of the blog's repository, which the cluster must not have. */
  get author() {
    const { git } = this.lab.descriptor.lan;
    if (git === undefined) throw new Error("the lab was raised with a platform and has no Git server");
    return git.author;
  }
}
