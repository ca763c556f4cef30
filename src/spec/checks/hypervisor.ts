import type { Draft } from "../draft.ts";
import type { Path } from "../fault.ts";
import { hypervisorKind } from "../outline.ts";
import { checkDuplicates } from "./duplicates.ts";

/** One hypervisor, its hosts told once, and on a rack everything that castle would otherwise have to guess. */
export function checkHypervisor(draft: Draft): void {
  const hypervisor: Path = ["hypervisor"];
  const proxmox = [...hypervisor, "proxmox"];
  const lab = [...hypervisor, "lab"];
  if (draft.has(proxmox) && draft.has(lab)) {
    const message = "hypervisor has both lab and proxmox, expected one of them";
    draft.fault(hypervisor, { message, hint: "a castle stands on one hypervisor", part: "key" });
    return;
  }
  if (
    draft.trusts(hypervisor) &&
    draft.keys(hypervisor).length === 0 &&
    draft.text(hypervisor) === undefined
  ) {
    draft.fault(hypervisor, { message: "hypervisor is empty, expected lab or proxmox" });
    return;
  }
  const node = [...proxmox, "node"];
  const nodes = [...proxmox, "nodes"];
  if (draft.has(node) && draft.has(nodes)) {
    const message = "hypervisor.proxmox has both node and nodes, expected one of them";
    draft.fault(nodes, { message, hint: "one host: node; several: nodes", part: "key" });
  } else if (hypervisorKind(draft) === "proxmox" && !draft.has(node) && !draft.has(nodes)) {
    if (draft.trusts(node) && draft.trusts(nodes)) {
      draft.fault(node, {
        message: "hypervisor.proxmox.node is missing, expected the name of the Proxmox node",
      });
    }
  }
  checkDuplicates(draft, nodes);
  checkDuplicates(draft, [...lab, "hosts"]);
}
