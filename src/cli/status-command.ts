import type { PlatformStatus } from "../lifecycle/platform-status.ts";
import { type CastleStatus, castleStatus } from "../lifecycle/status.ts";
import type { AnswerOf } from "./answer.ts";
import type { Context } from "./context.ts";
import { statusSources } from "./session.ts";
import { readSpecFile } from "./spec-file.ts";
import { table } from "./table.ts";

export async function statusOf(context: Context, file: string): Promise<AnswerOf<"CastleStatus">> {
  const status = await castleStatus(await statusSources(context, await readSpecFile(context, file)));
  return {
    kind: "CastleStatus",
    data: { ...status },
    text: statusText(status),
    exit: status.healthy ? 0 : 3,
  };
}

const HEADER = [
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

/** Stages of Talos in which a control plane's etcd is to be expected. */
const LIVING: ReadonlySet<string> = new Set(["booting", "running"]);

function statusText({ castle, healthy, nodes, etcd, vip, kubernetes, platform }: CastleStatus): string {
  const voteless = nodes.flatMap(({ name, role, talos, etcd: member }) =>
    role === "controlplane" && LIVING.has(talos) && member !== "leader" && member !== "voter" ? [name] : [],
  );
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
  return [
    `Castle ${castle} is ${healthy ? "healthy" : "not healthy"}`,
    `  etcd: ${etcd.voters.length} voters, leader ${etcd.leader ?? "none"}${voteless.length === 0 ? "" : `; without a vote: ${voteless.join(", ")} (castle ghosts tells why)`}`,
    `  VIP ${vip.address}: ${vip.holder ?? "nobody holds it"}`,
    `  Kubernetes API: ${kubernetes ?? "does not answer"}`,
    ...(platform === undefined ? [] : platformSummary(platform)),
    "",
    table([HEADER, ...rows]),
    ...(platform === undefined ? [] : ["", platformTables(platform)]),
  ].join("\n");
}

function platformSummary({ revision, source, ingress }: PlatformStatus): readonly string[] {
  const { wanted, address } = ingress;
  return [
    `  Flux: ${revision ?? source}`,
    ...(wanted === undefined
      ? []
      : [`  ingress: ${address ?? "no address"}${address === wanted ? "" : `, wanted ${wanted}`}`]),
  ];
}

function platformTables({ components, sites }: PlatformStatus): string {
  const componentRows = components.map(({ name, ready, message }) => [
    name,
    ready ? "ready" : "not ready",
    message,
  ]);
  const siteRows = sites.map(({ name, url, certificate }) => [name, url, certificate]);
  return [
    table([["COMPONENT", "STATE", ""], ...componentRows]),
    ...(siteRows.length === 0 ? [] : ["", table([["SITE", "URL", "CERTIFICATE"], ...siteRows])]),
  ].join("\n");
}
