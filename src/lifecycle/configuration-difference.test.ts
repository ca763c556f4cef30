import { expect, test } from "vitest";
import { differingPaths } from "./configuration-difference.ts";

const active = `
machine:
  token: very-secret
  kubelet: {extraConfig: {httpCheckFrequency: 20s}}
cluster:
  etcd: {subnets: [10.0.0.0/8]}
`;

test("nothing differs where only order and quoting do", () => {
  const same = `
cluster: {"etcd": {"subnets": ["10.0.0.0/8"]}}
machine:
  kubelet:
    extraConfig:
      httpCheckFrequency: "20s"
  token: 'very-secret'
`;
  expect(differingPaths(active, same)).toEqual([]);
});

test("paths of what changed, came and went, and no values", () => {
  const wanted = `
machine:
  token: other-secret
  kubelet: {extraConfig: {}}
  sysctls: {net.ipv4.ip_forward: "1"}
cluster:
  etcd: {subnets: [10.0.0.0/8, 10.1.0.0/16]}
`;
  const paths = differingPaths(active, wanted);
  expect(paths).toEqual([
    "cluster.etcd.subnets",
    "machine.kubelet.extraConfig.httpCheckFrequency",
    "machine.sysctls",
    "machine.token",
  ]);
  expect(paths.join(" ")).not.toContain("secret-");
});

test("further documents go by kind and name", () => {
  const more = `${active}---\napiVersion: v1alpha1\nkind: WatchdogTimerConfig\ntimeout: 1m\n`;
  expect(differingPaths(active, more)).toEqual(["WatchdogTimerConfig"]);
  expect(differingPaths(more, more.replace("1m", "2m"))).toEqual(["WatchdogTimerConfig.timeout"]);
});
