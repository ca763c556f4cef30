import { z } from "zod";

/** What would be right, as the end of a sentence; see schema.ts. */
type Expected = string | ((input: unknown) => string);

export function text(pattern: RegExp, expected: Expected) {
  const error =
    typeof expected === "string" ? expected : ({ input }: { readonly input?: unknown }) => expected(input);
  return z.string({ error }).regex(pattern, { error });
}

export function whole(least: number, most: number, expected: string) {
  const error = `${expected}, a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
}

export function section<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const error = `a section with the keys ${Object.keys(shape).join(", ")}`;
  return z.strictObject(shape, { error });
}
