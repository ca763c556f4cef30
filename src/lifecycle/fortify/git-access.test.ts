import { describe, expect, it } from "vitest";
import type { SecretName, SecretStore } from "../../secrets/store.ts";
import { parseSpec } from "../../spec/parse.ts";
import { Secret } from "../../support/secret.ts";
import { isSshAddress } from "./deploy-key.ts";
import { ensureGitAccess, gitAccess } from "./git-access.ts";

function memoryStore(): SecretStore {
  const kept = new Map<SecretName, Secret>();
  return {
    description: "memory",
    get: (name) => Promise.resolve(kept.get(name)),
    put: (values) => {
      for (const [name, secret] of Object.entries(values)) {
        if (secret !== undefined && name === "gitops-credentials") kept.set(name, secret);
      }
      return Promise.resolve();
    },
    list: () => Promise.resolve([]),
    sync: () => Promise.resolve([]),
  };
}

function runOn(store: SecretStore) {
  const parsed = parseSpec("castle: fortress\nhypervisor: lab\ngitops: {}\n", "castle.yaml");
  if ("faults" in parsed) throw new Error("the spec has faults");
  return { castle: parsed.castle, store, signal: new AbortController().signal };
}

const on = (url: string) => ({ repository: { inside: url, outside: url } });
const https = on("https://git.lan/k8s.git");

describe("access to the GitOps repository", () => {
  it("is the ground's own login where it has one", async () => {
    const run = runOn(memoryStore());
    const login = { username: "castle", token: new Secret("lab-token") };
    const access = await ensureGitAccess(run, { ...https, login }, { token: new Secret("other") });
    expect(access.secret).toEqual({ username: "castle", password: "lab-token" });
    expect(await run.store.get("gitops-credentials")).toBeUndefined();
  });

  it("is a token that was given once, kept for the next run, until another is given", async () => {
    const run = runOn(memoryStore());
    expect((await ensureGitAccess(run, https, { token: undefined })).credentials).toBeUndefined();
    await ensureGitAccess(run, https, { token: new Secret("bot:one:1") });
    expect((await gitAccess(run, https)).secret).toEqual({ username: "bot", password: "one:1" });
    expect((await ensureGitAccess(run, https, { token: undefined })).secret?.["password"]).toBe("one:1");
    await ensureGitAccess(run, https, { token: new Secret("two") });
    expect((await gitAccess(run, https)).secret).toEqual({ username: "git", password: "two" });
  });

  it("is refused for an SSH server that the user does not know", async () => {
    const ssh = on("ssh://git@nobody-knows.invalid:2222/k8s.git");
    await expect(ensureGitAccess(runOn(memoryStore()), ssh, { token: undefined })).rejects.toMatchObject({
      code: "gitops/untrusted",
      hint: expect.stringContaining("ssh-keyscan -p 2222 nobody-knows.invalid"),
    });
  });

  it("tells SSH addresses from others", () => {
    expect(["ssh://git@git.lan/k8s.git", "git@git.lan:tazlab/k8s.git"].filter(isSshAddress)).toHaveLength(2);
    expect(
      ["https://git.lan/k8s.git", "http://git.lan:3080/k8s.git", "file:///srv/k8s.git"].filter(isSshAddress),
    ).toEqual([]);
  });
});
