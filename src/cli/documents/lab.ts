import { z } from "zod";

const path = z.string().meta({ description: "Absolute path of a file" });

const labMachine = z.object({
  vmid: z.int(),
  name: z.string(),
  host: z.string(),
  state: z.enum(["running", "stopped"]),
  addresses: z.array(z.string()),
});

/** What `castle lab …` prints. */
export const labDocuments = {
  LabUp: z
    .object({
      lab: z.string(),
      endpoint: z.string(),
      environment: path.meta({ description: "Shell file with endpoint and token, mode 0600" }),
      certificate: path,
      machines: z.array(labMachine),
    })
    .meta({ description: "castle lab up" }),
  LabDown: z
    .object({ lab: z.string(), kept: z.boolean().meta({ description: "Disks and settings were kept" }) })
    .meta({ description: "castle lab down" }),
  LabStatus: z
    .object({
      lab: z.string(),
      up: z.boolean(),
      pid: z.int().optional(),
      endpoint: z.string().optional(),
      network: z.object({ cidr: z.string(), gateway: z.string() }).optional(),
      hosts: z.array(z.string()),
      machines: z.array(labMachine),
      memory: z.number().meta({ description: "Bytes: the machines' cgroups less inactive file cache" }),
      forwards: z.array(z.object({ name: z.string(), port: z.int() })),
    })
    .meta({ description: "castle lab status" }),
  LabSource: z
    .object({
      site: z.string(),
      folder: path.meta({ description: "Absolute path of the work tree" }),
      remote: z.string(),
      commit: z.string(),
      made: z.boolean().meta({ description: "False: the repository was there and was left as it is" }),
      pushed: z.boolean().meta({ description: "False: the lab's Git server had the branch already" }),
    })
    .meta({ description: "castle lab source" }),
  LabLog: z
    .object({ lab: z.string(), machine: z.string(), text: z.string() })
    .meta({ description: "castle lab logs" }),
  LabPower: z
    .object({ lab: z.string(), machine: z.string(), action: z.enum(["on", "off", "cut"]) })
    .meta({ description: "castle lab power" }),
} as const;
