import { z } from "zod";
import { backupSection } from "./schema-backup.ts";
import { addressPattern, cidrPattern, rangePattern } from "./address.ts";
import { section, text, whole } from "./schema-parts.ts";
import { likelySize, sizePattern } from "./size.ts";
import { versionPattern } from "./versions.ts";

/*
 * The shape of castle.yaml. Every `error` says what would be right, as the end of a sentence that begins
 * "network.vip is 192.168.1.300, expected …". What one value means for another is judged in `checks/`.
 */

/** The longest node name is NAME-worker-NNN and has to fit into the 63 characters of a DNS label. */
const LONGEST_NAME = 52;

const label = "[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?";
const labelPattern = new RegExp(`^${label}$`);
const hostNamePattern = new RegExp(`^(?=.{1,253}$)${label}(?:\\.${label})*$`);
const siteHostPattern = new RegExp(`^(?=.{1,253}$)${label}(?:\\.${label})+$`);
const imageName = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const imagePattern = new RegExp(
  `^(?:${label}(?:\\.${label})*(?::[0-9]{1,5})?/)?${imageName}(?:/${imageName})*$`,
);
const taggedImagePattern = new RegExp(
  `${imagePattern.source.slice(0, -1)}(?::[\\w.-]+)?(?:@sha256:[0-9a-f]{64})?$`,
);

function list<Item extends z.ZodType>(item: Item, expected: string) {
  return z.array(item, { error: expected }).min(1, { error: expected });
}

const yesOrNo = z.boolean({ error: "true or false" });
const address = text(addressPattern, "an IPv4 address such as 192.168.1.210");
const size = text(sizePattern, (input) => {
  const likely = likelySize(input);
  const example = likely === undefined ? "4GiB" : likely;
  return `a whole number with the unit MiB, GiB or TiB, ${likely === undefined ? "such as" : "probably"} ${example}`;
});
const version = (example: string) =>
  text(versionPattern, `a full version with the leading v, such as ${example}`);
const hostLabel = text(labelPattern, "the name of a Proxmox node, such as pve1");
const webAddress = (expected: string, scheme: "https" | "https?" = "https?") =>
  text(new RegExp(`^${scheme}://[^\\s/@:]+(?::[0-9]{1,5})?(?:/[^\\s]*)?$`), expected);

const patch = z.record(z.string(), z.unknown(), {
  error: "a strategic merge patch: a mapping in the shape of Talos' machine config",
});
const patches = z.array(patch, { error: "a list of strategic merge patches" });

const castleName = z
  .string({
    error: ({ input }) =>
      typeof input === "number" ? `a name, in quotes: "${input}"` : "a name, such as fortress",
  })
  .regex(new RegExp(`^(?=.{1,${LONGEST_NAME}}$)${label}$`), {
    error: ({ input }) =>
      typeof input === "string" && input.length > LONGEST_NAME
        ? `at most ${LONGEST_NAME} characters, so that NAME-worker-100 fits into a host name`
        : "lower-case letters, digits and dashes, with no dash at either end, such as fortress",
  });

const wardenExpected = "off or an image with its tag, such as registry.lan/castle/vip-warden:v1";

const networkSection = section({
  cidr: text(cidrPattern, "a network such as 192.168.1.0/24").describe(
    "The network that the nodes live in. Lab default: 192.168.1.0/24.",
  ),
  gateway: address.describe("Lab default: the network's first address."),
  vip: address.describe("The address of the Kubernetes API, held by one control plane at a time."),
  vipWarden: z
    .union([z.literal("off"), text(taggedImagePattern, wardenExpected)], { error: wardenExpected })
    .describe(
      "The image of castle's vip-warden, which lets the VIP leave a dead control plane within seconds, or off. Default: the lab's own, or the one that castle puts into `registry`; on a rack without a registry off.",
    ),
  dns: list(address, "a list of the name servers' IPv4 addresses").describe("Default: the gateway."),
  ntp: list(
    text(hostNamePattern, "the name or the IPv4 address of a time server"),
    "a list of time servers",
  ).describe("Default: Talos' own time server."),
  dhcp: text(rangePattern, "FIRST-LAST, such as 192.168.1.100-192.168.1.199").describe(
    "The range that the router gives to others, for castle to keep clear of.",
  ),
  vlan: whole(1, 4094, "the VLAN's tag").describe("The tag that the machines' ports carry."),
}).partial();

function nodeGroup(least: number, most: number, what: string) {
  return section({
    count: whole(least, most, what).describe("How many; their addresses are counted up from `from`."),
    from: address.describe("The first node's address; each further node takes the next one."),
    addresses: list(address, "a list of IPv4 addresses").describe("Stands instead of `count` and `from`."),
    cores: whole(1, 512, "the number of cores"),
    memory: size.describe("For example 4GiB."),
    disk: size.describe("The size of the disk, in whole GiB, for example 20GiB."),
  }).partial();
}

