import { cureText } from "../ghosts/cure-text.ts";
import type { JudgedGhost } from "../ghosts/ghost.ts";
import type { Diagnosis } from "./disease.ts";

/** Ghosts as the doctor tells them: judged in a room of their own, where the cure is too. */
export function diagnoseGhosts(ghosts: readonly JudgedGhost[]): readonly Diagnosis[] {
  return ghosts
    .filter(({ state }) => state.kind === "ghost")
    .map(({ class: name, title, subject, evidence, cures }) => ({
      disease: "ghost",
      // What only discovery or Kubernetes remember takes nobody's vote.
      severity: name === "G7" ? "warning" : "critical",
      object: subject,
      message: `${name}: ${title}`,
      evidence: evidence.map(({ source, fact }) => `${source}: ${fact}`),
      fix: cures.map(cureText).join(", then "),
      command: "castle ghosts --cure",
    }));
}
