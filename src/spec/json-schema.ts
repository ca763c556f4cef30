import { z } from "zod";
import { specSchema } from "./schema.ts";

/** Where the schema lies in the repository. */
export const SCHEMA_FILE = "docs/schemas/castle.schema.json";

/** The JSON Schema of castle.yaml for editors, as the text of its file. Draft 7: the one that editors read best. */
export function renderJsonSchema(): string {
  const { $schema, ...shape } = z.toJSONSchema(specSchema, { io: "input", target: "draft-7" });
  const about = {
    title: "castle.yaml",
    description: "A highly available Talos Kubernetes cluster on Proxmox.",
  };
  return `${JSON.stringify({ $schema, ...about, ...shape }, undefined, 2)}\n`;
}
