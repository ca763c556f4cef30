import { afterEach, beforeEach } from "vitest";

/** One castle goes through all tests of a file: after a failure the rest would only wait for what never comes. */
export function stopAfterFailure(): void {
  let failed: string | undefined;
  beforeEach(() => {
    if (failed !== undefined) throw new Error(`the castle was left by a test that failed: ${failed}`);
  });
  afterEach(({ task }) => {
    if (task.result?.state === "fail") failed ??= task.name;
  });
}
