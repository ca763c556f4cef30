import { imagePart } from "./image-part.ts";
import { imageRecipes } from "./image-recipe.ts";
import { goProgram } from "./go-program.ts";
import type { Part } from "./part.ts";
import { platformCatalogue } from "./platform-catalogue.ts";

/** Versions that lab.md found to build together; go.mod in `parts/` pins the same. */
const versions = {
  kubernetes: "v1.34.4",
  talos: "v1.11.5",
  containerd: "v2.1.5",
  runc: "v1.5.2",
  cni: "v1.9.1",
  etcd: "v3.6.5",
  flannel: "v0.27.4",
  coredns: "v1.15.0",
  registry: "v3.0.0",
  proxmoxProvider: "v0.111.1",
  vipWarden: "v1",
  pause: "1",
} as const;

const program = (fields: Omit<Parameters<typeof goProgram>[0], "set">) =>
  goProgram({ ...fields, set: "machines" });

const kubernetesVersion = "k8s.io/component-base/version";
const kubernetesFlags = [
  `-X ${kubernetesVersion}.gitVersion=${versions.kubernetes}`,
  `-X ${kubernetesVersion}.gitMajor=1`,
  `-X ${kubernetesVersion}.gitMinor=${versions.kubernetes.split(".")[1]}`,
  `-X ${kubernetesVersion}.gitTreeState=clean`,
].join(" ");

function kubernetes(name: string, seconds: number, purpose: string): Part {
  return program({
    name,
    version: versions.kubernetes,
    purpose,
    seconds,
    wanted: name === "kubectl",
    source: { group: "kubernetes", package: `k8s.io/kubernetes/cmd/${name}`, ldflags: kubernetesFlags },
  });
}

function etcd(name: string, path: string, seconds: number): Part {
  return program({
    name,
    version: versions.etcd,
    purpose: name === "etcd" ? "The cluster's database" : "Asks etcd from outside Talos",
    seconds,
    wanted: name === "etcdctl",
    source: { group: "kubernetes", package: `go.etcd.io/etcd/${path}/v3` },
  });
}

const talosTags = "tcell_minimal,grpcnotrace";
const plugins = "github.com/containernetworking/plugins/plugins";
const containerd = "github.com/containerd/containerd/v2";
const containerdFlags = `-X ${containerd}/version.Version=${versions.containerd}`;
const talosModule = "github.com/siderolabs/talos";
const hack = (path: string) => ({ module: talosModule, path: `hack/${path}` });

