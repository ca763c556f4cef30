import { failoverSection } from "./failover.ts";
import { ghostsSection } from "./ghosts.ts";
import { helpSection } from "./help.ts";
import { movesSection } from "./moves.ts";
import { reconcileSection } from "./reconcile.ts";
import { riseSection } from "./rise.ts";
import { platformSection } from "./platform.ts";
import { publishSection } from "./publish.ts";
import type { Section } from "./section.ts";
import { siteSection } from "./site.ts";
import { workerLossSection } from "./worker-loss.ts";

/** All sections, in the order in which they are run. */
export const sections: readonly Section[] = [
  helpSection,
  siteSection,
  riseSection,
  platformSection,
  reconcileSection,
  failoverSection,
  movesSection,
  workerLossSection,
  publishSection,
  ghostsSection,
];
