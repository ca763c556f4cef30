import { parse } from "yaml";
import type { z } from "zod";
import { CastleError } from "../errors/castle-error.ts";
import { type ResourceKind, type WireResource, calls } from "./calls.ts";
import type { CallSettings, TalosClient } from "./client.ts";

/** A kind of Talos resource and the part of its spec that castle reads. */
export interface Kind<Spec> extends ResourceKind {
  readonly spec: z.ZodType<Spec>;
}

export interface Resource<Spec> {
  readonly id: string;
  readonly version: string;
  readonly phase: string;
  readonly spec: Spec;
}

/** One resource by its id; undefined: the node has none. @throws CastleError talos/malformed, talos/… */
export async function getResource<Spec>(
  client: TalosClient,
  kind: Kind<Spec>,
  id: string,
  settings: CallSettings = {},
): Promise<Resource<Spec> | undefined> {
  const { namespace, type } = kind;
  try {
    const { resource } = await client.call(calls.getResource, { namespace, type, id, options: {} }, settings);
    return decode(client, kind, resource);
  } catch (error) {
    if (error instanceof CastleError && error.code === "talos/not-found") return undefined;
    throw error;
  }
}

/** All resources of a kind, as the node orders them. @throws CastleError talos/malformed, talos/… */
export async function listResources<Spec>(
  client: TalosClient,
  kind: Kind<Spec>,
  settings: CallSettings = {},
): Promise<Resource<Spec>[]> {
  const { namespace, type } = kind;
  const request = { namespace, type, options: {} };
  const found: Resource<Spec>[] = [];
  for await (const { resource } of client.stream(calls.listResources, request, {
    deadline: 10_000,
    ...settings,
  })) {
    found.push(decode(client, kind, resource));
  }
  return found;
}

export type ResourceChange<Spec> =
  | { readonly type: "set"; readonly resource: Resource<Spec> }
  | { readonly type: "gone"; readonly id: string }
  /** All that existed when the watch began has been told. */
  | { readonly type: "current" };

/**
 * All resources of a kind, then every change, until `signal` fires or the node goes away.
 * @throws CastleError talos/malformed, talos/…
 */
export async function* watchResources<Spec>(
  client: TalosClient,
  kind: Kind<Spec>,
  settings: CallSettings = {},
): AsyncGenerator<ResourceChange<Spec>, void, undefined> {
  const { namespace, type } = kind;
  const request = { namespace, type, options: { bootstrapContents: true }, apiVersion: 1 };
  for await (const { event } of client.stream(calls.watchResources, request, settings)) {
    for (const { eventType, resource, error } of event) {
      switch (eventType) {
        case "CREATED":
        case "UPDATED":
          yield { type: "set", resource: decode(client, kind, resource) };
          break;
        case "DESTROYED":
          yield { type: "gone", id: resource?.metadata?.id ?? "" };
          break;
        case "BOOTSTRAPPED":
          yield { type: "current" };
          break;
        case "ERRORED":
          throw new CastleError("talos/call-failed", {
            message: `${client.name} ended the watch of ${type}: ${error}`,
          });
        case "NOOP":
          break;
      }
    }
  }
}

function decode<Spec>(client: TalosClient, kind: Kind<Spec>, resource: WireResource | null): Resource<Spec> {
  const metadata = resource?.metadata;
  const spec = kind.spec.safeParse(parse(resource?.spec?.yamlSpec ?? "") as unknown);
  if (metadata === null || metadata === undefined || !spec.success) {
    throw new CastleError("talos/malformed", {
      message: `${client.name} sent a ${kind.type} of another form than Talos v1.11 does: ${spec.error?.message ?? "no metadata"}`,
    });
  }
  return { id: metadata.id, version: metadata.version, phase: metadata.phase, spec: spec.data };
}