const programs: readonly Part[] = [
  program({
    name: "terraform-provider-proxmox",
    version: versions.proxmoxProvider,
    purpose: "Terraform's provider for Proxmox VE",
    seconds: 47,
    source: { group: "proxmox-provider", package: "github.com/bpg/terraform-provider-proxmox" },
  }),
  program({
    name: "machined",
    version: versions.talos,
    purpose: "Talos: the init of every node",
    seconds: 195,
    source: {
      group: "talos",
      package: `${talosModule}/internal/app/machined`,
      tags: talosTags,
      ldflags: "-X golang.zx2c4.com/wireguard/ipc.socketDirectory=/system/wireguard-sock",
    },
  }),
  program({
    name: "talosctl",
    version: versions.talos,
    purpose: "Makes Talos' secrets and configurations",
    seconds: 27,
    wanted: true,
    source: { group: "talos", package: `${talosModule}/cmd/talosctl`, tags: talosTags },
  }),
  {
    name: "talos-files",
    version: versions.talos,
    purpose: "Configuration files of a Talos node",
    set: "machines",
    needs: [],
    seconds: 1,
    wanted: false,
    source: {
      kind: "module-files",
      group: "talos",
      files: {
        "etc/containerd/config.toml": hack("containerd.toml"),
        "etc/cri/conf.d/00-base.part": hack("cri-plugin.part"),
        "etc/cri/containerd.toml": hack("cri-containerd.toml"),
        "etc/lvm/lvm.conf": hack("lvm.conf"),
        "etc/nfsmount.conf": hack("nfsmount.conf"),
        "etc/os-release": { module: `${talosModule}/pkg/machinery`, path: "version/os-release" },
        "usr/share/zoneinfo/Etc/UTC": hack("zoneinfo/Etc/UTC"),
      },
    },
  },
  {
    name: "containerd",
    version: versions.containerd,
    purpose: "Runs the containers on the nodes",
    set: "machines",
    needs: [],
    seconds: 40,
    wanted: false,
    source: {
      kind: "go",
      group: "containers",
      programs: {
        containerd: `${containerd}/cmd/containerd`,
        "containerd-shim-runc-v2": `${containerd}/cmd/containerd-shim-runc-v2`,
      },
      ldflags: containerdFlags,
    },
  },
  {
    name: "cni-plugins",
    version: versions.cni,
    purpose: "Connects pods to their node's bridge",
    set: "machines",
    needs: [],
    seconds: 5,
    wanted: false,
    source: {
      kind: "go",
      group: "containers",
      programs: {
        bridge: `${plugins}/main/bridge`,
        firewall: `${plugins}/meta/firewall`,
        "host-local": `${plugins}/ipam/host-local`,
        loopback: `${plugins}/main/loopback`,
        portmap: `${plugins}/meta/portmap`,
      },
    },
  },
  program({
    name: "image-unpacker",
    version: versions.containerd,
    purpose: "Unpacks images as containerd does, before there is a node",
    seconds: 10,
    source: { group: "image-unpacker", package: "." },
  }),
  program({
    name: "flannel-cni",
    version: "1",
    purpose: "Turns flannel's subnet into a bridge's configuration",
    seconds: 1,
    source: { group: "flannel-cni", package: "." },
  }),
  program({
    name: "runc",
    version: versions.runc,
    purpose: "Starts containers: the pods' on the nodes, the nodes' on the lab's machine",
    seconds: 12,
    wanted: true,
    source: {
      group: "runc",
      package: "github.com/opencontainers/runc",
      tags: "seccomp,netgo,osusergo",
      ldflags: `-extldflags -static -X main.version=${versions.runc.slice(1)}`,
      cgo: true,
    },
  }),
  kubernetes("kube-apiserver", 173, "The Kubernetes API"),
  kubernetes("kube-controller-manager", 57, "Kubernetes' controllers"),
  kubernetes("kube-scheduler", 5, "Puts pods on nodes"),
  kubernetes("kubelet", 17, "Runs the pods of a node"),
  kubernetes("kube-proxy", 7, "Services' packet filter rules"),
  kubernetes("kubectl", 19, "Kubernetes' command line"),
  etcd("etcd", "server", 8),
  etcd("etcdctl", "etcdctl", 2),
  program({
    name: "coredns",
    version: versions.coredns,
    purpose: "DNS of the cluster and of the lab's LAN",
    seconds: 45,
    wanted: true,
    source: { group: "coredns", package: "." },
  }),
  program({
    name: "flanneld",
    version: versions.flannel,
    purpose: "The pods' network across nodes",
    seconds: 50,
    source: {
      group: "flannel",
      package: "github.com/flannel-io/flannel",
      tags: "netgo,osusergo",
      ldflags: `-extldflags -static -X github.com/flannel-io/flannel/pkg/version.Version=${versions.flannel}`,
      cgo: true,
    },
  }),
  program({
    name: "registry",
    version: versions.registry,
    purpose: "Serves the images on the lab's LAN",
    seconds: 20,
    wanted: true,
    source: {
      group: "registry",
      package: ".",
      ldflags: `-X github.com/distribution/distribution/v3/version.version=${versions.registry}`,
    },
  }),
  program({
    name: "vip-warden",
    version: versions.vipWarden,
    purpose: "Lets the VIP leave a control plane that has died",
    seconds: 5,
    source: { group: "vip-warden", package: ".", ldflags: `-X main.version=${versions.vipWarden}` },
  }),
  {
    name: "pause",
    version: versions.pause,
    purpose: "Holds a pod's namespaces",
    set: "machines",
    needs: [],
    seconds: 1,
    wanted: false,
    source: { kind: "c", file: "pause/pause.c" },
  },
];

const nodeImages = imageRecipes(versions.kubernetes);
/** Images that Talos runs itself, under containerd and not under the kubelet. */
const ofTalos: ReadonlySet<string> = new Set(["image-etcd", "image-kubelet"]);

const products: readonly Part[] = [
  {
    name: "proxmox-provider-mirror",
    version: versions.proxmoxProvider,
    purpose: "Where Terraform and OpenTofu find the provider without a network",
    set: "machines",
    needs: ["terraform-provider-proxmox"],
    seconds: 1,
    wanted: true,
    source: { kind: "provider-mirror", address: "bpg/proxmox", program: "terraform-provider-proxmox" },
  },
  {
    name: "node-rootfs",
    version: versions.talos,
    purpose: "The root file system of a Talos node in a container",
    set: "machines",
    needs: ["machined", "talos-files", "containerd", "runc", "cni-plugins", "flannel-cni"],
    seconds: 6,
    wanted: true,
    source: { kind: "node-rootfs" },
  },
  {
    name: "image-base",
    version: "bookworm",
    purpose: "The layer that kubelet, kube-proxy and flannel stand on",
    set: "machines",
    needs: [],
    seconds: 3,
    wanted: false,
    source: { kind: "image-base" },
  },
  ...nodeImages.map((recipe) => imagePart(recipe, "machines")),
  {
    name: "node-images",
    version: versions.kubernetes,
    purpose: "The nodes' images, unpacked once for all of them",
    set: "machines",
    needs: ["image-unpacker", ...nodeImages.map(({ name }) => name)],
    seconds: 3,
    wanted: true,
    source: {
      kind: "node-images",
      images: nodeImages.map(({ name, repository, tags }) => ({
        part: name,
        repository,
        tags,
        namespace: ofTalos.has(name) ? "system" : "k8s.io",
      })),
    },
  },
];

/** Every part, in an order in which each comes after its needs. */
export const partsCatalogue: readonly Part[] = [...programs, ...products, ...platformCatalogue];
