import { join } from "node:path";
import type { GitCredentials } from "../gitops/credentials.ts";
import { Repository } from "../gitops/repository.ts";
import { openScratch } from "../support/scratch-folder.ts";
import type { Context } from "./context.ts";

/** Is told the repository as soon as it can be asked. */
export type OnManifests = (repository: Repository) => Promise<unknown>;
export type OpenManifests = (access: ManifestsAccess) => Promise<Repository>;

/** The manifests' copy goes away with the target, or with what kept it from being opened. */
export async function withManifestsCopy<T extends { readonly close: () => void }>(
  context: Context,
  onManifests: OnManifests | undefined,
  open: (openManifests: OpenManifests) => Promise<T>,
): Promise<Omit<T, "close"> & { readonly close: () => Promise<void> }> {
  const copy = await openScratch("publish");
  let working: Promise<unknown> = Promise.resolve();
  const remove = async () => {
    await working;
    await copy.remove();
  };
  try {
    const target = await open((access) => {
      const opening = openRepository(context, copy.path, access);
      working = opening.then(onManifests).catch(() => undefined);
      return opening;
    });
    return {
      ...target,
      close: () => {
        target.close();
        return remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

interface ManifestsAccess {
  readonly url: string;
  readonly branch: string;
  readonly email: string;
  readonly credentials: GitCredentials | undefined;
}

function openRepository(context: Context, folder: string, access: ManifestsAccess): Promise<Repository> {
  const { url, branch, email, credentials } = access;
  return Repository.open({
    url,
    branch,
    folder: join(folder, "manifests.git"),
    environment: context.env,
    author: { name: "castle", email },
    credentials,
    signal: context.signal,
  });
}
