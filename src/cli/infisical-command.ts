import { once } from "node:events";
import { dirname, join } from "node:path";
import { serveInfisical } from "../lab/infisical/server.ts";
import { writeFileAtomic } from "../support/write-file.ts";
import type { Context } from "./context.ts";
import { places } from "./places.ts";
import { CLIENT_ID, CLIENT_SECRET } from "./secret-store.ts";

/** Says where it answers and where its credentials are, never what they are. */
export async function standInInfisical(context: Context, port: number): Promise<void> {
  const folder = join(dirname(places(context).labs), "infisical");
  const server = await serveInfisical({ folder, port });
  const environment = join(folder, "environment");
  await writeFileAtomic(
    environment,
    `export ${CLIENT_ID}=${server.clientId}\nexport ${CLIENT_SECRET}=${server.clientSecret}\n`,
  );
  context.process.stdout.write(
    `A stand-in of Infisical answers at ${server.url}\ncastle.yaml:  secrets: { infisical: { project: ${server.project}, environment: dev, url: ${server.url} } }\ncredentials:  . ${environment}\n`,
  );
  if (!context.signal.aborted) await once(context.signal, "abort");
  await server.close();
}