const nodesSection = section({
  controlPlanes: nodeGroup(1, 7, "an odd number of control planes").describe(
    "They hold etcd: an odd number, three for a castle that survives the loss of one.",
  ),
  workers: nodeGroup(0, 800, "the number of workers").describe(
    "Lab default: two. On a rack none unless told.",
  ),
  patches: z
    .record(z.string(), patches, { error: "a mapping from node name to its list of patches" })
    .describe("Strategic merge patches of one node alone, under its name, for example fortress-worker-1."),
}).partial();

const proxmoxSection = section({
  endpoint: text(/^https:\/\/[^\s/@:]+(?::[0-9]{1,5})?\/?$/, (input) =>
    `https://HOST:8006 ${endpointFault(input)}`.trimEnd(),
  ).describe("The Proxmox API. Its token comes from the environment."),
  node: hostLabel.describe("The one Proxmox node that carries all machines.").optional(),
  nodes: list(hostLabel, "a list of the names of Proxmox nodes")
    .describe("Several Proxmox nodes: control planes and workers are spread over them.")
    .optional(),
  datastore: text(/^[A-Za-z][-\w.]*$/, "the name of a storage, such as local-lvm")
    .describe("Where the machines' disks lie. Default: local-lvm.")
    .optional(),
  imageDatastore: text(
    /^[A-Za-z][-\w.]*$/,
    "the name of a storage with the content type import, such as local",
  )
    .describe("Where the Talos image is downloaded to; its content types must hold import. Default: local.")
    .optional(),
  bridge: text(/^[A-Za-z][-\w.]{0,14}$/, "the name of a network bridge, such as vmbr0")
    .describe("Default: vmbr0.")
    .optional(),
  insecure: yesOrNo.describe("Accept a certificate that cannot be verified. Default: false.").optional(),
  vmIds: section({
    from: whole(100, 999_998_000, "the first control plane's VM id").describe(
      "The first control plane's VM id; the first worker's is 100 more. Default: derived from the castle's name.",
    ),
  }).optional(),
});

function endpointFault(input: unknown): string {
  if (typeof input !== "string") return "";
  if (input.startsWith("http://")) return "(the token must not travel unencrypted)";
  if (input.includes("@")) return "without a name or a password: the token comes from the environment";
  return /^https:\/\/[^/]+\/./.test(input) ? "without a path" : "with nothing around it";
}

const labSection = section({
  name: text(labelPattern, "lower-case letters, digits and dashes, such as fortress").describe(
    "Namespaces, state and control groups are named after it. Default: the castle's name.",
  ),
  hosts: list(hostLabel, "a list of names for the lab's Proxmox nodes").describe(
    "The Proxmox nodes that the lab shows. Default: pve1, pve2, pve3.",
  ),
}).partial();

const hypervisorSection = z
  .union([z.literal("lab"), section({ lab: labSection.optional(), proxmox: proxmoxSection.optional() })], {
    error: "lab, or a section with the key lab or proxmox",
  })
  .meta({ description: "Where the machines run: a lab on this machine, or a rack that runs Proxmox VE." });

const discoveryExpected = "off or the address of a discovery service, such as https://discovery.talos.dev/";

const talosSection = section({
  version: version("v1.11.5"),
  discovery: z
    .union([z.literal("off"), webAddress(discoveryExpected)], { error: discoveryExpected })
    .describe("A discovery service, or off. Default: the lab's own; on a rack Talos' public one."),
  extensions: list(
    text(
      /^[a-z0-9][-a-z0-9]*\/[a-z0-9][-a-z0-9]*$/,
      "the name of an official extension without a tag, such as siderolabs/qemu-guest-agent",
    ),
    "a list of the names of official system extensions",
  ),
  patches: patches.describe("Strategic merge patches of every node's machine config."),
}).partial();

const relativePath = text(
  /^(?!\/)(?!.*(?:^|\/)\.\.(?:\/|$))[^\s]+$/,
  "a path inside the repository, such as clusters/fortress",
);

const repository = text(
  /^(?:(?:https?|git):\/\/[^\s/@]+\/[^\s]+|ssh:\/\/(?:[\w.-]+@)?[^\s/@:]+(?::[0-9]{1,5})?\/[^\s]+|[\w.-]+@[\w.-]+:[^\s]+)$/,
  (input) =>
    `the address of a Git repository${typeof input === "string" && input.includes("@") ? " without a name or a password" : ""}, such as https://git.lan/tazlab-k8s.git`,
);

