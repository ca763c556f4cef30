import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { type Server, type Socket, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StepEvent } from "../../journal/step.ts";
import { type Agent, runAgent } from "./agent.ts";
import { dialLan, dialMachine, probeLan } from "./dial.ts";
import { Forwards } from "./forwards.ts";

let folder: string;
let agent: Agent;
let socket: string;
const closers: (() => Promise<unknown> | void)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "castle-lan-"));
  socket = join(folder, "run", "agent.sock");
  agent = await runAgent({ socket, dialTimeout: 2_000 });
});

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
  await agent.close();
  await rm(folder, { recursive: true });
});

/** A machine on the loopback. */
async function machine(serve: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    // Tests end with connections open.
    socket.on("error", () => {});
    serve(socket);
  });
  const port = await listen(server);
  closers.push(() => void server.close());
  return port;
}

function listen(server: Server, port = 0): Promise<number> {
  return new Promise((resolve) => {
    server.listen(port, "127.0.0.1", () => {
      const bound = server.address();
      resolve(typeof bound === "object" ? (bound?.port ?? 0) : 0);
    });
  });
}

const says = (what: string) => (socket: Socket) => void socket.resume().end(what);
/** Answers with what it got, but only after the other side said that it has nothing more. */
const echoAtEnd = (socket: Socket) => {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("end", () => socket.end(Buffer.concat(chunks)));
};

async function open(
  more: { report?: (event: StepEvent) => void; patience?: number } = {},
): Promise<Forwards> {
  const forwards = await Forwards.open({ socket, file: join(folder, "forwards.json"), ...more });
  closers.push(() => forwards.close());
  return forwards;
}

const get = (port: number) => text(connect({ host: "127.0.0.1", port, allowHalfOpen: false }));

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe("the agent", () => {
  it("dials, passes a half-close on, and loses no byte of a large answer", async () => {
    const port = await machine(echoAtEnd);
    const connection = await dialLan(socket, "127.0.0.1", port);
    const sent = "0123456789".repeat(400_000);
    connection.end(sent);
    expect((await text(connection)) === sent).toBe(true);
  });

  it("is for its owner only", async () => {
    expect((await stat(socket)).mode & 0o777).toBe(0o600);
  });

  it("says how a dial failed", async () => {
    await expect(dialLan(socket, "127.0.0.1", await freePort())).rejects.toMatchObject({
      code: "lan/unreachable",
      details: { code: "ECONNREFUSED" },
    });
  });

  it("keeps to the deadline", async () => {
    const silent = createServer({ pauseOnConnect: true });
    const path = join(folder, "silent.sock");
    await new Promise<void>((resolve) => silent.listen(path, resolve));
    closers.push(() => void silent.close());
    await expect(dialMachine(path, { address: "127.0.0.1", port: 1 }, { timeout: 50 })).rejects.toMatchObject(
      {
        code: "lan/unreachable",
        details: { code: "ETIMEDOUT" },
      },
    );
  });

  it("is told apart from a machine that is not there", async () => {
    await expect(dialLan(join(folder, "none.sock"), "127.0.0.1", 1)).rejects.toMatchObject({
      code: "lan/agent-unreachable",
    });
  });

  it.each(["nonsense\n", '{"address":"example.org","port":1}\n', `${"x".repeat(5_000)}\n`])(
    "refuses %j and goes on",
    async (line) => {
      const client = connect({ path: socket, allowHalfOpen: true });
      client.write(line);
      expect(JSON.parse(await text(client))).toMatchObject({ ok: false });
      client.destroy();
      const port = await machine(says("still here"));
      expect(await text(await dialLan(socket, "127.0.0.1", port))).toBe("still here");
    },
  );

  it("finds its own address by a probe", async () => {
    expect(await probeLan(socket, "127.0.0.1")).toMatchObject({ present: true });
  });
});

describe("forwards", () => {
  it("lead to the first target that accepts", async () => {
    const dead = await freePort();
    const second = await machine(says("second"));
    const third = await machine(says("third"));
    const forwards = await open();
    const targets = [dead, second, third].map((port) => ({ address: "127.0.0.1", port }));
    const { port } = await forwards.forward("api", targets);
    expect(await get(port)).toBe("second");
  });

  it("break the connection when nobody accepts", async () => {
    const forwards = await open();
    const { port } = await forwards.forward("api", [{ address: "127.0.0.1", port: await freePort() }]);
    await expect(get(port)).rejects.toMatchObject({ code: "ECONNRESET" });
  });

  it("keep the port when their targets change", async () => {
    const first = await machine(says("first"));
    const second = await machine(says("second"));
    const forwards = await open();
    const before = await forwards.forward("api", [{ address: "127.0.0.1", port: first }]);
    const after = await forwards.forward("api", [{ address: "127.0.0.1", port: second }]);
    expect(after.port).toBe(before.port);
    expect(await get(after.port)).toBe("second");
  });

  it("come back on the same port after a restart", async () => {
    const target = await machine(says("hello"));
    const before = await open();
    const { port } = await before.forward("api", [{ address: "127.0.0.1", port: target }]);
    await before.close();
    await expect(get(port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    const after = await open();
    expect(after.list()).toEqual([
      { name: "api", host: "127.0.0.1", port, targets: [{ address: "127.0.0.1", port: target }] },
    ]);
    expect(await get(port)).toBe("hello");
  });

  it("move to another port with a warning when theirs was taken", async () => {
    const target = await machine(says("hello"));
    const before = await open();
    const { port } = await before.forward("api", [{ address: "127.0.0.1", port: target }]);
    await before.close();
    const thief = createServer();
    await listen(thief, port);
    closers.push(() => void thief.close());
    const events: StepEvent[] = [];
    const after = await open({ report: (event) => void events.push(event) });
    const moved = after.list()[0]?.port ?? 0;
    expect(moved).not.toBe(port);
    expect(events).toMatchObject([{ type: "warning", message: expect.stringContaining(String(port)) }]);
    expect(await get(moved)).toBe("hello");
    expect(await readFile(join(folder, "forwards.json"), "utf8")).toContain(String(moved));
  });

  it("pass a break of the machine on", async () => {
    const target = await machine((socket) => {
      socket.write("half");
      socket.once("data", () => socket.resetAndDestroy());
    });
    const forwards = await open();
    const { port } = await forwards.forward("api", [{ address: "127.0.0.1", port: target }]);
    const client = connect({ host: "127.0.0.1", port });
    const closed = new Promise((resolve) => client.on("close", resolve));
    client.on("error", () => {});
    client.once("data", () => client.write("go on"));
    await closed;
    expect(client.destroyed).toBe(true);
  });

  it("close even while connections are open, and forget a removed one", async () => {
    const target = await machine(() => {});
    const forwards = await open();
    const { port } = await forwards.forward("api", [{ address: "127.0.0.1", port: target }]);
    const client = connect({ host: "127.0.0.1", port });
    client.on("error", () => {});
    const closed = new Promise((resolve) => client.on("close", resolve));
    await new Promise((resolve) => client.once("connect", resolve));
    await forwards.remove("api");
    expect(forwards.list()).toEqual([]);
    await forwards.close();
    await closed;
    expect(await readFile(join(folder, "forwards.json"), "utf8")).toBe("{}\n");
  });
});
