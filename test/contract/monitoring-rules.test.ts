import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rules } from "../../src/platform/monitoring/rules.ts";
import { scrapeConfig } from "../../src/platform/monitoring/scrape-config.ts";
import { run } from "../../src/support/run.ts";
import { partOrSkip } from "../fixtures/parts.ts";
import { fortress } from "../fixtures/talos/castle.ts";

const found = await partOrSkip("promtool");
const promtool = found ?? "promtool";

/** Series → its value, or promtool's words for several; undefined: the series is not there. */
type Series = Readonly<Record<string, number | string | undefined>>;

const DAY = 86_400;
const NUMBERS = [1, 2, 3];
const each = (series: (number: number) => string, value: number | string = 1): Series =>
  Object.fromEntries(NUMBERS.map((number) => [series(number), value]));

const member = (number: number, known = true, learner = false) =>
  `castle_etcd_member{id="${number}",name="fortress-cp-${number}",address="192.168.1.21${number}",known="${known}",learner="${learner}"}`;
const leader = (number: number) => `etcd_server_has_leader{job="etcd",instance="${number}"}`;
const nodeUp = (number: number) => `up{job="node",role="controlplane",instance="${number}"}`;
const held = (number: number) =>
  `node_network_address_info{job="node",address="192.168.1.210",instance="${number}"}`;
const planeMember = (number: number) => `castle_control_plane_member{name="fortress-cp-${number}"}`;
const certificate = 'castle_site_certificate_not_after_seconds{site="blog",host="blog.tazlab.net"}';
const siteUp = 'castle_site_up{site="blog",host="blog.tazlab.net"}';
const flux = 'castle_flux_ready{kind="Kustomization",namespace="flux-system",name="sites"}';
const controller = (name: string) => `up{job="${name}",instance="x"}`;
const source = 'castle_source_up{source="etcd"}';

/** A castle of three control planes with nothing amiss. */
const healthy: Series = {
  ...each((number) => member(number)),
  ...each(leader),
  ...each((number) => `etcd_server_is_learner{job="etcd",instance="${number}"}`, 0),
  ...Object.assign({}, ...NUMBERS.map((local) => each((remote) => peer(local, remote)))),
  ...each(nodeUp),
  ...each(planeMember),
  [held(1)]: 1,
  [certificate]: 60 * DAY,
  [siteUp]: 1,
  [flux]: 1,
  [controller("source-controller")]: 1,
  [controller("kustomize-controller")]: 1,
  [source]: 1,
};

function peer(local: number, remote: number): string {
  return `etcd_network_known_peers{job="etcd",instance="${local}",Local="${local}",Remote="${remote}"}`;
}

const gone = (...series: readonly string[]): Series =>
  Object.fromEntries(series.map((name) => [name, undefined]));

const faults: Readonly<Record<string, { readonly series: Series; readonly fires: readonly string[] }>> = {
  "nothing at all": { series: {}, fires: [] },
  "one control plane is off": { series: gone(leader(2)), fires: ["EtcdQuorumAtRisk"] },
  "two are off, and etcd cannot list its members": {
    series: { ...gone(leader(2), leader(3), ...NUMBERS.map((number) => member(number))) },
    fires: ["EtcdQuorumLost"],
  },
  "etcd runs and has no leader": {
    series: each(leader, 0),
    fires: ["EtcdQuorumLost"],
  },
  "a member of another castle's life is left": {
    series: { [member(9, false)]: 1 },
    fires: ["EtcdGhostMember", "EtcdQuorumAtRisk"],
  },
  "a ghost that has no vote takes none": {
    series: { [member(9, false, true)]: 1 },
    fires: ["EtcdGhostMember"],
  },
  "one is off, a ghost without a vote waits, and then nobody lists the members": {
    series: {
      ...each((number) => member(number), "1x8 stale"),
      ...gone(leader(2)),
      ...each((number) => peer(number, 9)),
      [source]: "1x8 stale",
    },
    fires: ["EtcdQuorumAtRisk", "MonitoringBlind"],
  },
  "a control plane never joined": {
    series: { [planeMember(3)]: 0, ...gone(member(3), leader(3)) },
    fires: ["EtcdMemberMissing", "EtcdQuorumAtRisk"],
  },
  "nobody holds the VIP": { series: gone(held(1)), fires: ["VipWithoutHolder"] },
  "two hold the VIP": { series: { [held(2)]: 1 }, fires: ["VipHeldTwice"] },
  "a certificate ends in thirteen days": {
    series: { [certificate]: 13 * DAY },
    fires: ["CertificateExpiring"],
  },
  "a certificate ends in fifteen days": { series: { [certificate]: 15 * DAY }, fires: [] },
  "Flux cannot apply a folder": { series: { [flux]: 0 }, fires: ["FluxStalled"] },
  "Flux' source-controller is gone": {
    series: gone(controller("source-controller")),
    fires: ["FluxStopped"],
  },
  "Flux' kustomize-controller does not answer": {
    series: { [controller("kustomize-controller")]: 0 },
    fires: ["FluxStopped", "TargetDown"],
  },
  "a site does not answer": { series: { [siteUp]: 0 }, fires: ["SiteDown"] },
  "the exporter cannot read etcd's members": {
    series: { [source]: 0, ...gone(...NUMBERS.map((number) => member(number))) },
    fires: ["MonitoringBlind"],
  },
  "the exporter is gone": { series: gone(source), fires: ["MonitoringBlind"] },
};

describe.skipIf(found === undefined)("the alerts", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "castle-rules-"));
    await writeFile(join(folder, "prometheus.yml"), stringify(scrapeConfig(fortress)));
    await writeFile(join(folder, "rules.yml"), stringify(rules(fortress)));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("are rules and a configuration that Prometheus takes", async () => {
    const config = await run(promtool, ["check", "config", "--syntax-only", join(folder, "prometheus.yml")]);
    expect(config.stdout).toContain("is valid prometheus config file syntax");
    const checked = await run(promtool, [
      "check",
      "rules",
      "--lint=all",
      "--lint-fatal",
      join(folder, "rules.yml"),
    ]);
    expect(checked.stdout).toContain("SUCCESS");
  });

  it.each(Object.entries(faults))("fire as they should when: %s", async (_what, { series, fires }) => {
    const file = join(folder, "test.yml");
    const test = {
      rule_files: ["rules.yml"],
      evaluation_interval: "15s",
      tests: [
        {
          interval: "15s",
          input_series: Object.entries({ ...healthy, ...series }).flatMap(([name, value]) =>
            value === undefined
              ? []
              : [{ series: name, values: typeof value === "string" ? value : `${value}x60` }],
          ),
          promql_expr_test: [firing("15s", []), firing("10m", fires)],
        },
      ],
    };
    await writeFile(file, stringify(test));
    expect((await run(promtool, ["test", "rules", file])).stdout).toContain("SUCCESS");
  });

  it("are all among those that a fault was made for", () => {
    const names = [...JSON.stringify(rules(fortress)).matchAll(/"alert":"(\w+)"/g)].map(([, name]) => name);
    const fired = new Set(Object.values(faults).flatMap(({ fires }) => fires));
    expect(names.length).toBeGreaterThan(8);
    expect(names.filter((name) => !fired.has(name ?? ""))).toEqual([]);
  });
});

/** What promtool is to find at that time. */
function firing(at: string, names: readonly string[]) {
  return {
    expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
    eval_time: at,
    exp_samples: names.map((name) => ({ labels: `{alertname="${name}"}`, value: 1 })),
  };
}
