import { fetch } from "undici";
import { z } from "zod";
import { CastleError } from "../errors/castle-error.ts";
import { sha256 } from "../support/sha256.ts";

export const TALOS_FACTORY = "https://factory.talos.dev";

const Registered = z.object({ id: z.string() });

/**
 * The customization of a Talos image in the factory's canonical form. The factory names a schematic by the digest of
 * this very text, so indentation and order matter; the extensions are sorted to make equal wishes equal images.
 */
export function schematic(extensions: readonly string[]): string {
  if (extensions.length === 0) return "customization: {}\n";
  const items = [...new Set(extensions)].sort().map((extension) => `            - ${extension}\n`);
  return `customization:\n    systemExtensions:\n        officialExtensions:\n${items.join("")}`;
}

/** The id that the factory gives the schematic: 64 hexadecimal digits. */
export function schematicId(extensions: readonly string[]): string {
  return sha256(schematic(extensions));
}

/**
 * Makes the schematic known to the factory; it builds no image of a digest that it was never shown. The empty one is
 * always known, and the lab never asks: call this for a rack only.
 * @throws CastleError infra/image-factory
 */
export async function registerSchematic(
  extensions: readonly string[],
  { factory = TALOS_FACTORY, signal }: { factory?: string; signal?: AbortSignal } = {},
): Promise<void> {
  if (extensions.length === 0) return;
  const expected = schematicId(extensions);
  const deadline = AbortSignal.timeout(20_000);
  const hint = "check talos.extensions in castle.yaml and that this machine reaches the factory";
  try {
    const answer = await fetch(`${factory}/schematics`, {
      method: "POST",
      body: schematic(extensions),
      signal: signal === undefined ? deadline : AbortSignal.any([deadline, signal]),
    });
    if (!answer.ok) {
      const message = `${factory} refused the schematic of ${extensions.join(", ")}: ${answer.status} ${await answer.text()}`;
      throw new CastleError("infra/image-factory", { message: message.trim(), hint });
    }
    const { id } = Registered.parse(await answer.json());
    if (id !== expected) {
      const message = `${factory} names the schematic ${id}, expected ${expected}`;
      throw new CastleError("infra/image-factory", {
        message,
        hint: "this castle is too old for the factory",
      });
    }
  } catch (error) {
    if (error instanceof CastleError) throw error;
    signal?.throwIfAborted();
    const message = `the schematic could not be registered with ${factory}`;
    throw new CastleError("infra/image-factory", { message, hint, cause: error });
  }
}
