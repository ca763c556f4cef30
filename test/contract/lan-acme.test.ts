import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Lan, type LanOptions, removeLan } from "../../src/lab/lan/lan.ts";
import { run } from "../../src/support/run.ts";
import { canRunLab, partsStore } from "../fixtures/parts.ts";
import {
  assertNothingLeft,
  assertRootIsClean,
  node,
  programs,
  resolveName,
  until,
} from "./lan/plugged-lan.ts";

let folder: string;
let options: LanOptions;
let lan: Lan;

describe.skipIf(!canRunLab)("the ACME server on the lab's LAN", () => {
  let pebble: string;

  beforeAll(async () => {
    // Not among the parts of a castle without gitops, which are all that others wait for.
    pebble = await partsStore.resolve("pebble");
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "castle-acme-"));
    options = {
      lab: "acme-test",
      cidr: "192.168.1.0/24",
      gateway: "192.168.1.1",
      bridges: ["vmbr0"],
      state: join(folder, "state"),
      run: join(folder, "run"),
      shared: "/run/castle",
      programs,
      agent: node("lan-agent"),
    };
    lan = await Lan.open(options);
  });

  afterEach(async () => {
    await lan.close();
    await removeLan(options);
    await assertNothingLeft(folder);
    await rm(folder, { recursive: true });
  });

  afterAll(assertRootIsClean);

  it("shows a directory behind its own certificate, and roots that outlive a restart", async () => {
    const { acme } = await lan.ensureServices({ acme: true, pebble });
    if (acme === undefined) throw new Error("there is no ACME server");
    expect(acme.directory).toBe("https://192.168.1.1:14000/dir");
    expect(acme.roots.match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
    const ca = join(folder, "ca.pem");
    await writeFile(ca, acme.certificate);
    const script = `fetch(process.argv[1]).then(async (r) => console.log(Object.keys(await r.json()).join()))`;
    const inside = [`--net=/run/netns/${lan.endpoints.namespace}`, "--", process.execPath, "-e", script];
    const said = await run("nsenter", [...inside, acme.directory], { env: { NODE_EXTRA_CA_CERTS: ca } });
    expect(said.stdout).toContain("newOrder");
    expect(await readFile(acme.log, "utf8")).toContain("Disabling random VA sleeps");
    expect(await lan.ensureServices({ acme: true })).toMatchObject({ acme });

    await lan.close();
    lan = await Lan.open(options);
    const again = lan.endpoints.acme;
    expect(again).toMatchObject({ directory: acme.directory, certificate: acme.certificate });
    expect(again?.roots.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(again?.roots.endsWith(acme.roots)).toBe(true);
  });

  it("issues for 90 days to a host that the LAN's DNS knows and that answers on port 80", async () => {
    const { acme } = await lan.ensureServices({ acme: true, pebble });
    if (acme === undefined) throw new Error("there is no ACME server");
    const ca = join(folder, "ca.pem");
    await writeFile(ca, acme.certificate);
    await lan.setHosts({ "blog.tazlab.net": ["192.168.1.1"] });
    await until(
      "the host is known",
      async () => (await resolveName(lan, "blog.tazlab.net")) === "192.168.1.1",
    );
    const client = [...node("lan-acme-client"), acme.directory, "192.168.1.1", "blog.tazlab.net", folder];
    const inside = [`--net=/run/netns/${lan.endpoints.namespace}`, "--", ...client];
    const { stdout } = await run("nsenter", inside, { env: { NODE_EXTRA_CA_CERTS: ca } });
    const [leaf, issuer] = (stdout.match(/-----BEGIN[^]+?-----END CERTIFICATE-----/g) ?? []).map(
      (pem) => new X509Certificate(pem),
    );
    if (leaf === undefined || issuer === undefined) throw new Error(`no chain: ${stdout}`);
    expect(leaf.subjectAltName).toBe("DNS:blog.tazlab.net");
    expect(leaf.verify(issuer.publicKey)).toBe(true);
    expect(issuer.verify(new X509Certificate(acme.roots).publicKey)).toBe(true);
    const days = (Date.parse(leaf.validTo) - Date.parse(leaf.validFrom)) / 86_400_000;
    expect(Math.round(days)).toBe(90);
    expect((await readFile(acme.log, "utf8")).match(/Added order/g)).toHaveLength(1);
  });

  it("is told apart from one that nobody can start", async () => {
    await expect(lan.ensureServices({ acme: true })).rejects.toMatchObject({ code: "lan/service-failed" });
    const missing = join(folder, "nothing");
    await expect(lan.ensureServices({ acme: true, pebble: missing })).rejects.toMatchObject({
      code: "lan/service-failed",
      message: expect.stringContaining("acme of the lab's LAN"),
    });
    expect(lan.endpoints.acme).toBeUndefined();
    expect(await lan.ensureServices({ acme: true, pebble })).toHaveProperty("acme");
  });
});
