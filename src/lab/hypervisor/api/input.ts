import { parameterError } from "./api-error.ts";

/** Parameters of a call, all as texts: clients send forms, queries or JSON, and Proxmox reads them alike. */
export type Input = ReadonlyMap<string, string>;

export function parseForm(text: string): Input {
  return new Map(new URLSearchParams(text));
}

/** @throws ApiError 400 where the text is not one flat JSON object. */
export function parseJsonBody(text: string): Input {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw parameterError({ body: "not valid JSON" });
  }
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw parameterError({ body: "a JSON object is expected" });
  }
  const input = new Map<string, string>();
  for (const [key, value] of Object.entries(body)) {
    const text = parameterText(value);
    if (text !== undefined) input.set(key, text);
  }
  return input;
}

function parameterText(value: unknown): string | undefined {
  if (value === null) return undefined;
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  if (typeof value === "boolean") return value ? "1" : "0";
  if (Array.isArray(value)) return value.map((element) => parameterText(element) ?? "").join(",");
  throw parameterError({ body: "nested objects are not expected" });
}

/** @throws ApiError 400 where the parameter is missing. */
export function requiredText(input: Input, key: string): string {
  const value = input.get(key);
  if (value === undefined || value === "") {
    throw parameterError({ [key]: "property is missing and it is not optional" });
  }
  return value;
}

/** @throws ApiError 400 where the parameter is there and no whole number. */
export function optionalInteger(input: Input, key: string): number | undefined {
  const value = input.get(key);
  if (value === undefined || value === "") return undefined;
  if (!/^\d+$/.test(value)) {
    throw parameterError({ [key]: `type check ('integer') failed - got '${value}'` });
  }
  return Number(value);
}

/** @throws ApiError 400 where the parameter is missing or no whole number. */
export function requiredInteger(input: Input, key: string): number {
  requiredText(input, key);
  return optionalInteger(input, key) ?? 0;
}

export function isTrue(value: string | undefined): boolean {
  return value !== undefined && /^(1|on|yes|true)$/i.test(value);
}
