import { runStep } from "../../journal/step.ts";
import { formerName } from "../../secrets/store.ts";
import { renderConfigs } from "../../talos/config.ts";
import { generateSecrets } from "../../talos/secrets.ts";
import type { CastleRun } from "../castle-run.ts";
import { talosconfigOfLan } from "../talosconfig.ts";

/**
 * Makes the castle another one under the same name: new authorities, tokens and keys. The old ones stay in the store under
 * their former name; the talosconfig changes in the same moment, so that whoever goes on after a kill can talk to the nodes
 * that it makes. Only for nodes that are empty.
 */
export async function changeIdentity(run: CastleRun): Promise<void> {
  const { castle, ground, home, programs, report, signal, store } = run;
  await runStep(report, { id: "new-identity", title: "New secrets; the old ones kept" }, async () => {
    const [former, diskKey] = await Promise.all([store.get("talos-secrets"), store.get("disk-key")]);
    if (former === undefined) return { detail: "it had none yet" };
    const tool = { path: programs.talosctl, folder: home.talos, signal };
    const bundle = await generateSecrets(tool, castle.talos.version);
    const { talosconfig } = await renderConfigs(tool, castle, ground.nodes, {
      bundle,
      ...(diskKey === undefined ? {} : { diskKey }),
    });
    const name = formerName(former);
    await store.put({
      [name]: former,
      "talos-secrets": bundle,
      talosconfig: talosconfigOfLan(castle, talosconfig),
    });
    return { detail: `the old ones are ${name}` };
  });
}
