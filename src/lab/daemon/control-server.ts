import { chmod, rm } from "node:fs/promises";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { text } from "node:stream/consumers";
import {
  type Operation,
  type OperationAnswer,
  type OperationRequest,
  operationShapes,
} from "./control-protocol.ts";
import { refusalOf } from "./refusal.ts";

export type ControlHandlers = {
  readonly [O in Operation]: (request: OperationRequest<O>) => Promise<OperationAnswer<O>>;
};

/** Serves the lab's operations on a unix socket that only root may open. */
export async function serveControl(socket: string, handlers: ControlHandlers): Promise<Server> {
  await rm(socket, { force: true });
  const server = createServer((request, response) => {
    void respond(request, response, handlers);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socket, resolve);
  });
  await chmod(socket, 0o600);
  return server;
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  handlers: ControlHandlers,
): Promise<void> {
  const { status, answer } = await handle(request, handlers);
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(answer));
}

async function handle(
  request: IncomingMessage,
  handlers: ControlHandlers,
): Promise<{ status: number; answer: unknown }> {
  try {
    const name = request.url?.slice(1) ?? "";
    if (!isOperation(name))
      return { status: 404, answer: { code: "lab/refused", message: `no operation ${name}` } };
    return { status: 200, answer: await dispatch(name, JSON.parse(await text(request)), handlers) };
  } catch (error) {
    return { status: 400, answer: refusalOf(error, "lab/refused") };
  }
}

function dispatch<O extends Operation>(operation: O, body: unknown, handlers: ControlHandlers) {
  const request = operationShapes[operation].request.parse(body);
  return handlers[operation](request);
}

function isOperation(name: string): name is Operation {
  return Object.hasOwn(operationShapes, name);
}
