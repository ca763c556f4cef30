import { z } from "zod";

/*
 * How castle talks to the lab's daemon about what a Proxmox API has no word for: HTTP with JSON bodies over a unix
 * socket in the lab's run folder (mode 0600). POST /OPERATION, 200 with the answer, or 400 with {code, message, hint}.
 */

const target = z.object({ address: z.string(), port: z.int().min(1).max(65_535) });

export const machineShape = z.object({
  vmid: z.int(),
  name: z.string(),
  host: z.string(),
  state: z.enum(["running", "stopped"]),
  addresses: z.array(z.string()),
});
export type LabMachine = z.infer<typeof machineShape>;

export const gitShape = z.object({
  inside: z.string(),
  outside: z.string(),
  username: z.string(),
  token: z.string(),
  author: z.object({ username: z.string(), token: z.string() }),
});
export const acmeShape = z.object({
  directory: z.string(),
  certificate: z.string(),
  roots: z.string(),
  log: z.string(),
});

const operations = {
  /** Machines, memory (bytes: machines' cgroups less inactive file cache) and forwards of the lab. */
  status: {
    request: z.object({}),
    answer: z.object({
      name: z.string(),
      pid: z.int(),
      machines: z.array(machineShape),
      memory: z.number(),
      forwards: z.array(z.object({ name: z.string(), port: z.int() })),
    }),
  },
  /** A door on 127.0.0.1 that leads to the first of the targets that accepts; the same name keeps its port. */
  forward: {
    request: z.object({ name: z.string(), targets: z.array(target).min(1) }),
    answer: z.object({ host: z.string(), port: z.int() }),
  },
  /** Leads a door on 127.0.0.1 to these sites, NAME.localhost each, and to no others; it keeps its port. */
  sites: {
    request: z.object({
      sites: z.array(z.object({ name: z.string(), host: z.string(), address: z.string() })).min(1),
    }),
    answer: z.object({ port: z.int() }),
  },
  /** `off` lets the machine shut itself down and pulls the plug after 60 s; `cut` pulls it at once. */
  power: {
    request: z.object({ vmid: z.int(), action: z.enum(["on", "off", "cut"]) }),
    answer: z.object({}),
  },
  /** Takes the network cable of a machine out, or puts it back. */
  link: {
    request: z.object({ vmid: z.int(), up: z.boolean() }),
    answer: z.object({}),
  },
  /** Whether anybody on the LAN answers ARP for an address. */
  probe: {
    request: z.object({ address: z.string() }),
    answer: z.object({ present: z.boolean(), mac: z.string().optional() }),
  },
  /** Names that the LAN's DNS answers for. */
  hosts: {
    request: z.object({ records: z.record(z.string(), z.string()) }),
    answer: z.object({}),
  },
  /**
   * Starts what the LAN serves on demand only, and says where all of it is; what runs already stays, and comes back with
   * the next daemon. `pebble` is the path of the ACME server's program; without it the one told before is used.
   */
  services: {
    request: z.object({
      git: z.boolean().optional(),
      acme: z.boolean().optional(),
      pebble: z.string().optional(),
      /** PEM: what an ACME server of an earlier lab issued from, for who visits what it certified. */
      roots: z.string().optional(),
    }),
    answer: z.object({ git: gitShape.optional(), acme: acmeShape.optional() }),
  },
  /** Puts images into the LAN's registry, besides those that every lab has; the same images again change nothing. */
  images: {
    request: z.object({
      images: z.array(z.object({ repository: z.string(), tag: z.string(), layout: z.string() })),
    }),
    answer: z.object({}),
  },
  /** Pulls all plugs, ends the LAN's services and then the daemon; what is left is swept by who asked. */
  stop: {
    request: z.object({}),
    answer: z.object({}),
  },
} as const;

type Operations = typeof operations;
export type Operation = keyof Operations;
export type OperationRequest<O extends Operation> = z.infer<Operations[O]["request"]>;
export type OperationAnswer<O extends Operation> = z.infer<Operations[O]["answer"]>;

/** The shapes again, typed so that one found by its name fits the operation of that name. */
export const operationShapes: {
  readonly [O in Operation]: {
    readonly request: z.ZodType<OperationRequest<O>>;
    readonly answer: z.ZodType<OperationAnswer<O>>;
  };
} = operations;
