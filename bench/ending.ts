/** Does the work and then the cleanup, whatever came of it. Where both fail, the work's error is the first told. */
export async function ending<T>(work: () => Promise<T>, cleanup: () => Promise<void>): Promise<T> {
  let result: T;
  try {
    result = await work();
  } catch (error) {
    const after = await cleanup().then(
      () => undefined,
      (reason: unknown) => ({ reason }),
    );
    if (after === undefined) throw error;
    const message = `${String(error)}; and then the cleanup: ${String(after.reason)}`;
    throw new AggregateError([error, after.reason], message, { cause: error });
  }
  await cleanup();
  return result;
}
