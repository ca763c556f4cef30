import { fileURLToPath } from "node:url";
import { type MessageTypeDefinition, type MethodDefinition, loadSync } from "@grpc/proto-loader";

const SERVICES = {
  machine: "machine.MachineService",
  resources: "cosi.resource.State",
  discovery: "sidero.discovery.server.Cluster",
} as const;

const definitions = loadSync(["machine.proto", "resource.proto", "discovery.proto"], {
  includeDirs: [fileURLToPath(new URL("proto/", import.meta.url))],
  // Member ids are 64 bits wide: as numbers they would lose their last digits.
  longs: String,
  enums: String,
  defaults: true,
});

/**
 * How one call is put on the wire. The type arguments are a promise that `calls.ts` makes for the whole room: they
 * mirror the .proto files, which the loader holds every answer to.
 */
export type Method<Request extends object, Response extends object> = MethodDefinition<Request, Response>;

export function method<Request extends object, Response extends object>(
  service: keyof typeof SERVICES,
  name: string,
): Method<Request, Response> {
  const found = serviceMethods(service)[name];
  if (found === undefined) throw new TypeError(`src/talos/proto has no call ${SERVICES[service]}/${name}`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one place where .proto and types meet
  return found as unknown as Method<Request, Response>;
}

/** Every call of a service, as a grpc-js server wants them. */
export function serviceMethods(
  service: keyof typeof SERVICES,
): Record<string, MethodDefinition<object, object>> {
  const found = definitions[SERVICES[service]];
  if (found === undefined || "format" in found)
    throw new TypeError(`src/talos/proto lacks ${SERVICES[service]}`);
  return found;
}

/** A message by its full name, for example machine.PhaseEvent. */
export function message(name: string): MessageTypeDefinition<object, object> {
  const found = definitions[name];
  if (found === undefined || !isMessage(found)) throw new TypeError(`src/talos/proto has no message ${name}`);
  return found;
}

function isMessage(definition: object): definition is MessageTypeDefinition<object, object> {
  return "format" in definition && definition.format === "Protocol Buffer 3 DescriptorProto";
}
