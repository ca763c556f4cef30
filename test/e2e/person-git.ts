import type { RunningLab } from "../../src/lab/daemon/launch.ts";
import { run } from "../../src/support/run.ts";

/** Git as a person calls it in a folder. @returns what it printed */
export type PersonGit = (...args: readonly string[]) => Promise<string>;

export function personGit(folder: string): PersonGit {
  const person = ["-c", "user.name=Person", "-c", "user.email=person@example.org"];
  // Not this user's own settings, but the repository's: the blog's has a login of its own.
  const env = { GIT_TERMINAL_PROMPT: "0", GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
  return async (...args) =>
    (await run("git", [...person, ...args], { cwd: folder, env, timeout: 30_000 })).stdout.trim();
}

/** Address of the castle's own repository, from outside of the LAN, with the login to it. */
export function manifestsUrl(lab: RunningLab, castle: string): string {
  const { git } = lab.descriptor.lan;
  if (git === undefined) throw new Error("the lab has no Git server: its castle has no platform");
  return `${git.outside}/${castle}.git`.replace("//", `//${git.username}:${git.token}@`);
}

/** A person's clone of the castle's own repository, in an empty folder. */
export async function cloneManifests(lab: RunningLab, castle: string, folder: string): Promise<PersonGit> {
  const person = personGit(folder);
  await person("clone", "-q", manifestsUrl(lab, castle), ".");
  return person;
}

/** An override's kustomization.yaml that changes one object of the component. @param operation of JSON Patch, as YAML */
export function componentOverride(target: { kind: string; name: string }, operation: string): string {
  return `apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
patches:
  - target: { kind: ${target.kind}, name: ${target.name} }
    patch: |
      - ${operation}
`;
}
