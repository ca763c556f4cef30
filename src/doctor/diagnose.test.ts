import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { diagnose } from "./diagnose.ts";
import { readFolder } from "./manifests/folder.ts";
import { readYaml } from "./manifests/manifest.ts";

/** What a doctor finds in that YAML: disease and object. */
function found(yaml: string): string[] {
  return diagnose(readYaml(yaml, "blog.yaml")).map(({ disease, object }) => `${disease}: ${object}`);
}

interface Blog {
  readonly targetPort?: string | number;
  readonly containerPort?: number;
  readonly image?: string;
  readonly security?: string;
  readonly ingressPort?: number;
}

/** The seed's blog: a Deployment, its Service and its Ingress. */
function blog({
  targetPort = 8080,
  containerPort = 8080,
  image = "tazzo/tazlab.net:blog-8c945ac",
  security = "{ runAsNonRoot: true }",
  ingressPort = 80,
}: Blog = {}): string {
  return `
apiVersion: apps/v1
kind: Deployment
metadata: { name: hugo-blog, namespace: blog }
spec:
  template:
    metadata: { labels: { app: hugo-blog } }
    spec:
      securityContext: ${security}
      containers:
        - name: nginx
          image: ${image}
          ports: [{ name: http, containerPort: ${containerPort} }]
---
apiVersion: v1
kind: Service
metadata: { name: hugo-blog, namespace: blog }
spec:
  selector: { app: hugo-blog }
  ports: [{ name: http, port: 80, targetPort: ${targetPort} }]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: hugo-blog, namespace: blog }
spec:
  rules:
    - host: blog.tazlab.net
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: { service: { name: hugo-blog, port: { number: ${ingressPort} } } }
`;
}

describe("the healthy twin is left alone", () => {
  it.each([
    ["as it should be", blog()],
    ["a port by its name", blog({ targetPort: "http" })],
    ["root may listen on 80", blog({ targetPort: 80, containerPort: 80, security: "{}" })],
    ["an image by its digest", blog({ image: `nginx:stable@sha256:${"a".repeat(64)}` })],
    ["a registry with a port", blog({ image: "registry.lan:5000/tazlab/blog:blog-8c945ac" })],
  ])("%s", (_, yaml) => expect(found(yaml)).toEqual([]));
});

describe("the sick one is found by name, with the right object", () => {
  it.each([
    ["service-target-port: Service blog/hugo-blog", blog({ targetPort: 8000 })],
    ["service-target-port: Service blog/hugo-blog", blog({ targetPort: "web" })],
    ["ingress-port: Ingress blog/hugo-blog", blog({ ingressPort: 8080 })],
    ["privileged-port: Deployment blog/hugo-blog", blog({ targetPort: 80, containerPort: 80 })],
    [
      "privileged-port: Deployment blog/hugo-blog",
      blog({ targetPort: 80, containerPort: 80, security: "{ runAsUser: 101 }" }),
    ],
    ["static-tag: Deployment blog/hugo-blog", blog({ image: "nginx" })],
    ["static-tag: Deployment blog/hugo-blog", blog({ image: "tazzo/tazlab.net:latest" })],
    ["static-tag: Deployment blog/hugo-blog", blog({ image: "registry.lan:5000/blog:main" })],
  ])("%s", (name, yaml) => expect(found(yaml)).toEqual([name]));

  it("an Ingress to a Service that is not there", () => {
    expect(found(blog().replace("name: hugo-blog, port:", "name: old-blog, port:"))).toEqual([
      "ingress-port: Ingress blog/hugo-blog",
    ]);
  });

  it("a Traefik of one's own that listens below 1024 and is not root", () => {
    const traefik = blog({ image: "traefik:v3.6.12" }).replace(
      "ports: [{ name: http, containerPort: 8080 }]",
      'args: ["--entrypoints.web.address=:80", "--entrypoints.websecure.address=:8443"]\n          ports: [{ name: http, containerPort: 8080 }]',
    );
    expect(found(traefik)).toEqual(["entry-point-port: Deployment blog/hugo-blog"]);
  });
});

test("tells both places of a wrong port, with file and line", () => {
  const [first] = diagnose(readYaml(blog({ targetPort: 8000 }), "blog.yaml"));
  expect(first).toMatchObject({
    severity: "critical",
    message: "port 80 goes to target port 8000, which Deployment hugo-blog does not have",
    evidence: ["blog.yaml:15: port 80, targetPort 8000", "blog.yaml:2: container ports http 8080"],
    fix: "set targetPort of that port to http 8080",
  });
});

/** The seed's main.tf, with the lines of its entry point. */
function values(web: string): string {
  return `resource "helm_release" "traefik" {
  chart  = "traefik"
  values = [<<-EOT
    ports:
      web:
        ${web}
      websecure:
        exposedPort: 443
        port: 8443
  EOT
  ]
}
`;
}

describe("the seed's bug was in main.tf", () => {
  it.each([
    [
      "port: 80\n        exposedPort: 80",
      "entry point web is to listen on 80 inside the pod, where Traefik is not root",
    ],
    [
      "port: 80\n        exposedPort: 8000",
      "port and exposedPort are the wrong way round: port 80 is inside the pod, exposedPort 8000 outside",
    ],
  ])("%s", async (web, message) => {
    const folder = await mkdtemp(join(tmpdir(), "castle-doctor-"));
    try {
      await writeFile(join(folder, "main.tf"), values(web));
      const found = diagnose(await readFolder(folder));
      expect(found.map((one) => one.message)).toEqual([message]);
      expect(found[0]?.evidence[0]).toContain("main.tf:4: ports.web.port 80");
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("and is silent once it is mended", async () => {
    const folder = await mkdtemp(join(tmpdir(), "castle-doctor-"));
    try {
      await writeFile(join(folder, "main.tf"), values("exposedPort: 80\n        port: 8000"));
      expect(diagnose(await readFolder(folder))).toEqual([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
