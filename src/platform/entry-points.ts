/** One door of the ingress. Everything that names a port of Traefik is made from these and from nothing else. */
export interface EntryPoint {
  /** Of the entry point, of the container's port and of the Service's port. */
  readonly name: string;
  /** What Traefik listens on: above 1023, because it is not root. */
  readonly inside: number;
  /** What the load balancer's address answers on. */
  readonly outside: number;
}

export const plain: EntryPoint = { name: "web", inside: 8000, outside: 80 };
export const secure: EntryPoint = { name: "websecure", inside: 8443, outside: 443 };

/** Doors that only the cluster sees. */
export const ping = { name: "ping", inside: 8080 } as const;
export const metrics = { name: "metrics", inside: 9100 } as const;

/** Traefik's flag that opens it. */
export function listenFlag({ name, inside }: Pick<EntryPoint, "name" | "inside">): string {
  return `--entryPoints.${name}.address=:${inside}/tcp`;
}

export function containerPort({ name, inside }: Pick<EntryPoint, "name" | "inside">) {
  return { name, containerPort: inside, protocol: "TCP" };
}

/** The Service finds the container's port by name: there is no second number that could be wrong. */
export function servicePort({ name, outside }: EntryPoint) {
  return { name, port: outside, protocol: "TCP", targetPort: name };
}

/**
 * Traefik's redirect to HTTPS outranks every router unless told otherwise, ACME's challenges among them. These two
 * stand above the lengths of rules that other routers are ranked by.
 */
export const REDIRECT_PRIORITY = 1_000_000;
export const CHALLENGE_PRIORITY = REDIRECT_PRIORITY + 1;
