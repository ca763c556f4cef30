import { stringify } from "yaml";

/** The namespace of the sick and of their healthy twins. */
export const WARD = "ward";
/** A namespace that lets only well-behaved pods in. */
export const STRICT = "ward-strict";

export interface WardMaterial {
  readonly castle: string;
  /** An image that the castle runs already: Traefik, which listens where its flags say. */
  readonly image: string;
  /** The node that takes the pod whose node nobody may announce from. */
  readonly excluded: string;
  /** Base64 of PEM: for another host than the one that shows it, and one that has just ended. */
  readonly otherHost: { readonly certificate: string; readonly key: string };
  readonly ending: { readonly certificate: string; readonly key: string };
}

interface Pods {
  readonly flag?: string;
  readonly image?: string;
  readonly port?: number;
  readonly node?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly namespace?: string;
  readonly security?: object;
}

function deployment(name: string, material: WardMaterial, pods: Pods = {}): object {
  const labels = { app: name };
  const { namespace = WARD, image = material.image, flag = "--entryPoints.web.address=:8000" } = pods;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          // As a kernel is by itself: some container runtimes open low ports to everybody.
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 65_534,
            sysctls: [{ name: "net.ipv4.ip_unprivileged_port_start", value: "1024" }],
          },
          terminationGracePeriodSeconds: 1,
          ...(pods.node === undefined ? {} : { nodeSelector: { "kubernetes.io/hostname": pods.node } }),
          containers: [
            {
              name,
              image,
              imagePullPolicy: "IfNotPresent",
              args: [flag, "--log.level=ERROR"],
              env: Object.entries(pods.environment ?? {}).map(([key, value]) => ({ name: key, value })),
              ...(pods.port === undefined ? {} : { ports: [{ containerPort: pods.port }] }),
              ...(pods.security === undefined ? {} : { securityContext: pods.security }),
            },
          ],
        },
      },
    },
  };
}

function service(name: string, app: string, spec: object = {}, annotations: object = {}): object {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: WARD, annotations },
    spec: { selector: { app }, ports: [{ port: 80, targetPort: 8000 }], ...spec },
  };
}

function balanced(name: string, app: string, annotations: object, spec: object = {}): object {
  return service(
    name,
    app,
    { type: "LoadBalancer", allocateLoadBalancerNodePorts: false, ...spec },
    annotations,
  );
}

function route(name: string, host: string, to: object, spec: object = {}): object {
  return {
    apiVersion: "traefik.io/v1alpha1",
    kind: "IngressRoute",
    metadata: { name, namespace: WARD },
    spec: {
      entryPoints: ["websecure"],
      routes: [{ kind: "Rule", match: `Host(\`${host}\`)`, services: [to] }],
      ...spec,
    },
  };
}

function tlsSecret(name: string, { certificate, key }: WardMaterial["ending"]): object {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace: WARD },
    type: "kubernetes.io/tls",
    data: { "tls.crt": certificate, "tls.key": key },
  };
}

function namespace(name: string, labels: object = {}): object {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, labels },
  };
}

function pool(name: string, addresses: string): object {
  return {
    apiVersion: "metallb.io/v1beta1",
    kind: "IPAddressPool",
    metadata: { name, namespace: "metallb-system" },
    spec: { addresses: [addresses], autoAssign: false },
  };
}

function kustomization(name: string, spec: object): object {
  return {
    apiVersion: "kustomize.toolkit.fluxcd.io/v1",
    kind: "Kustomization",
    metadata: { name, namespace: WARD },
    spec: {
      interval: "1m",
      retryInterval: "5s",
      prune: false,
      sourceRef: { kind: "GitRepository", name: "flux-system", namespace: "flux-system" },
      path: "./",
      ...spec,
    },
  };
}