export const gitopsSection = section({
  repository: repository
    .describe("The repository that Flux follows. Lab default: one on the lab's own Git server.")
    .optional(),
  branch: text(
    /^(?![-/.])(?!.*(?:\.\.|\/\/|@\{))[^\s~^:?*[\\]+(?<![/.])$/,
    "the name of a branch, such as main",
  )
    .describe("Default: main.")
    .optional(),
  path: relativePath.describe("Where this castle's manifests lie. Default: clusters/NAME.").optional(),
});

const webhookExpected = "secret or the address of a webhook, such as https://alerts.lan/castle";
const acmeExpected = "letsencrypt, letsencrypt-staging or the https address of an ACME directory";
const acmeDirectory = webAddress(acmeExpected, "https");

const ingressSection = section({
  tls: section({
    acme: z
      .union([z.literal("letsencrypt"), z.literal("letsencrypt-staging"), acmeDirectory], {
        error: acmeExpected,
      })
      .describe("Lab default: the lab's own ACME server, which also stands in for Let's Encrypt."),
    email: text(/^[^\s@]+@[^\s@]+\.[^\s@]+$/, "an e-mail address such as me@example.org").describe(
      "Whom the authority writes to.",
    ),
    ca: text(
      /^-----BEGIN CERTIFICATE-----\s[\s\S]+-----END CERTIFICATE-----\s*$/,
      "a certificate in PEM, from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----",
    ).describe(
      "The root of a private authority, such as step-ca: who signed its directory's own certificate and signs the sites'. Default: public authorities.",
    ),
  })
    .partial()
    .optional(),
});

const secretsSection = z.union(
  [
    z.literal("file"),
    section({
      infisical: section({
        project: text(/\S/, "the id of the Infisical project"),
        environment: text(/\S/, "the slug of the Infisical environment, such as prod"),
        url: webAddress("an address such as https://infisical.lan")
          .describe("Default: Infisical's cloud.")
          .optional(),
      }),
    }),
  ],
  { error: "file, or a section with the key infisical" },
);

const monitoringSection = section({
  prometheus: yesOrNo.describe("Prometheus, Alertmanager and the exporters. Default: false."),
  grafana: yesOrNo.describe(
    "Grafana with castle's dashboards. Default: false. A lab cannot have its image and leaves it out.",
  ),
  webhook: z
    .union([z.literal("secret"), webAddress(webhookExpected)], { error: webhookExpected })
    .describe(
      "Where alerts go, or secret: then CASTLE_MONITORING_WEBHOOK is asked for it once and the secret store keeps it. Never written to Git either way.",
    ),
}).partial();

const disksSection = section({
  encryption: section({
    key: z
      .union(
        [
          z.literal("static"),
          z.literal("nodeID"),
          z.literal("tpm"),
          section({
            kms: text(
              /^https?:\/\/[^\s/@:]+(?::[0-9]{1,5})?\/?$/,
              "the address of a KMS, such as https://kms.lan:4443",
            ),
          }),
        ],
        { error: "static, nodeID, tpm, or a section with the key kms" },
      )
      .describe(
        "What opens the disks. static: a key that castle makes once and keeps in the secret store; nodeID: derived from the machine's UUID; tpm: sealed by the machine's TPM; kms: sealed by a server.",
      ),
    state: yesOrNo
      .describe("Encrypt STATE too, which holds the machine configuration. Default: false, /var alone.")
      .optional(),
  }).optional(),
});

export const siteSection = section({
  name: text(labelPattern, "lower-case letters, digits and dashes, such as blog"),
  host: text(siteHostPattern, "a host name such as blog.tazlab.net"),
  source: text(/\S/, "the folder of the site's source, such as ../blog-src")
    .describe("Lab default: the site's name.")
    .optional(),
  image: text(imagePattern, (input) =>
    typeof input === "string" && /[:@][^/]*$/.test(input)
      ? `no tag and no digest (${input.replace(/[:@][^/]*$/, "")}): every release is tagged with its commit`
      : "the name of an image, such as registry.lan/tazlab/blog",
  )
    .describe("Lab default: registry.lan/CASTLE/NAME.")
    .optional(),
});

export const specSchema = section({
  castle: castleName.describe("The castle's name: nodes, machines and state are named after it."),
  network: networkSection.optional(),
  nodes: nodesSection.optional(),
  hypervisor: hypervisorSection,
  talos: talosSection.optional(),
  kubernetes: section({ version: version("v1.34.4") }).optional(),
  loadBalancer: section({
    pool: text(rangePattern, "FIRST-LAST, such as 192.168.1.230-192.168.1.239")
      .describe("The addresses that services of type LoadBalancer get. Lab default: .230 to .239.")
      .optional(),
  }).optional(),
  ingress: ingressSection.optional(),
  gitops: gitopsSection
    .describe(
      "The Git repository that owns all that runs in the cluster; without it nothing is installed above the nodes. In a lab it brings a load balancer, an ingress with certificates and a site along.",
    )
    .optional(),
  registry: text(imagePattern, "a registry and a folder in it, without a tag, such as registry.lan/tazlab")
    .describe(
      "Where castle puts images of its own (acme, exporter, placeholder, vip-warden) for the nodes to pull. Lab default: the lab's own registry; a rack that has sites, certificates or monitoring names one.",
    )
    .optional(),
  secrets: secretsSection
    .describe("Where secrets are kept. Default: file, encrypted beside the spec.")
    .optional(),
  disks: disksSection.describe("Disk encryption by Talos, on a rack.").optional(),
  backup: backupSection
    .describe("Where backups are kept and for how long; castle health then looks at their age.")
    .optional(),
  monitoring: monitoringSection.optional(),
  sites: z
    .array(siteSection, { error: "a list of sites" })
    .describe("Lab default where there is gitops: blog, at blog.NAME.lan. An empty list: none.")
    .optional(),
});

/** A castle.yaml as its author wrote it; `resolve` fills in the rest. */
export type Spec = z.infer<typeof specSchema>;
