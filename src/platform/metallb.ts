import type { Component } from "./component.ts";
import { definition } from "./definition.ts";
import { labels } from "./labels.ts";
import {
  controllerDeployment,
  METALLB_NAMESPACE,
  SPEAKER_EXCLUSIONS,
  speakerDaemonSet,
} from "./metallb-workloads.ts";
import { podSecurity } from "./pod.ts";
import type { SourceObjects } from "./sources.ts";
import type { PlatformImages } from "./surroundings.ts";
import { relabelled } from "./upstream.ts";

const NAME = "metallb";
const namespace = METALLB_NAMESPACE;
const POOL = "castle";

/** MetalLB in its native layer-2 mode: no FRR, no BGP session. */
export function metallb(sources: SourceObjects, images: PlatformImages): Component {
  const upstream = (kind: string, name: string, of: string) =>
    relabelled(sources.one(NAME, kind, name), NAME, of);
  const access = (account: string, role: string) => [
    upstream("ServiceAccount", account, account),
    upstream("ClusterRole", `metallb-system:${account}`, account),
    upstream("ClusterRoleBinding", `metallb-system:${account}`, account),
    upstream("Role", role, account),
    upstream("RoleBinding", role, account),
  ];
  return {
    name: NAME,
    dependsOn: [],
    files: {
      "namespace.yaml": [
        {
          apiVersion: "v1",
          kind: "Namespace",
          // The speaker answers ARP on the node's own network card.
          metadata: { name: namespace, labels: { ...labels(NAME, NAME), ...podSecurity("privileged") } },
        },
      ],
      "crds.yaml": sources.definitions("metallb.io").map((upstream) => definition(upstream, NAME, NAME)),
      "rbac.yaml": [...access("controller", "controller"), ...access("speaker", "pod-lister")],
      "webhook.yaml": [
        // Empty in Git: the controller makes its own certificate and puts it here.
        upstream("Secret", "metallb-webhook-cert", "controller"),
        upstream("Service", "metallb-webhook-service", "controller"),
        upstream("ValidatingWebhookConfiguration", "metallb-webhook-configuration", "controller"),
      ],
      "controller.yaml": [controllerDeployment(images.metallbController)],
      "speaker.yaml": [
        upstream("ConfigMap", SPEAKER_EXCLUSIONS, "speaker"),
        speakerDaemonSet(images.metallbSpeaker),
      ],
    },
  };
}

/**
 * The castle's addresses. MetalLB's webhook refuses them until it runs, so they come after it.
 * @param pool FIRST-LAST
 */
export function metallbPool(pool: string): Component {
  const metadata = { name: POOL, namespace, labels: labels("metallb-pool", POOL) };
  return {
    name: "metallb-pool",
    dependsOn: [NAME],
    files: {
      "pool.yaml": [
        { apiVersion: "metallb.io/v1beta1", kind: "IPAddressPool", metadata, spec: { addresses: [pool] } },
        {
          apiVersion: "metallb.io/v1beta1",
          kind: "L2Advertisement",
          metadata,
          spec: { ipAddressPools: [POOL] },
        },
      ],
    },
  };
}
