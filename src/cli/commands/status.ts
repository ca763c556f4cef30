import { buildCommand } from "@stricli/core";
import type { CastleStatus } from "../../lifecycle/status.ts";
import { answer } from "../answer.ts";
import type { Context } from "../context.ts";
import { type FileFlags, type OutputFlags, aliases, fileFlag, outputFlag } from "../flags.ts";
import { table } from "../table.ts";

export const statusCommand = buildCommand({
  docs: {
    brief: "Show nodes, roles, etcd voters and leader, VIP holder, versions",
    fullDescription:
      "Asks hypervisor, machine API, etcd and Kubernetes at once. Exit code 3 where something is not as the spec says.",
  },
  parameters: { flags: { ...fileFlag, ...outputFlag }, aliases },
  async func(this: Context, flags: FileFlags & OutputFlags) {
    await answer(this, flags.output, async () => {
      const [{ readSpecFile }, { statusSources }, { castleStatus }] = await Promise.all([
        import("../spec-file.ts"),
        import("../session.ts"),
        import("../../lifecycle/status.ts"),
      ]);
      const status = await castleStatus(await statusSources(this, await readSpecFile(this, flags.file)));
      return {
        kind: "CastleStatus",
        data: { ...status },
        text: statusText(status),
        exit: status.healthy ? 0 : 3,
      };
    });
  },
});

function statusText({ castle, healthy, nodes, etcd, vip, kubernetes }: CastleStatus): string {
  const rows = nodes.map((node) => [
    node.name,
    node.role === "controlplane" ? "control plane" : "worker",
    node.address,
    node.host,
    node.machine,
    node.talos,
    node.etcd ?? "-",
    node.vip ? "holds it" : "-",
    node.kubernetes,
    [node.talosVersion, node.kubeletVersion].filter((version) => version !== undefined).join(" / "),
  ]);
  const header = [
    "NODE",
    "ROLE",
    "ADDRESS",
    "HOST",
    "MACHINE",
    "TALOS",
    "ETCD",
    "VIP",
    "KUBERNETES",
    "VERSIONS",
  ];
  return [
    `Castle ${castle} is ${healthy ? "healthy" : "not healthy"}`,
    `  etcd: ${etcd.voters.length} voters, leader ${etcd.leader ?? "none"}`,
    `  VIP ${vip.address}: ${vip.holder ?? "nobody holds it"}`,
    `  Kubernetes API: ${kubernetes ?? "does not answer"}`,
    "",
    table([header, ...rows]),
  ].join("\n");
}
