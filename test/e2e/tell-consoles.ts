import { afterEach } from "vitest";
import { CastleCommand } from "./castle-command.ts";
import { tellMachines } from "./machine-words.ts";

// Also in a suite's preparation, whose failure no hook of a test sees.
CastleCommand.onFailure = tellMachines;

afterEach(async ({ task }) => {
  if (task.result?.state !== "fail") return;
  for (const castle of CastleCommand.prepared) await tellMachines(castle);
});
