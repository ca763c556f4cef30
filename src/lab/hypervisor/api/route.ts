import type { Input } from "./input.ts";
import type { Privilege } from "./privilege.ts";

type Method = "GET" | "POST" | "PUT" | "DELETE";

export interface Call {
  /** Decoded values of the route's placeholders. */
  readonly path: (name: string) => string;
  /** The body of a POST or PUT and the query, as one set of texts. */
  readonly input: Input;
  /** The token's id, for the tasks' records. */
  readonly user: string;
}

export interface Route {
  readonly method: Method;
  /** Below /api2/json/. `:name` takes one segment, `:name+` at the end takes all that are left. */
  readonly path: string;
  /** What the token must be allowed to do. */
  readonly privilege?: Privilege;
  readonly answer: (call: Call) => unknown;
}

export interface RouteMatch {
  readonly route: Route;
  readonly values: ReadonlyMap<string, string>;
}

/**
 * Finds the route of a path whose segments are already decoded. Splitting comes before decoding: a volume id holds
 * an encoded slash that must not become a separator.
 */
export function matchRoute(
  routes: readonly Route[],
  method: string,
  segments: readonly string[],
): RouteMatch | "wrong-method" | undefined {
  let wrongMethod = false;
  for (const route of routes) {
    const values = matchPath(route.path, segments);
    if (values === undefined) continue;
    if (route.method === method) return { route, values };
    wrongMethod = true;
  }
  return wrongMethod ? "wrong-method" : undefined;
}

function matchPath(pattern: string, segments: readonly string[]): ReadonlyMap<string, string> | undefined {
  const values = new Map<string, string>();
  const expected = pattern.split("/");
  for (const [index, part] of expected.entries()) {
    const segment = segments[index];
    if (segment === undefined) return undefined;
    if (part.startsWith(":") && part.endsWith("+")) {
      values.set(part.slice(1, -1), segments.slice(index).join("/"));
      return values;
    }
    if (part.startsWith(":")) values.set(part.slice(1), segment);
    else if (part !== segment) return undefined;
  }
  return segments.length === expected.length ? values : undefined;
}
