/** Who made it and what it belongs to: on every object of the platform. */
export function labels(component: string, name: string): Readonly<Record<string, string>> {
  return {
    "app.kubernetes.io/component": component,
    "app.kubernetes.io/managed-by": "flux",
    "app.kubernetes.io/name": name,
    "app.kubernetes.io/part-of": "castle",
  };
}

/** What Deployments, Services and budgets find their pods by. Never changed: a selector is immutable. */
export function selector(component: string, name: string): Readonly<Record<string, string>> {
  return { "app.kubernetes.io/component": component, "app.kubernetes.io/name": name };
}
