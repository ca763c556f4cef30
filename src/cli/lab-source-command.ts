import { resolve } from "node:path";
import { CastleError } from "../errors/castle-error.ts";
import { type Report, runStep } from "../journal/step.ts";
import { findLab } from "../lab/daemon/launch.ts";
import { ensureRepository, type RepositoryPlace } from "../publish/source/new-repository.ts";
import { Secret } from "../support/secret.ts";
import type { AnswerOf } from "./answer.ts";
import type { Context } from "./context.ts";
import { labAbsence } from "./lab-absence.ts";
import { foldersOf } from "./lab-folders.ts";
import { chooseSite } from "./publish-target.ts";
import { pinSite } from "./site-lock.ts";
import { readSpecFile } from "./spec-file.ts";

export interface SourceChoice {
  readonly file: string;
  readonly site: string | undefined;
  /** The folder that the repository begins with, as the user typed it. */
  readonly from: string;
}

/** A site's repository as a person has one: a work tree where the spec says, and a remote, which is the lab's Git server. */
export async function labSource(
  context: Context,
  report: Report,
  { file, site: wanted, from }: SourceChoice,
): Promise<AnswerOf<"LabSource">> {
  const spec = await readSpecFile(context, file);
  const { castle } = spec;
  const site = chooseSite(castle.sites ?? [], { site: wanted, file });
  if (castle.hypervisor.kind !== "lab") {
    throw new CastleError("command/usage", {
      message: `Castle ${castle.name} stands on a rack, which has no Git server of castle's own`,
      hint: `make ${site.source} a repository with a remote of yours, then: castle publish ${site.name}`,
    });
  }
  const { lab: name } = castle.hypervisor;
  const lab = await findLab(foldersOf(context, name));
  if (lab === undefined) throw await labAbsence(context, castle.name, name);
  const { git } = await lab.control.call("services", { git: true });
  if (git === undefined) throw new Error("the lab's Git server was asked for and is not there");
  const folder = resolve(spec.folder, site.source);
  const url = `${git.outside}/sources/${site.name}-src.git`;
  const { username, token } = git.author;
  let place: RepositoryPlace | undefined;
  await runStep(report, { id: "lab-source", title: `Repository of ${site.name}` }, async () => {
    place = await ensureRepository({
      folder,
      from: resolve(context.cwd, from),
      remote: { url, username, password: new Secret(token) },
      complete: async (workTree) => {
        await pinSite(context, site.name, workTree);
      },
      environment: context.env,
      signal: context.signal,
    });
    return { detail: `${place.made ? "made" : "stands"} at ${place.commit.slice(0, 12)}` };
  });
  if (place === undefined) throw new Error("the step ends with a repository or an error");
  const flag = file === "castle.yaml" ? "" : ` -f ${file}`;
  return {
    kind: "LabSource",
    data: { site: site.name, folder, remote: url, ...place },
    text: [
      `${folder} is the repository of ${site.name}: ${url}`,
      `Next: edit, git commit, git push, castle publish ${site.name}${flag}`,
    ].join("\n"),
  };
}
