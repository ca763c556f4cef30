import type { Cure } from "./ghost.ts";

/** What a cure does, as a sentence without its full stop. */
export function cureText(cure: Cure): string {
  switch (cure.kind) {
    case "wait":
      return `wait: it ends by itself within ${cure.seconds} s, or becomes a ghost`;
    case "remove-member":
      return `remove member ${cure.member} from etcd`;
    case "wipe-etcd":
      return `wipe ${cure.node}'s disk, etcd's old data with it, and let it join anew`;
    case "reprovision":
      return `make ${cure.node}'s machine anew, with an empty disk and this castle's configuration`;
    case "delete-node":
      return `delete the Node ${cure.node} from Kubernetes`;
    case "expire":
      return `make discovery forget ${cure.node}; by itself it does so within 30 minutes`;
    case "block-upgrade":
      return `go back to etcd 3.5 on what was upgraded, bring every etcd to ${cure.until} or newer, and only then to 3.6`;
    default:
      return cure satisfies never;
  }
}
