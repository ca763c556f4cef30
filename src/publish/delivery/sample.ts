import type { ReleaseFile } from "../release.ts";

/** How many files each pod and the public address are asked for. */
const MOST = 8;

/**
 * The files by which a server is tried: the first page, and others spread evenly over all; the same for every server.
 * Files that no visitor gets by their name (the page for what is not there, hidden ones) are left out.
 */
export function sampleFiles(files: readonly ReleaseFile[]): readonly ReleaseFile[] {
  const served = files.filter(({ path }) => path !== "404.html" && !/(?:^|\/)\.(?!well-known\/)/.test(path));
  const home = served.find(({ path }) => path === "index.html");
  const rest = served.filter((file) => file !== home);
  const step = Math.max(1, rest.length / (MOST - 1));
  const spread = Array.from(
    { length: Math.min(rest.length, MOST - 1) },
    (_, index) => rest[Math.floor(index * step)],
  );
  return [home, ...spread].filter((file) => file !== undefined);
}

/** As a visitor asks for it: a folder's page by the folder. */
export function addressOf(path: string): string {
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  return `/${encoded.replace(/(^|\/)index\.html$/, "$1")}`;
}
