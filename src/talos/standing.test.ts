import { type ServerUnaryCall, type sendUnaryData, status } from "@grpc/grpc-js";
import { afterEach, expect, it } from "vitest";
import { type FakeNode, credentials, fakeNode } from "../../test/fixtures/talos/node.ts";
import { standing } from "./standing.ts";

let node: FakeNode | undefined;
afterEach(() => node?.stop());

const Get =
  (stage: string) =>
  (_call: ServerUnaryCall<object, object>, reply: sendUnaryData<object>): void => {
    const yamlSpec = `stage: ${stage}\nstatus:\n    ready: false\n    unmetConditions: []\n`;
    reply(null, { resource: { metadata: { id: "machine" }, spec: { yamlSpec } } });
  };

async function found(...args: Parameters<typeof fakeNode>) {
  node = await fakeNode(...args);
  const endpoint = { host: "127.0.0.1", port: node.port };
  return await standing({ endpoint, credentials: credentials("fortress"), deadline: 2_000 });
}

it("knows a node of its own", async () => {
  expect(await found({ resources: { Get: Get("booting") } })).toEqual({
    kind: "ours",
    stage: "booting",
    ready: false,
  });
});

it("knows a node that waits for its configuration", async () => {
  const answer = await found(
    { resources: { Get: Get("maintenance") } },
    { castle: "stranger", maintenance: true },
  );
  expect(answer).toEqual({ kind: "new" });
});

it("knows a node of another castle", async () => {
  expect(await found({ resources: { Get: Get("running") } }, { castle: "stranger" })).toEqual({
    kind: "stranger",
  });
});

it("says why a node is silent", async () => {
  const answer = await found({
    resources: {
      Get: (_call: ServerUnaryCall<object, object>, reply: sendUnaryData<object>) =>
        reply({ code: status.UNAVAILABLE, details: "machined is not up" }),
    },
  });
  expect(answer).toEqual({
    kind: "silent",
    reason: expect.stringContaining("machined is not up") as unknown,
  });
});
