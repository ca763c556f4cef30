import { rm } from "node:fs/promises";
import { join } from "node:path";
import { CastleError } from "../errors/castle-error.ts";
import type { Report } from "../journal/step.ts";
import { homeOf } from "../lifecycle/home.ts";
import { encryptedFileStore } from "../secrets/encrypted-file.ts";
import { ageIdentity } from "../secrets/identity.ts";
import { type InfisicalSettings, infisicalStore } from "../secrets/infisical.ts";
import { patientStore } from "../secrets/patient.ts";
import type { SecretStore } from "../secrets/store.ts";
import { Secret } from "../support/secret.ts";
import type { Context } from "./context.ts";
import { places } from "./places.ts";
import type { SpecFile } from "./spec-file.ts";

/** As Infisical's own command line names them. */
export const CLIENT_ID = "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID";
export const CLIENT_SECRET = "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET";

/**
 * The store of the spec.
 * @param report given: work goes on where the store does not answer, with a warning, and what cannot be kept is kept
 *   later. Otherwise what is not on this machine either is an error.
 */
export function secretStore(context: Context, { castle, folder }: SpecFile, report?: Report): SecretStore {
  const encrypted = (path: string) =>
    encryptedFileStore({
      path,
      identity: (locked) => userIdentity(context, locked),
      now: context.now,
    });
  const { secrets = { kind: "file" } } = castle;
  switch (secrets.kind) {
    case "file":
      return encrypted(join(folder, `${castle.name}.secrets.age`));
    case "infisical": {
      const { secretsCopy, secretsWaiting } = homeOf(folder, castle.name);
      return patientStore({
        remote: infisicalStore({ ...secrets, castle: castle.name, login: () => login(context) }),
        copy: encrypted(secretsCopy),
        waiting: encrypted(secretsWaiting),
        forgetWaiting: () => rm(secretsWaiting, { force: true }),
        ...(report === undefined ? {} : { tellAway: (away) => tellAway(report, away, secretsWaiting) }),
      });
    }
    default:
      return secrets satisfies never;
  }
}

/** The age identity of this user. @param locked what it is to open; undefined: one may be made */
export function userIdentity(context: Context, locked?: string): Promise<Secret> {
  return ageIdentity(places(context).identity, context.env["CASTLE_AGE_IDENTITY"], locked);
}

function tellAway(report: Report, { message }: CastleError, waiting: string): void {
  report({
    type: "warning",
    message: `${message}. New secrets are kept meanwhile, encrypted, in ${waiting}`,
    hint: "castle secrets sync, once it answers",
  });
}

function login({ env }: Context): ReturnType<InfisicalSettings["login"]> {
  const [clientId = "", clientSecret = ""] = [env[CLIENT_ID], env[CLIENT_SECRET]];
  if (clientId !== "" && clientSecret !== "") return { clientId, clientSecret: new Secret(clientSecret) };
  throw new CastleError("secrets/credentials", {
    message: `${clientId === "" ? CLIENT_ID : CLIENT_SECRET} is not set: the spec keeps the castle's secrets in Infisical`,
    hint: `in Infisical, make a machine identity with universal auth, then: export ${CLIENT_ID}=… ${CLIENT_SECRET}=…`,
  });
}
