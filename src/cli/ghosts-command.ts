import { CastleError } from "../errors/castle-error.ts";
import type { ExitCode } from "../errors/exit-code.ts";
import { cureText } from "../ghosts/cure-text.ts";
import type { JudgedGhost } from "../ghosts/ghost.ts";
import { waysOut } from "../ghosts/way-out.ts";
import type { Report } from "../journal/step.ts";
import { cureGhosts } from "../lifecycle/ghosts/cure.ts";
import { type GhostLook, lookForGhosts } from "../lifecycle/ghosts/look.ts";
import { castleHome } from "../lifecycle/home.ts";
import { readLedger } from "../lifecycle/moves/ledger-file.ts";
import type { StatusSources } from "../lifecycle/status.ts";
import type { AnswerOf } from "./answer.ts";
import { confirm } from "./confirm.ts";
import type { Context } from "./context.ts";
import { cureSummary, lookText } from "./ghosts-text.ts";
import { changeCastle, statusSources } from "./session.ts";
import { type SpecFile, readSpecFile } from "./spec-file.ts";

export interface CureFlags {
  readonly file: string;
  readonly yes: boolean;
  /** Seconds. */
  readonly timeout: number;
}

export async function castleGhosts(context: Context, file: string): Promise<AnswerOf<"Ghosts">> {
  const spec = await readSpecFile(context, file);
  const { castle } = spec;
  const look = await lookForGhosts(await witnesses(context, spec));
  const { testimony, ghosts, quorum, milliseconds } = look;
  const { state, standing } = quorum;
  return {
    kind: "Ghosts",
    data: {
      castle: castle.name,
      milliseconds,
      quorum: { state, ...(standing === undefined ? {} : { standing }) },
      ghosts: ghosts.map(ghostData),
      silent: testimony.nodes.flatMap(({ name, answer }) => (answer === "silent" ? [name] : [])),
      alarms: testimony.nodes.flatMap(({ name, etcd }) =>
        (etcd?.alarms ?? []).map((alarm) => ({ node: name, alarm })),
      ),
      waysOut: waysOut(testimony, quorum),
    },
    text: lookText(look),
    exit: exitOf(look),
  };
}

/** Where nobody told of etcd, nothing was found and nothing is known either. */
function exitOf({ ghosts, quorum }: GhostLook): ExitCode {
  if (ghosts.some(({ state }) => state.kind === "ghost") || quorum.state === "lost") return 3;
  return quorum.state === "holds" ? 0 : 4;
}

/** Looks without the castle's lock and asks; only who goes on takes it. */
export async function cureCastleGhosts(
  context: Context,
  report: Report,
  { file, yes, timeout }: CureFlags,
): Promise<AnswerOf<"GhostsCured">> {
  const spec = await readSpecFile(context, file);
  const { castle } = spec;
  const asked = await witnesses(context, spec);
  const look = await lookForGhosts(asked);
  const start = performance.now();
  const home = await castleHome(spec.folder, castle.name);
  const unfinished = (await readLedger(home)).unfinished !== undefined;
  const needed = unfinished || look.ghosts.length > 0 || look.quorum.state !== "holds";
  if (needed) await confirm(context, yes, intention(look));
  const session = { spec, verb: "ghosts", report, patience: timeout * 1000 };
  const { cured, left, waiting } = needed
    ? await changeCastle(context, session, (run) => cureGhosts(run, asked))
    : { cured: [], left: [], waiting: [] };
  const milliseconds = {
    verdict: look.milliseconds,
    cure: needed ? Math.round(performance.now() - start) : 0,
  };
  return {
    kind: "GhostsCured",
    data: {
      castle: castle.name,
      milliseconds,
      cured: cured.map(({ ghost, milliseconds: took }) => ({
        class: ghost.class,
        subject: ghost.subject,
        milliseconds: took,
      })),
      left: left.map(ghostData),
      waiting,
    },
    text: cureSummary(castle.name, { cured, left, waiting }, milliseconds.cure),
    exit: left.length + waiting.length === 0 ? 0 : 3,
  };
}

async function witnesses(context: Context, spec: SpecFile): Promise<StatusSources> {
  const sources = await statusSources(context, spec);
  if (sources.credentials !== undefined) return sources;
  throw new CastleError("lifecycle/not-raised", {
    message: `Castle ${sources.castle.name} has no credentials in its secret store: nobody could be asked`,
    hint: "castle up",
  });
}

/** For "This will …. Go on?" */
function intention({ ghosts }: GhostLook): string {
  const cures = ghosts
    .filter(({ curable }) => curable)
    .flatMap(({ class: name, subject, cures: all }) =>
      all.map((cure) => `${cureText(cure)} (${name} ${subject})`),
    );
  return cures.length === 0 ? "go on with the cure of ghosts" : cures.join("; ");
}

type GhostData = AnswerOf<"Ghosts">["data"]["ghosts"][number];

function ghostData({ state, cures, quorum, ...ghost }: JudgedGhost): GhostData {
  return {
    ...ghost,
    state: state.kind,
    ...(state.kind === "joining" ? { seconds: state.seconds, ghostAt: state.ghostAt } : {}),
    cures: cures.map((cure) => ({ kind: cure.kind, text: cureText(cure) })),
    quorum: quorum.map(({ step, ...judged }) => ({ step: step.kind, member: step.member, ...judged })),
  };
}
