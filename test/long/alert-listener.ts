import { z } from "zod";
import { execa } from "execa";
import { lanNamespace } from "../../src/lab/namespaces.ts";

const told = z.object({
  alerts: z.array(
    z.object({ status: z.enum(["firing", "resolved"]), labels: z.record(z.string(), z.string()) }),
  ),
});

export interface ToldAlert {
  readonly status: "firing" | "resolved";
  readonly name: string;
}

/** One message of Alertmanager a line. */
const PROGRAM = `require("node:http").createServer((request, response) => {
  let text = "";
  request.on("data", (chunk) => (text += chunk));
  request.on("end", () => { console.log(JSON.stringify(JSON.parse(text))); response.end(); });
}).listen(Number(process.argv[1]), "0.0.0.0");`;

/** A webhook on the lab's LAN, as a person's would stand beside a rack. */
export class AlertListener {
  readonly alerts: ToldAlert[] = [];
  readonly #process;

  constructor(lab: string, port: number) {
    const inside = [
      `--net=/run/netns/${lanNamespace(lab)}`,
      "--",
      process.execPath,
      "-e",
      PROGRAM,
      String(port),
    ];
    this.#process = execa("nsenter", inside, { reject: false, buffer: false });
    this.#process.stdout.setEncoding("utf8");
    let rest = "";
    this.#process.stdout.on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        for (const { status, labels } of told.parse(JSON.parse(line)).alerts) {
          this.alerts.push({ status, name: labels["alertname"] ?? "" });
        }
      }
    });
  }

  names(status: ToldAlert["status"]): readonly string[] {
    return [
      ...new Set(this.alerts.filter((alert) => alert.status === status).map(({ name }) => name)),
    ].sort();
  }

  async close(): Promise<void> {
    this.#process.kill();
    await this.#process;
  }
}
