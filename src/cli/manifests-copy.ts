import { join } from "node:path";
import type { GitCredentials } from "../gitops/credentials.ts";
import { type KeptCopy, takeCopy } from "../gitops/kept-copy.ts";
import { Repository } from "../gitops/repository.ts";
import type { Context } from "./context.ts";
import { publishCache } from "./places.ts";

/** Is told the repository as soon as it can be asked. */
export type OnManifests = (repository: Repository) => Promise<unknown>;
export type OpenManifests = (access: ManifestsAccess) => Promise<Repository>;

/** The manifests' copy is given back with the target, or with what kept it from being opened. */
export async function withManifestsCopy<T extends { readonly close: () => void }>(
  context: Context,
  onManifests: OnManifests | undefined,
  open: (openManifests: OpenManifests) => Promise<T>,
): Promise<Omit<T, "close"> & { readonly close: () => Promise<void> }> {
  let copy: KeptCopy | undefined;
  let working: Promise<unknown> = Promise.resolve();
  const giveBack = async () => {
    await working;
    await copy?.giveBack();
  };
  try {
    const target = await open(async (access) => {
      copy = await takeCopy(join(publishCache(context), "manifests"), access);
      const opening = openRepository(context, copy.folder, access);
      working = opening.then(onManifests).catch(() => undefined);
      return opening;
    });
    return {
      ...target,
      close: () => {
        target.close();
        return giveBack();
      },
    };
  } catch (error) {
    await giveBack();
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
    folder,
    environment: context.env,
    author: { name: "castle", email },
    credentials,
    signal: context.signal,
  });
}
