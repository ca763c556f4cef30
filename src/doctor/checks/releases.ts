import { z } from "zod";
import { SITE, siteNamespace } from "../../platform/site-names.ts";
import type { Check } from "../check.ts";
import type { Finding } from "../finding.ts";
import { hasLabels, podTemplates } from "../manifests/pods.ts";
import { objectName } from "../manifests/manifest.ts";

const Pod = z.object({
  metadata: z.object({ deletionTimestamp: z.string().optional() }),
  spec: z.object({ containers: z.array(z.object({ name: z.string(), image: z.string() })) }),
});

export const releases: Check = {
  id: "releases",
  title: "Every site's pods run the release that Git names",
  judge: ({ castle, git, objects }) => {
    if (castle.gitops === undefined || git === undefined) return [];
    if (git.silent !== undefined) return { unknown: git.silent };
    if (objects.silent !== undefined) return { unknown: objects.silent };
    const unread = objects.unread.get("Deployment") ?? objects.unread.get("Pod");
    if (unread !== undefined) return { unknown: unread };
    const templates = podTemplates(objects.objects);
    return (castle.sites ?? []).flatMap(({ name }): Finding[] => {
      const wanted = git.images.get(name);
      if (wanted === undefined) return [];
      const namespace = siteNamespace(name);
      const deployment = `Deployment ${namespace}/${SITE}`;
      const template = templates.find(({ manifest }) => objectName(manifest) === deployment);
      if (template === undefined) return [other(deployment, "it is not there")];
      const named = template.spec.containers.find((one) => one.name === SITE)?.image;
      if (named !== wanted) return [other(deployment, `it runs ${named ?? "nothing"}, Git names ${wanted}`)];
      return objects.objects.flatMap((manifest): Finding[] => {
        if (manifest.kind !== "Pod" || manifest.namespace !== namespace) return [];
        if (!hasLabels(manifest.labels, template.labels)) return [];
        const pod = Pod.safeParse(manifest.body).data;
        if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return [];
        const runs = pod.spec.containers.find((one) => one.name === SITE)?.image;
        return runs === wanted
          ? []
          : [other(`Pod ${namespace}/${manifest.name}`, `it runs ${runs ?? "nothing"}, Git names ${wanted}`)];
      });
    });
  },
};

function other(object: string, message: string): Finding {
  return { severity: "warning", object, message, fix: "castle reconcile" };
}
