import { request } from "node:https";

/**
 * Whether an API server answers there at all: any HTTP status counts, because anonymous access is off and the
 * honest answer to a stranger is 401. The certificate is not checked: nothing is sent and nothing is believed.
 * @param within milliseconds
 */
export function apiAnswers(
  host: string,
  port: number,
  within: number,
  signal?: AbortSignal,
): Promise<boolean> {
  return new Promise((resolve) => {
    const deadline = AbortSignal.timeout(within);
    const probe = request({
      host,
      port,
      path: "/version",
      rejectUnauthorized: false,
      agent: false,
      signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
    });
    probe.on("response", (response) => {
      response.resume();
      resolve(true);
    });
    probe.on("error", () => resolve(false));
    probe.end();
  });
}
