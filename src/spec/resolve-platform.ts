import { formatAddress } from "./address.ts";
import type { Castle, Site } from "./castle.ts";
import { LAB_SITE } from "./defaults.ts";
import type { Outline } from "./outline.ts";
import type { Spec } from "./schema.ts";

type Platform = Pick<
  Castle,
  "backup" | "disks" | "loadBalancer" | "ingress" | "gitops" | "secrets" | "monitoring" | "sites"
>;

/** A day, and two hours for a backup that is taken once a day and was late. */
const MAX_AGE_HOURS = 26;

/**
 * All above the nodes. In a lab `gitops` brings its usual company along: addresses, an ingress with certificates, and a
 * site to see.
 */
export function resolvePlatform(spec: Spec, { kind, pool }: Outline): Platform {
  const { backup, castle, disks, gitops, monitoring } = spec;
  const whole = kind === "lab" && gitops !== undefined;
  const ingress = spec.ingress ?? (whole ? { tls: {} } : undefined);
  return {
    ...(disks?.encryption && {
      disks: { encryption: { key: disks.encryption.key, state: disks.encryption.state ?? false } },
    }),
    ...(pool && { loadBalancer: { pool: `${formatAddress(pool.first)}-${formatAddress(pool.last)}` } }),
    ...(ingress && { ingress: ingress.tls === undefined ? {} : { tls: certificates(castle, ingress.tls) } }),
    ...(gitops && {
      gitops: {
        ...(gitops.repository === undefined ? {} : { repository: gitops.repository }),
        branch: gitops.branch ?? "main",
        path: gitops.path ?? `clusters/${castle}`,
      },
    }),
    secrets: secrets(spec.secrets),
    ...(backup && { backup: backups(backup) }),
    ...(monitoring && { monitoring: monitors(monitoring) }),
    sites: (spec.sites ?? (whole ? [{ name: LAB_SITE, host: `${LAB_SITE}.${castle}.lan` }] : [])).map(
      (site) => resolveSite(castle, site),
    ),
  };
}

type Tls = NonNullable<NonNullable<Spec["ingress"]>["tls"]>;

/** Only a lab may leave these out. */
function certificates(castle: string, { acme, email, ca }: Tls) {
  return {
    acme: acme ?? "letsencrypt",
    email: email ?? `castle@${castle}.lan`,
    ...(ca === undefined ? {} : { ca }),
  };
}

function resolveSite(
  castle: string,
  { name, host, source, image }: NonNullable<Spec["sites"]>[number],
): Site {
  return { name, host, source: source ?? name, image: image ?? `registry.lan/${castle}/${name}` };
}

function monitors({ prometheus, grafana, webhook }: NonNullable<Spec["monitoring"]>) {
  return {
    prometheus: prometheus ?? false,
    grafana: grafana ?? false,
    ...(webhook === undefined ? {} : { webhook }),
  };
}

function backups({ to, keep, keepDays, maxAgeHours }: NonNullable<Spec["backup"]>) {
  return {
    ...(to === undefined ? {} : { to }),
    ...(keep === undefined ? {} : { keep }),
    ...(keepDays === undefined ? {} : { keepDays }),
    maxAgeHours: maxAgeHours ?? MAX_AGE_HOURS,
  };
}

function secrets(told: Spec["secrets"]): NonNullable<Castle["secrets"]> {
  if (told === undefined || told === "file") return { kind: "file" };
  const { project, environment, url } = told.infisical;
  return { kind: "infisical", project, environment, ...(url === undefined ? {} : { url }) };
}
