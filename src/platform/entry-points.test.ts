import * as fc from "fast-check";
import { expect, it } from "vitest";
import { z } from "zod";
import { smallSources } from "../../test/fixtures/platform-sources.ts";
import type { Castle } from "../spec/castle.ts";
import { parseSpec } from "../spec/parse.ts";
import { platformComponents } from "./components.ts";
import type { Manifest } from "./manifest.ts";
import { SourceObjects } from "./sources.ts";

const deploymentShape = z.object({
  spec: z.object({
    template: z.object({
      spec: z.object({
        containers: z.tuple([
          z.object({
            args: z.array(z.string()),
            ports: z.array(z.object({ name: z.string(), containerPort: z.number() })),
          }),
        ]),
      }),
    }),
  }),
});
const serviceShape = z.object({
  spec: z.object({
    ports: z.array(z.object({ name: z.string(), port: z.number(), targetPort: z.string() })),
  }),
});

const spec = fc.record({
  workers: fc.integer({ min: 0, max: 6 }),
  tls: fc.boolean(),
  pool: fc.integer({ min: 1, max: 20 }),
  sites: fc.uniqueArray(fc.stringMatching(/^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/), { maxLength: 4 }),
});

function castleOf({
  workers,
  tls,
  pool,
  sites,
}: typeof spec extends fc.Arbitrary<infer T> ? T : never): Castle {
  const text = `castle: fortress
hypervisor: lab
nodes: { workers: { count: ${workers}, from: 192.168.1.214 } }
loadBalancer: { pool: 192.168.1.230-192.168.1.${230 + pool} }
ingress: ${tls ? "{ tls: { acme: letsencrypt, email: me@example.org } }" : "{}"}
gitops: { repository: https://git.lan/k8s.git }
sites:${sites.length === 0 ? " []" : ""}
${sites.map((name, index) => `  - { name: "${name}", host: site${index}.lan.test, source: ., image: registry.lan/site${index} }\n`).join("")}`;
  const parsed = parseSpec(text, "castle.yaml");
  if ("faults" in parsed) throw new Error(JSON.stringify(parsed.faults));
  return parsed.castle;
}

const sources = new SourceObjects(smallSources);

function objects(castle: Castle, file: string): Manifest[] {
  const [folder, name = ""] = file.split("/");
  const surroundings = { repository: { url: "https://git.lan/k8s.git" } };
  return platformComponents(castle, sources, surroundings)
    .filter((component) => component.name === folder)
    .flatMap(({ files }) => (name === "" ? Object.values(files).flat() : (files[name] ?? [])));
}

it("no spec gives a Service port that leads to another place than its entry point", () => {
  fc.assert(
    fc.property(spec, (spec) => {
      const castle = castleOf(spec);
      const { spec: deployment } = deploymentShape.parse(objects(castle, "traefik/deployment.yaml")[0]);
      const [container] = deployment.template.spec.containers;
      const { spec: service } = serviceShape.parse(objects(castle, "traefik/service.yaml")[0]);
      expect(service.ports.map(({ port }) => port)).toEqual([80, 443]);
      for (const { name, targetPort } of service.ports) {
        const door = container.ports.find((port) => port.name === targetPort);
        expect(door?.name).toBe(name);
        expect(container.args).toContain(`--entryPoints.${name}.address=:${door?.containerPort}/tcp`);
        // Not root: the kernel gives it no lower one.
        expect(door?.containerPort).toBeGreaterThan(1023);
      }
      const redirects = container.args.filter((flag) => flag.includes("redirections.entryPoint.to="));
      expect(redirects).toEqual(spec.tls ? ["--entryPoints.web.http.redirections.entryPoint.to=:443"] : []);
    }),
  );
});

const label = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
/** A Service's name may not begin with a digit. */
const serviceName = /^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

it("every name is one that Kubernetes accepts, whatever the sites are called", () => {
  fc.assert(
    fc.property(spec, (spec) => {
      const all = objects(castleOf(spec), "sites");
      const namespaces = all.filter(({ kind }) => kind === "Namespace").map(({ metadata }) => metadata.name);
      expect(new Set(namespaces).size).toBe(spec.sites.length);
      for (const { kind, metadata } of all) {
        expect(metadata.name).toMatch(kind === "Service" ? serviceName : label);
        expect(metadata.namespace ?? metadata.name).toMatch(label);
        for (const value of Object.values(metadata.labels ?? {})) expect(value.length).toBeLessThan(64);
      }
    }),
  );
});
