/** `main@sha1:…` → the commit; older ones have `main/…`. */
export function revisionCommit(revision: string | undefined): string | undefined {
  return /([0-9a-f]{40})$/.exec(revision ?? "")?.[1];
}
