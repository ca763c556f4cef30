/** What a repository has at its top for Git, people and other builders. */
export const REPOSITORY_FILES: ReadonlySet<string> = new Set([
  ".dockerignore",
  ".forgejo",
  ".git",
  ".gitattributes",
  ".github",
  ".gitignore",
  ".gitmodules",
  "Dockerfile",
  "castle.lock",
]);
