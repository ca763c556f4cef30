import type { Report } from "../journal/step.ts";
import { partSets } from "../lab/parts/part-sets.ts";
import type { CastleRun } from "../lifecycle/castle-run.ts";
import type { Raised } from "../lifecycle/up.ts";
import { ingressAddress } from "../platform/pool.ts";
import type { Castle } from "../spec/castle.ts";
import { warnings } from "../spec/warnings.ts";
import type { AnswerOf } from "./answer.ts";
import type { Context } from "./context.ts";
import { assertRoot } from "./lab-session.ts";
import { ensureLabParts } from "./parts-session.ts";
import { elapsed } from "./progress/elapsed.ts";
import { changeCastle } from "./session.ts";
import { type SpecFile, readSpecFile } from "./spec-file.ts";
import { keepingWarnings } from "./warnings-kept.ts";

export interface UpFlags {
  readonly file: string;
  readonly yes: boolean;
  readonly installTools: boolean;
  /** Seconds. */
  readonly timeout: number;
}

/** What raises a castle: `up` itself, or an operation that ends with it. */
export interface Raising {
  readonly verb: string;
  readonly work: (run: CastleRun) => Promise<Raised>;
  /** Asked before anything is touched. */
  readonly consent?: (castle: Castle) => Promise<void>;
}

export async function raise(
  context: Context,
  told: Report,
  { file, yes, installTools, timeout }: UpFlags,
  { verb, work, consent }: Raising,
): Promise<AnswerOf<"CastleRaised">> {
  const spec = await readSpecFile(context, file);
  const { castle } = spec;
  await consent?.(castle);
  const { raised, kept } = await raiseSpec(context, told, { spec, verb, yes, installTools, timeout, work });
  const { data, text, kind } = raisedAnswer(castle, raised, file);
  return {
    kind,
    data: { ...data, warnings: kept.warnings },
    text: [text, ...kept.lines()].join("\n"),
  };
}

interface SpecRaising extends Omit<UpFlags, "file">, Omit<Raising, "consent"> {
  readonly spec: SpecFile;
}

/** The work on a castle whose parts lie ready, with all that it warns of kept for its answer. */
export async function raiseSpec(
  context: Context,
  told: Report,
  { spec, verb, yes, installTools, timeout, work }: SpecRaising,
) {
  const { castle } = spec;
  const kept = keepingWarnings(told);
  const { report } = kept;
  for (const { message, hint } of warnings(castle)) {
    report({ type: "warning", message, ...(hint === undefined ? {} : { hint }) });
  }
  if (castle.hypervisor.kind === "lab") {
    assertRoot(context);
    await ensureLabParts(context, partSets(castle), { report, installTools });
  }
  const session = { spec, verb, report, overwrite: yes, patience: timeout * 1000 };
  return { raised: await changeCastle(context, session, work), kept };
}

function raisedAnswer(castle: Castle, raised: Raised, file: string): AnswerOf<"CastleRaised"> {
  const { name, network, nodes, sites = [] } = castle;
  const { platform, ...milliseconds } = raised;
  const flag = file === "castle.yaml" ? "" : ` -f ${file}`;
  const ingress = platform === undefined ? undefined : ingressAddress(castle);
  const urls = platform?.urls ?? [];
  return {
    kind: "CastleRaised",
    data: {
      castle: name,
      vip: network.vip,
      nodes: nodes.map((node) => node.name),
      ...(platform === undefined
        ? {}
        : {
            platform: {
              revision: platform.revision,
              ...(ingress === undefined ? {} : { ingress }),
              sites: sites.map((site, index) => ({ name: site.name, host: site.host, url: urls[index] })),
            },
          }),
      warnings: [],
      milliseconds: { ...milliseconds, ...(platform === undefined ? {} : { pages: platform.pages }) },
    },
    text: [
      `Castle ${name} stands: ${nodes.length} nodes Ready behind ${network.vip} after ${elapsed(raised.ready)} (API after ${elapsed(raised.api)}).`,
      ...(platform === undefined
        ? []
        : [`Flux runs ${platform.revision}; pages after ${elapsed(platform.pages)}:`]),
      ...urls.map(
        (url, index) => `  ${url}${ingress === undefined ? "" : ` (${sites[index]?.host} at ${ingress})`}`,
      ),
      `Next: castle status${flag}, castle kubectl${flag} -- get nodes`,
    ].join("\n"),
  };
}