/** What stands in the ward, each sick one beside what is well of its kind. */
export function wardYaml(material: WardMaterial): string {
  const objects = [
    namespace(WARD),
    namespace(STRICT, { "pod-security.kubernetes.io/enforce": "restricted" }),
    // The healthy twin: a pod that listens, a Service that knows where, a route to it, an address that answers.
    deployment("well", material, { port: 8000 }),
    service("well", "well"),
    route("well", "well.ward.lan", { name: "well", port: 80 }),
    balanced("well-lb", "well", { "metallb.io/loadBalancerIPs": "192.168.1.235" }),
    // Ports.
    service("deaf", "well", { ports: [{ port: 80, targetPort: 8001 }] }),
    service("nameless", "well", { ports: [{ port: 80, targetPort: "web" }] }),
    service("lonely", "nobody"),
    route("astray", "astray.ward.lan", { name: "well", port: 8080 }),
    deployment("low-flag", material, { flag: "--entryPoints.web.address=:80" }),
    deployment("low-port", material, {
      flag: "--log.noColor=true",
      environment: { TRAEFIK_ENTRYPOINTS_WEB_ADDRESS: ":81" },
      port: 81,
    }),
    deployment("moving", material, { image: material.image.replace(/:[^:]*$/, ":latest") }),
    // Addresses.
    balanced("far", "well", { "metallb.io/loadBalancerIPs": "10.99.0.1" }),
    pool("mute", "192.168.1.250-192.168.1.250"),
    balanced("mute", "well", { "metallb.io/address-pool": "mute" }),
    balanced("twice", "well", { "metallb.io/loadBalancerIPs": "192.168.1.236" }),
    deployment("pinned", material, { node: material.excluded, port: 8000 }),
    balanced(
      "excluded",
      "pinned",
      { "metallb.io/loadBalancerIPs": "192.168.1.234" },
      { externalTrafficPolicy: "Local" },
    ),
    // Certificates.
    tlsSecret("other-host", material.otherHost),
    route("other-host", "shop.ward.lan", { name: "well", port: 80 }, { tls: { secretName: "other-host" } }),
    tlsSecret("ending", material.ending),
    // Flux.
    kustomization("lost", { path: "./nowhere" }),
    kustomization("asleep", { suspend: true, path: `./clusters/${material.castle}/castle/metallb-pool` }),
    // Admission.
    deployment("bare", material, {
      namespace: STRICT,
      security: { privileged: true, runAsUser: 0, runAsNonRoot: false },
    }),
  ];
  return [...objects, ...alterations(material)]
    .map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false }))
    .join("---\n");
}

function flux(apiVersion: string, kind: string, spec: object): object {
  return {
    apiVersion,
    kind,
    metadata: { name: "flux-system", namespace: "flux-system" },
    spec,
  };
}

/** What is changed of the castle itself. */
function alterations({ excluded }: WardMaterial): readonly object[] {
  return [
    {
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: excluded, labels: { "node.kubernetes.io/exclude-from-external-load-balancers": "" } },
    },
    {
      apiVersion: "apps/v1",
      kind: "DaemonSet",
      metadata: { name: "kube-proxy", namespace: "kube-system" },
      spec: {
        // Nothing is restarted for it: what runs stays, the next pod would be another's.
        updateStrategy: { type: "OnDelete" },
        template: {
          spec: { containers: [{ name: "kube-proxy", image: "registry.k8s.io/kube-proxy:v1.99.0" }] },
        },
      },
    },
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "sops-age", namespace: "flux-system" },
      data: { "castle.agekey": Buffer.from("AGE-SECRET-KEY-OF-SOMEBODY-ELSE").toString("base64") },
    },
    // Flux would put its own repository right again within a minute.
    flux("kustomize.toolkit.fluxcd.io/v1", "Kustomization", { suspend: true }),
    flux("source.toolkit.fluxcd.io/v1", "GitRepository", { ref: { branch: "elsewhere" } }),
  ];
}

/** What the doctor has to find in the ward, and nothing beside it. */
export function wardDiagnoses(castle: string, excluded: string): readonly string[] {
  return [
    `address-conflict: Service ${WARD}/twice 192.168.1.236`,
    "certificate-expiry: Secret ward/ending",
    "certificate-name: Secret ward/other-host",
    "entry-point-port: Deployment ward/low-flag",
    "flux: Kustomization flux-system/flux-system",
    "flux: GitRepository flux-system/flux-system",
    "flux: Kustomization ward/asleep",
    "flux: Kustomization ward/lost",
    "ingress-port: IngressRoute ward/astray",
    "load-balancer-address: Service ward/far",
    `load-balancer-silent: Node ${excluded}`,
    "load-balancer-silent: Service ward/mute",
    "pod-security: Deployment ward-strict/bare",
    "pool-clash: 192.168.1.238",
    "privileged-port: Deployment ward/low-port",
    "secrets-out-of-step: Secret flux-system/sops-age",
    "service-pods: Service ward/lonely",
    "service-target-port: Service ward/deaf",
    "service-target-port: Service ward/nameless",
    `stale-neighbour: ${castle}-cp-3`,
    "static-tag: Deployment ward/moving",
    "version-skew: DaemonSet kube-system/kube-proxy",
  ].toSorted();
}
