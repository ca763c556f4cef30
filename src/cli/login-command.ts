import { CastleError } from "../errors/castle-error.ts";
import type { Report } from "../journal/step.ts";
import { KubernetesApi } from "../kubernetes/api.ts";
import type { Secret } from "../support/secret.ts";
import { accessFile } from "./access-session.ts";
import type { AnswerOf } from "./answer.ts";
import type { Context } from "./context.ts";
import { secretStore } from "./secret-store.ts";
import { readSpecFile } from "./spec-file.ts";

/** Both files from the store, and whether the castle answers to them. */
export async function login(
  context: Context,
  file: string,
  report: Report,
): Promise<AnswerOf<"CastleLogin">> {
  const spec = await readSpecFile(context, file);
  const { name } = spec.castle;
  const store = secretStore(context, spec);
  const kubeconfig = await accessFile(context, spec, { kind: "kubeconfig", store });
  const talosconfig = await accessFile(context, spec, { kind: "talosconfig", store });
  const answers = await opens(kubeconfig.content, context, report);
  return {
    kind: "CastleLogin",
    data: {
      castle: name,
      store: store.description,
      kubeconfig: kubeconfig.path,
      talosconfig: talosconfig.path,
      answers,
    },
    text: `Logged in to castle ${name}, with what ${store.description} holds\n  export KUBECONFIG=${kubeconfig.path}\n  export TALOSCONFIG=${talosconfig.path}`,
  };
}

/** A castle that is down keeps its credentials: that is told, and no failure. */
async function opens(kubeconfig: Secret, { signal }: Context, report: Report): Promise<boolean> {
  const api = new KubernetesApi(kubeconfig);
  try {
    await api.call({ path: "/version", signal });
    return true;
  } catch (error) {
    if (!(error instanceof CastleError) || error.code !== "kubernetes/unreachable") throw error;
    report({ type: "warning", message: error.message, hint: "castle status" });
    return false;
  } finally {
    api.close();
  }
}
