import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { writeFileAtomic } from "../../support/write-file.ts";
import type { Program } from "./supervised-process.ts";

export interface RegistryOptions {
  /** Path of the Distribution registry's binary, v3. */
  readonly program: string;
  readonly host: string;
  readonly port: number;
  /** Folder that holds the images; `seedRegistry` fills it, pushes go there too. */
  readonly storage: string;
  /** Folder for its config file. */
  readonly run: string;
  readonly namespace?: string;
}

/** Writes the registry's config and says how to run it. Everybody on the LAN may pull and push: it is a lab. */
export async function registryProgram(options: RegistryOptions): Promise<Program> {
  await mkdir(options.storage, { recursive: true, mode: 0o700 });
  const config = join(options.run, "registry.yaml");
  await writeFileAtomic(
    config,
    stringify({
      version: "0.1",
      log: { level: "warn", accesslog: { disabled: true } },
      storage: {
        filesystem: { rootdirectory: options.storage },
        cache: { blobdescriptor: "inmemory" },
        delete: { enabled: true },
        // Looking through the whole storage at the start costs more than an abandoned upload.
        maintenance: { uploadpurging: { enabled: false } },
      },
      http: { addr: `${options.host}:${options.port}`, draintimeout: "100ms" },
    }),
  );
  return {
    name: "registry",
    command: [options.program, "serve", config],
    // It would send traces to a collector on the loopback.
    env: { OTEL_TRACES_EXPORTER: "none" },
    ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
  };
}
