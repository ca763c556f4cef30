import type { Receipt } from "../publish/delivery/receipt.ts";
import type { AnswerOf } from "./answer.ts";
import { elapsed } from "./progress/elapsed.ts";

export interface ReceiptPlace {
  readonly now: Date;
  /** What a browser on this machine opens; undefined: the site's own address. */
  readonly url: string | undefined;
}

/** The receipt, whole for programs and in a few lines for people. */
export function receiptAnswer(receipt: Receipt, { now, url }: ReceiptPlace): AnswerOf<"Released"> {
  const { manifests, registry, public: visited, ...rest } = receipt;
  return {
    kind: "Released",
    data: {
      ...rest,
      at: now.toISOString(),
      manifests: {
        commit: manifests.commit,
        file: manifests.file,
        pushed: manifests.pushed,
        ...(manifests.previous === undefined ? {} : { previous: manifests.previous }),
      },
      ...(registry === undefined ? {} : { registry }),
      ...(visited === undefined ? {} : { public: visited }),
      ...(url === undefined ? {} : { url }),
      pods: receipt.pods.map(({ node, ...pod }) => ({ ...pod, ...(node === undefined ? {} : { node }) })),
      phases: receipt.phases.map(({ detail, ...phase }) => ({
        ...phase,
        ...(detail === undefined ? {} : { detail }),
      })),
    },
    text: lines(receipt, url).join("\n"),
  };
}

function lines(receipt: Receipt, url: string | undefined): readonly string[] {
  const { outcome, tag, pods, milliseconds, manifests, public: visited } = receipt;
  const commit = manifests.commit.slice(0, 12);
  if (outcome === "committed") {
    return [
      `${tag} is committed (${commit}), not verified: there is no kubeconfig`,
      "Next: castle publish --resume, with KUBECONFIG set",
    ];
  }
  const files = pods.reduce((sum, pod) => sum + pod.files, 0);
  return [
    `${tag} is live: proven in ${pods.length} pods (${files} files compared) after ${elapsed(milliseconds)}`,
    ...(visited === undefined ? [] : [url ?? visited.url]),
  ];
}
