import { z } from "zod";
import { parsedJson } from "../support/json.ts";

const Resource = z.object({ addr: z.string() });
const Hook = z.object({
  resource: Resource,
  action: z.string().optional(),
  elapsed_seconds: z.number().optional(),
});

export const Diagnostic = z.object({
  severity: z.enum(["error", "warning"]),
  summary: z.string(),
  detail: z.string().default(""),
  address: z.string().optional(),
});

const PlannedChange = z.object({ resource: Resource, action: z.string() });

export type PlannedChange = z.infer<typeof PlannedChange>;

export type Diagnostic = z.infer<typeof Diagnostic>;

/** The lines of Terraform's machine-readable UI that castle acts on; its format 1.x only ever adds to them. */
const Message = z.discriminatedUnion("type", [
  z.object({ type: z.literal("apply_start"), hook: Hook }),
  z.object({ type: z.literal("apply_progress"), hook: Hook }),
  z.object({ type: z.literal("apply_complete"), hook: Hook }),
  z.object({ type: z.literal("apply_errored"), hook: Hook }),
  z.object({ type: z.literal("refresh_start"), hook: Hook }),
  z.object({ type: z.literal("refresh_complete"), hook: Hook }),
  z.object({
    type: z.literal("planned_change"),
    change: PlannedChange,
  }),
  z.object({ type: z.literal("diagnostic"), diagnostic: Diagnostic }),
]);

export type TerraformMessage = z.infer<typeof Message>;

/** undefined: a line that castle has no use for, or no JSON at all (a crash's stack trace). */
export function parseMessage(line: string): TerraformMessage | undefined {
  return Message.safeParse(parsedJson(line)).data;
}
