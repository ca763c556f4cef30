import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { serverCertificate } from "./certificate.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "castle-tls-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("the server's certificate", () => {
  it("is made once, in one file that only its owner reads", async () => {
    const made = await serverCertificate(folder);
    expect(made.fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    expect(await serverCertificate(folder)).toEqual(made);
    expect(await readdir(folder)).toEqual(["tls.pem"]);
    expect((await stat(join(folder, "tls.pem"))).mode & 0o777).toBe(0o600);
  });

  it("is made again where the file is damaged or key and certificate do not belong together", async () => {
    const first = await serverCertificate(folder);
    await writeFile(join(folder, "tls.pem"), first.certificate);
    const second = await serverCertificate(folder);
    expect(second.fingerprint).not.toBe(first.fingerprint);
    await writeFile(join(folder, "tls.pem"), first.key + second.certificate);
    expect((await serverCertificate(folder)).fingerprint).not.toBe(second.fingerprint);
  });
});
