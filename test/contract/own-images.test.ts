import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ownImages } from "../../src/cli/own-images-session.ts";
import { rackGround } from "../../src/lifecycle/ground/rack.ts";
import { pushOwnImages } from "../../src/lifecycle/own-images.ts";
import { parseSpec } from "../../src/spec/parse.ts";
import { Secret } from "../../src/support/secret.ts";
import { fakeTerminal } from "../fixtures/cli-context.ts";
import { canRunLab, partsStore } from "../fixtures/parts.ts";
import { openRegistry, type TestRegistry } from "../fixtures/registry.ts";

const rack = (registry: string) => `castle: fortress
hypervisor: { proxmox: { endpoint: "https://pve.lan:8006", node: pve } }
network: { cidr: 192.168.1.0/24, gateway: 192.168.1.1, vip: 192.168.1.210 }
nodes: { controlPlanes: { count: 3, from: 192.168.1.211 } }
ingress: { tls: { acme: letsencrypt, email: me@example.org } }
gitops: { repository: https://git.lan/k8s.git }
registry: ${registry}
`;

/** What no public registry has, on its way to the nodes of a rack. */
describe.skipIf(!canRunLab)("castle's own images and a rack's registry", () => {
  let registry: TestRegistry;

  beforeAll(async () => {
    registry = await openRegistry();
  });
  afterAll(() => registry.close());

  async function images(folder: string) {
    const parsed = parseSpec(rack(`${registry.host}/${folder}`), "castle.yaml");
    if ("faults" in parsed) throw new Error(JSON.stringify(parsed.faults));
    const { castle } = parsed;
    if (castle.hypervisor.kind !== "proxmox") throw new Error("no rack");
    const { context } = fakeTerminal({ cwd: tmpdir() });
    const found = await ownImages(
      context,
      castle,
      rackGround(castle, castle.hypervisor, new Secret("")),
      partsStore,
    );
    if (found === undefined) throw new Error("no images");
    return { castle, found };
  }

  it("are pushed under the names that manifests and machine configurations use, once", async () => {
    const { castle, found } = await images("tazlab");
    expect([...found.layouts.keys()].sort()).toEqual([
      `${registry.host}/tazlab/acme:v1`,
      castle.network.vipWarden,
    ]);
    expect((await pushOwnImages(found)).detail).toMatch(/^pushed /);
    for (const name of ["acme", "vip-warden"]) {
      expect(await registry.client.digest(`tazlab/${name}`, "v1")).toMatch(/^sha256:/);
    }
    expect(await pushOwnImages(found)).toEqual({ detail: "all there" });
  });

  it("are refused by name where the registry does not answer", async () => {
    const { found } = await images("tazlab");
    const gone = await openRegistry();
    await gone.close();
    await expect(pushOwnImages({ ...found, registry: gone.client })).rejects.toMatchObject({
      code: "image/registry-unreachable",
      message: expect.stringContaining(gone.host),
    });
  });
});
