import { createServer } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { registerSchematic, schematic, schematicId } from "./schematic.ts";

const GUEST_AGENT = "siderolabs/qemu-guest-agent";

describe("schematicId", () => {
  it("is the id that the factory publishes for no extensions", () => {
    expect(schematicId([])).toBe("376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba");
  });

  it("is the id that the factory publishes for the guest agent", () => {
    expect(schematicId([GUEST_AGENT])).toBe(
      "ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515",
    );
  });

  it("does not depend on the order or the number of mentions", () => {
    const other = "siderolabs/iscsi-tools";
    expect(schematicId([GUEST_AGENT, other, other])).toBe(schematicId([other, GUEST_AGENT]));
  });
});

describe("registerSchematic", () => {
  const closers: (() => void)[] = [];
  afterEach(() => {
    for (const close of closers.splice(0)) close();
  });

  async function factory(answer: (body: string) => { status: number; body: string }): Promise<string> {
    const server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        const { status, body: text } = answer(body);
        response.writeHead(status, { "content-type": "application/json" }).end(text);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closers.push(() => server.close());
    const address = server.address();
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : address}`;
  }

  it("sends the text that the id is the digest of", async () => {
    let seen = "";
    const url = await factory((body) => {
      seen = body;
      return { status: 201, body: JSON.stringify({ id: schematicId([GUEST_AGENT]) }) };
    });
    await registerSchematic([GUEST_AGENT], { factory: url });
    expect(seen).toBe(schematic([GUEST_AGENT]));
  });

  it("names the extensions that the factory refuses", async () => {
    const url = await factory(() => ({ status: 400, body: "unknown extension" }));
    await expect(registerSchematic(["siderolabs/nonsense"], { factory: url })).rejects.toThrow(
      /refused the schematic of siderolabs\/nonsense: 400 unknown extension/,
    );
  });

  it("does not accept another id", async () => {
    const url = await factory(() => ({ status: 200, body: JSON.stringify({ id: "00" }) }));
    await expect(registerSchematic([GUEST_AGENT], { factory: url })).rejects.toMatchObject({
      code: "infra/image-factory",
    });
  });

  it("asks nobody about the empty schematic", async () => {
    await expect(registerSchematic([], { factory: "http://127.0.0.1:1" })).resolves.toBeUndefined();
  });
});
