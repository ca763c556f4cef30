import { labels } from "../labels.ts";
import type { Manifest } from "../manifest.ts";
import { keptOnRemoval } from "../upstream.ts";
import { COMPONENT, metadataOf } from "./names.ts";

const GROUP = "talos.dev";
const VERSION = "v1alpha1";

/** The Secret that Talos makes for the object of the same name: a talosconfig that it renews every few hours. */
export const TALOS_ACCESS = "exporter-talos";

/** Asks Talos for a certificate that reads and does nothing else. */
export function talosAccess(): Manifest[] {
  return [
    keptOnRemoval(definition),
    {
      apiVersion: `${GROUP}/${VERSION}`,
      kind: "ServiceAccount",
      metadata: metadataOf(TALOS_ACCESS),
      spec: { roles: ["os:reader"] },
    },
  ];
}

const text = { type: "string" };

/**
 * Talos makes the same one where it is missing, once its control planes are told to let pods in. Where a standing castle
 * gets its monitoring, Flux would otherwise wait for them.
 */
const definition: Manifest = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `serviceaccounts.${GROUP}`, labels: labels(COMPONENT, TALOS_ACCESS) },
  spec: {
    group: GROUP,
    names: {
      kind: "ServiceAccount",
      listKind: "ServiceAccountList",
      plural: "serviceaccounts",
      shortNames: ["tsa"],
      singular: "serviceaccount",
    },
    scope: "Namespaced",
    versions: [
      {
        name: VERSION,
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: {
              spec: { type: "object", properties: { roles: { type: "array", items: text } } },
              status: { type: "object", properties: { failureReason: text } },
            },
          },
        },
        served: true,
        storage: true,
      },
    ],
  },
};
