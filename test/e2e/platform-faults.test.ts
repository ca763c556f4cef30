import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHALLENGE_PRIORITY } from "../../src/platform/entry-points.ts";
import { canRunLab } from "../fixtures/parts.ts";
import { CastleCommand } from "./castle-command.ts";
import { faultOf, smallCastle } from "./platform-faults.ts";
import { stopAfterFailure } from "./one-castle.ts";

const NAME = "t-wrong";
/** A host that nobody has kept a certificate of. */
const OTHER = `shop.${NAME}.lan`;

/** What goes wrong with a platform that stands: told by name within seconds, and mended by the next `up`. */
describe.skipIf(!canRunLab)("a platform and its faults", () => {
  let castle: CastleCommand;
  const patch = (...args: readonly string[]) => castle.kubectl("patch", "--type=merge", ...args);

  async function apply(object: object): Promise<void> {
    const file = join(castle.folder, "object.json");
    await writeFile(file, JSON.stringify(object));
    await castle.kubectl("apply", "-f", file);
  }

  beforeAll(async () => {
    castle = await CastleCommand.prepare(NAME);
    await castle.spec(smallCastle());
    await castle.run("up", "--install-tools");
  });
  afterAll(() => castle.remove());

  stopAfterFailure();

  it("pulls castle's own images from the registry that castle pushed them to", async () => {
    const images = ["get", "pods", "-A", "-o", "jsonpath={.items[*].spec.containers[*].image}"];
    const running = (await castle.kubectl(...images)).split(" ");
    expect(running).toContain("registry.lan/tazlab/acme:v1");
    expect(running).toContain("registry.lan/tazlab/placeholder:v1");
    expect(running.filter((image) => image.startsWith("castle.local/"))).toEqual([]);
  });

  it("with a key that Git refuses: reconcile names the repository, up gives Flux the right one", async () => {
    const wrong = JSON.stringify({ stringData: { password: "wrong" } });
    await patch("-n", "flux-system", "secret", "git-access", "-p", wrong);
    expect(await faultOf(castle, 1, "reconcile")).toMatchObject({
      code: "kubernetes/not-ready",
      message: expect.stringMatching(/GitRepository flux-system\/flux-system is not Ready: .*authenti/s),
      hint: expect.stringContaining("castle up"),
    });
    await castle.run("up");
    await castle.run("reconcile");
  });

  it("with a challenge that is answered wrongly: up tells the authority's words, and goes on when it is mended", async () => {
    // castle's own question before an order is let through: the authority's is not.
    const route = {
      apiVersion: "traefik.io/v1alpha1",
      kind: "IngressRoute",
      metadata: { name: "thief", namespace: "site-blog" },
      spec: {
        entryPoints: ["web"],
        routes: [
          {
            kind: "Rule",
            match:
              "PathPrefix(`/.well-known/acme-challenge/`) && !PathPrefix(`/.well-known/acme-challenge/castle-`)",
            priority: CHALLENGE_PRIORITY + 1,
            services: [{ name: "web", port: "http" }],
          },
        ],
      },
    };
    await apply(route);
    const sites = `[{ name: blog, host: ${OTHER} }]`;
    await castle.spec(smallCastle({ sites }));
    const told = await faultOf(castle, 1, "up");
    expect(told).toMatchObject({
      code: "platform/certificate-failed",
      message: expect.stringContaining(`${OTHER} got no certificate`),
      hint: expect.stringContaining("castle certs"),
    });
    expect(told.message).toMatch(/unauthorized|403|invalid/i);
    expect((await castle.try("certs")).exitCode).toBe(3);
    await castle.kubectl("-n", "site-blog", "delete", "ingressroute", "thief");
    await castle.run("up");
    expect((await castle.try("certs")).exitCode).toBe(0);
  });

  it("with a pool that somebody else has emptied: up names the Service and who may hold its address", async () => {
    const pool = "192.168.1.231-192.168.1.231";
    await apply({
      apiVersion: "v1",
      kind: "Service",
      metadata: {
        name: "thief",
        namespace: "default",
        annotations: { "metallb.io/loadBalancerIPs": "192.168.1.231" },
      },
      spec: { type: "LoadBalancer", ports: [{ port: 80 }], selector: { app: "thief" } },
    });
    await castle.spec(smallCastle({ loadBalancer: `{ pool: ${pool} }` }));
    expect(await faultOf(castle, 1, "up")).toMatchObject({
      code: "platform/stalled",
      message: expect.stringMatching(/Service traefik\/traefik gets no address: AllocationFailed/),
      hint: expect.stringContaining("get services -A"),
    });
    await castle.kubectl("delete", "service", "thief");
    await castle.run("up");
  });
});
