import { createPrivateKey } from "node:crypto";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { CastleError } from "../errors/castle-error.ts";
import { Secret } from "../support/secret.ts";

/** The certificates with which castle and a node prove themselves to each other; all PEM. */
export interface Credentials {
  readonly authority: string;
  readonly certificate: string;
  readonly key: Secret;
}

const Context = z.object({
  endpoints: z.array(z.string()).nullish(),
  nodes: z.array(z.string()).nullish(),
  ca: z.string(),
  crt: z.string(),
  key: z.string(),
});

const Talosconfig = z.object({ context: z.string(), contexts: z.record(z.string(), Context) });

/**
 * The credentials of a talosconfig's current context.
 * @throws CastleError talos/malformed
 */
export function readCredentials(talosconfig: Secret): Credentials {
  const { current } = readTalosconfig(talosconfig);
  return {
    authority: decode(current.ca),
    certificate: decode(current.crt),
    key: new Secret(nodeKey(decode(current.key))),
  };
}

/** Where a talosconfig sends its calls: `endpoints` are dialled (host or host:port), `nodes` are asked through them. */
export interface TalosconfigTargets {
  readonly endpoints: readonly string[];
  readonly nodes: readonly string[];
}

/**
 * The same talosconfig with other targets: forwards on 127.0.0.1 for a lab, the nodes' own addresses for a rack.
 * @throws CastleError talos/malformed
 */
export function aimTalosconfig(talosconfig: Secret, targets: TalosconfigTargets): Secret {
  const { document } = readTalosconfig(talosconfig);
  const contexts = Object.entries(document.contexts).map(([name, { ca, crt, key, ...rest }]) => {
    const aimed =
      name === document.context ? targets : { endpoints: rest.endpoints ?? [], nodes: rest.nodes ?? [] };
    return [name, { endpoints: aimed.endpoints, nodes: aimed.nodes, ca, crt, key }];
  });
  return new Secret(
    stringify({ context: document.context, contexts: Object.fromEntries(contexts) }, { lineWidth: 0 }),
  );
}

/** Where a talosconfig's current context sends its calls. @throws CastleError talos/malformed */
export function talosconfigTargets(talosconfig: Secret): TalosconfigTargets {
  const { endpoints, nodes } = readTalosconfig(talosconfig).current;
  return { endpoints: endpoints ?? [], nodes: nodes ?? [] };
}

function readTalosconfig(talosconfig: Secret) {
  const parsed = Talosconfig.safeParse(parseQuietly(talosconfig.reveal()));
  const current = parsed.data?.contexts[parsed.data.context];
  if (!parsed.success || current === undefined) {
    throw new CastleError("talos/malformed", {
      message: "The talosconfig has no current context with ca, crt and key",
      hint: "castle talosconfig writes a fresh one",
    });
  }
  return { document: parsed.data, current };
}

/** The parser's own message would quote the file, secrets and all. */
function parseQuietly(text: string): unknown {
  try {
    return parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function decode(base64: string): string {
  return Buffer.from(base64, "base64").toString("utf8");
}

/** Talos labels its client key `ED25519 PRIVATE KEY`; the bytes are PKCS#8, which Node knows as `PRIVATE KEY`. */
function nodeKey(pem: string): string {
  const key = pem.replaceAll("ED25519 PRIVATE KEY", "PRIVATE KEY");
  try {
    createPrivateKey(key);
  } catch {
    throw new CastleError("talos/malformed", {
      message: "The talosconfig's client key is not a private key",
    });
  }
  return key;
}
