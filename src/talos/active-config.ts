import { z } from "zod";
import type { CallSettings, TalosClient } from "./client.ts";
import { type Kind, getResource } from "./resources.ts";

/** The configuration that a node runs; its spec is the YAML itself. */
const machineConfigs: Kind<string> = {
  namespace: "config",
  type: "MachineConfigs.config.talos.dev",
  spec: z.union([z.string(), z.looseObject({})]).transform((spec) =>
    // A single document comes as what it says, several as text; JSON is YAML.
    typeof spec === "string" ? spec : JSON.stringify(spec),
  ),
};

/** The node's whole configuration as YAML, secrets included; undefined: it has none yet. @throws CastleError talos/… */
export async function activeConfig(
  client: TalosClient,
  settings: CallSettings = {},
): Promise<string | undefined> {
  return (await getResource(client, machineConfigs, "v1alpha1", settings))?.spec;
}
