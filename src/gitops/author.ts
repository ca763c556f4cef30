/** Who a commit says that it is by. */
export interface Author {
  readonly name: string;
  readonly email: string;
}

/** castle itself, where nobody else is named. */
export const CASTLE: Author = { name: "castle", email: "castle@localhost" };

/** What tells Git so, whatever this machine's own settings are. */
export function authorEnvironment({ name, email }: Author): Readonly<Record<string, string>> {
  return {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
  };
}
