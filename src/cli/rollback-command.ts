import type { Report } from "../journal/step.ts";
import { releases } from "../publish/releases.ts";
import { rollback } from "../publish/rollback.ts";
import type { AnswerOf } from "./answer.ts";
import type { Context } from "./context.ts";
import { deliveryOf, openWithTip, withTarget } from "./publish-command.ts";
import { findSite, type TargetChoice } from "./publish-target.ts";
import { receiptAnswer } from "./receipt-answer.ts";
import { table } from "./table.ts";

export interface RollbackChoice extends TargetChoice {
  readonly commit: string | undefined;
  /** Seconds. */
  readonly timeout: number;
}

export async function rollbackSite(
  context: Context,
  report: Report,
  choice: RollbackChoice,
): Promise<AnswerOf<"Released">> {
  const { target, tip } = await openWithTip(await findSite(context, choice));
  try {
    const delivery = deliveryOf(context, report, target, choice);
    const receipt = await rollback(delivery, choice.commit, await tip);
    return receiptAnswer(receipt, { now: context.now(), url: target.url });
  } finally {
    await target.close();
  }
}

export async function siteReleases(
  context: Context,
  choice: TargetChoice,
): Promise<AnswerOf<"SiteReleases">> {
  return withTarget(context, choice, async (target) => {
    const known = await releases({ ...target, signal: context.signal });
    return {
      kind: "SiteReleases",
      data: {
        site: target.site.name,
        image: target.site.image,
        releases: known.map(({ digest, at, ...release }) => ({
          ...release,
          ...(digest === undefined ? {} : { digest }),
          ...(at === undefined ? {} : { at }),
        })),
      },
      text:
        known.length === 0
          ? `${target.site.name} has no release yet`
          : table([
              ["", "TAG", "DIGEST", "WHEN", "REGISTRY"],
              ...known.map(({ tag, digest, at, live, registry }) => [
                live ? "●" : "",
                tag,
                digest?.slice("sha256:".length, "sha256:".length + 12) ?? "",
                at ?? "never wanted",
                registry,
              ]),
            ]),
    };
  });
}
