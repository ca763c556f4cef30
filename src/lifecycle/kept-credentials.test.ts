import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serverCertificate } from "../lab/hypervisor/certificate.ts";
import { stillServes } from "./kept-credentials.ts";

let folder = "";
let certificate = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "castle-kept-"));
  ({ certificate } = await serverCertificate(folder, "IP:127.0.0.1"));
});
afterAll(() => rm(folder, { recursive: true }));

const day = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * day);

test("a credential is kept until half of its life is over", () => {
  const one = { authority: "a", certificate, leads: "here" };
  expect(stillServes(one, one, inDays(0))).toBe(true);
  expect(stillServes(one, one, inDays(365 * 99))).toBe(false);
});

test("a credential of another authority, or one that cannot be read, is replaced", () => {
  const fresh = { authority: "a", certificate, leads: "here" };
  expect(stillServes({ ...fresh, authority: "b" }, fresh, inDays(0))).toBe(false);
  expect(stillServes({ ...fresh, certificate: "" }, fresh, inDays(0))).toBe(false);
});

test("a credential that leads to the castle's old addresses is replaced", () => {
  const fresh = { authority: "a", certificate, leads: "https://192.168.1.220:6443/" };
  expect(stillServes({ ...fresh, leads: "https://192.168.1.210:6443/" }, fresh, inDays(0))).toBe(false);
});
