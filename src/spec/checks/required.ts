import type { Draft } from "../draft.ts";
import { formatPath, type Path } from "../fault.ts";
import { hypervisorKind } from "../outline.ts";

/** What a rack cannot do without. The lab has a default for each. */
export function checkRequired(draft: Draft): void {
  if (hypervisorKind(draft) !== "proxmox") return;
  if (absent(draft, ["network"])) {
    missing(draft, ["network"], "a section with the keys cidr, gateway and vip");
  } else {
    for (const [key, what] of Object.entries(networkKeys)) {
      if (absent(draft, ["network", key])) missing(draft, ["network", key], what);
    }
  }
  const planes = ["nodes", "controlPlanes"];
  if (absent(draft, ["nodes"])) missing(draft, ["nodes"], "a section with the key controlPlanes");
  else if (absent(draft, planes)) missing(draft, planes, "a section with count and from, or with addresses");
  else requireAddresses(draft, planes);
  const workers = ["nodes", "workers"];
  if (draft.has(workers) && draft.number([...workers, "count"]) !== 0) requireAddresses(draft, workers);
  requirePlatform(draft);
  requireRegistry(draft);
}

/** Keys of sections that need not be there, and of each site. */
function requirePlatform(draft: Draft): void {
  const sections: readonly (readonly [Path, string, string])[] = [
    [["gitops"], "repository", "the address of a Git repository, such as https://git.lan/tazlab-k8s.git"],
    [["loadBalancer"], "pool", "FIRST-LAST, such as 192.168.1.230-192.168.1.239"],
    [
      ["ingress", "tls"],
      "acme",
      "letsencrypt, letsencrypt-staging or the https address of an ACME directory",
    ],
    [["ingress", "tls"], "email", "an e-mail address such as me@example.org"],
    ...Array.from({ length: draft.count(["sites"]) }, (_, index): Path => ["sites", index]).flatMap(
      (site) =>
        [
          [site, "source", "the folder of the site's source, such as ../blog-src"],
          [site, "image", "the name of an image, such as registry.lan/tazlab/blog"],
        ] as const,
    ),
  ];
  for (const [section, key, expected] of sections) {
    const path = [...section, key];
    if (draft.has(section) && absent(draft, path)) missing(draft, path, expected);
  }
}

/** Whoever brings images of castle's own along, which no public registry has. */
function requireRegistry(draft: Draft): void {
  const wanted =
    draft.has(["ingress", "tls"]) ||
    draft.count(["sites"]) > 0 ||
    draft.is(["monitoring", "prometheus"], true);
  if (!wanted || !draft.has(["gitops"]) || !absent(draft, ["registry"])) return;
  missing(
    draft,
    ["registry"],
    "where castle puts images of its own for the nodes, such as registry.lan/tazlab",
  );
}

const NO_DEFAULT = "a rack has no default for it; hypervisor: lab has one";

const networkKeys = {
  cidr: "the network that the nodes live in, such as 192.168.1.0/24",
  gateway: "the address of the router",
  vip: "a free address for the Kubernetes API",
} as const;

function requireAddresses(draft: Draft, section: Path): void {
  const [count, from, addresses] = ["count", "from", "addresses"].map((key) => [...section, key]);
  if (!count || !from || !addresses || !absent(draft, addresses)) return;
  if (absent(draft, count) && absent(draft, from)) {
    const message = `${formatPath(section)} has no addresses, expected count and from, or addresses`;
    draft.fault(addresses, { message, hint: NO_DEFAULT });
  } else if (absent(draft, from)) {
    missing(draft, from, "the first node's address");
  } else if (absent(draft, count)) {
    missing(draft, count, "how many nodes there are");
  }
}

function absent(draft: Draft, path: Path): boolean {
  return !draft.has(path) && draft.trusts(path);
}

function missing(draft: Draft, path: Path, expected: string): void {
  draft.fault(path, { message: `${formatPath(path)} is missing, expected ${expected}`, hint: NO_DEFAULT });
}
