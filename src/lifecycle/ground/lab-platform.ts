import { CastleError } from "../../errors/castle-error.ts";
import type { RunningLab } from "../../lab/daemon/launch.ts";
import type { StoreImage } from "../../lab/parts/store.ts";
import type { Castle } from "../../spec/castle.ts";
import { Secret } from "../../support/secret.ts";
import type { PlatformGround } from "./ground.ts";

/** What a lab needs to serve a platform, besides what every lab has. */
export interface LabPlatformParts {
  readonly images: readonly StoreImage[];
  /** Path of the ACME server's program. */
  readonly pebble: string;
}

/**
 * The lab's Git repository, registry and ACME server.
 * @param parts undefined: nothing is started; what does not run yet is an error
 * @throws CastleError lifecycle/not-raised
 */
export async function labPlatform(
  { name, network, gitops, ingress }: Castle,
  { control }: RunningLab,
  parts: LabPlatformParts | undefined,
): Promise<PlatformGround> {
  const told = gitops?.repository;
  const wantsGit = told === undefined;
  const wantsAcme = ingress?.tls !== undefined && !ingress.tls.acme.startsWith("http");
  const [services, registry] = await Promise.all([
    control.call(
      "services",
      parts === undefined ? {} : { git: wantsGit, acme: wantsAcme, pebble: parts.pebble },
    ),
    control.call("forward", {
      name: "registry",
      targets: [{ address: network.gateway, port: REGISTRY_PORT }],
    }),
    parts === undefined ? undefined : control.call("images", { images: [...parts.images] }),
  ]);
  const { git, acme } = services;
  if ((wantsGit && git === undefined) || (wantsAcme && acme === undefined)) {
    throw new CastleError("lifecycle/not-raised", {
      message: `The lab of castle ${name} does not serve ${wantsGit && git === undefined ? "a Git repository" : "certificates"} yet`,
      hint: "castle up",
    });
  }
  const addRoots = async (roots: string) =>
    (await control.call("services", { acme: true, roots })).acme?.roots ?? roots;
  return {
    repository:
      told === undefined
        ? { inside: `${git?.inside}/${name}.git`, outside: `${git?.outside}/${name}.git` }
        : { inside: told, outside: told },
    ...(git === undefined || !wantsGit
      ? {}
      : { login: { username: git.username, token: new Secret(git.token) } }),
    registry,
    ...(acme === undefined || !wantsAcme ? {} : { acme: { ...acme, addRoots } }),
  };
}

const REGISTRY_PORT = 5000;
