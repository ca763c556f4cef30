/** An image that the lab's registry serves: what is in it and under which names Talos asks for it. */
export interface ImageRecipe {
  /** Name of the part, and of the layout's folder. */
  readonly name: string;
  /** With the registry's host, as Talos and containerd ask for it. */
  readonly repository: string;
  readonly tags: readonly string[];
  /** Whether it stands on the Debian base (mount, iptables, cp) or on nothing. */
  readonly base: boolean;
  /** Path in the image → name of the part that it is a copy of. */
  readonly programs: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly user?: string;
  readonly command?: readonly string[];
  readonly workingDirectory?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Folders that any user may write to, besides /tmp; with or without a volume over them. */
  readonly folders?: readonly string[];
  /** Whether Mozilla's certificates are in it, without the Debian base. */
  readonly certificates?: boolean;
  /** Compressed in the registry: one machine pulls it, once, and nobody waits for it. */
  readonly compressed?: boolean;
  /** Castle's own: there is no official image to pull. */
  readonly own?: boolean;
}

function program(repository: string, name: string, options: { tag: string; base: boolean }): ImageRecipe {
  const path = `/usr/local/bin/${name}`;
  return {
    name: `image-${name}`,
    repository,
    tags: [options.tag],
    base: options.base,
    programs: { [path]: name },
    entrypoint: [path],
  };
}

/** Tags are what Talos asks for by default, except Kubernetes': that version is the castle's own. */
export function imageRecipes(kubernetes: string): readonly ImageRecipe[] {
  const plain = { tag: kubernetes, base: false };
  const based = { tag: kubernetes, base: true };
  return [
    program("registry.k8s.io/kube-apiserver", "kube-apiserver", plain),
    program("registry.k8s.io/kube-controller-manager", "kube-controller-manager", plain),
    program("registry.k8s.io/kube-scheduler", "kube-scheduler", plain),
    program("registry.k8s.io/kube-proxy", "kube-proxy", based),
    program("ghcr.io/siderolabs/kubelet", "kubelet", based),
    {
      ...program("gcr.io/etcd-development/etcd", "etcd", { tag: "v3.6.5", base: false }),
      programs: { "/usr/local/bin/etcd": "etcd", "/usr/local/bin/etcdctl": "etcdctl" },
    },
    {
      ...program("registry.k8s.io/coredns/coredns", "coredns", { tag: "v1.12.4", base: false }),
      programs: { "/coredns": "coredns" },
      entrypoint: ["/coredns"],
    },
    {
      ...program("ghcr.io/siderolabs/flannel", "flanneld", { tag: "v0.27.4", base: true }),
      name: "image-flannel",
      programs: { "/opt/bin/flanneld": "flanneld" },
      entrypoint: ["/opt/bin/flanneld"],
    },
    {
      ...program("registry.k8s.io/pause", "pause", { tag: "3.10", base: false }),
      // containerd 2.1 asks for 3.10, 2.4 for 3.10.2.
      tags: ["3.10", "3.10.2"],
      programs: { "/pause": "pause" },
      entrypoint: ["/pause"],
      user: "65535:65535",
    },
    {
      ...program("castle.local/vip-warden", "vip-warden", { tag: "v1", base: false }),
      own: true,
    },
  ];
}
