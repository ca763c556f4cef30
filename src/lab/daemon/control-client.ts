import { request } from "node:http";
import { text } from "node:stream/consumers";
import { CastleError } from "../../errors/castle-error.ts";
import {
  type Operation,
  type OperationAnswer,
  type OperationRequest,
  operationShapes,
} from "./control-protocol.ts";
import { refusalError } from "./refusal.ts";

export interface LabControl {
  /** @throws CastleError lab/not-running, or what the daemon refused with */
  call<O extends Operation>(operation: O, request: OperationRequest<O>): Promise<OperationAnswer<O>>;
}

export interface LabControlOptions {
  readonly lab: string;
  readonly socket: string;
  /** Milliseconds for one call; 120 000 unless told (stopping five machines takes its time on a loaded host). */
  readonly within?: number;
}

/** Talks to the daemon of a lab that is up. */
export function labControl({ lab, socket, within = 120_000 }: LabControlOptions): LabControl {
  return {
    call: async (operation, body) => {
      const { status, content } = await post({ lab, socket, within }, `/${operation}`, JSON.stringify(body));
      const answer: unknown = JSON.parse(content);
      if (status === 200) return operationShapes[operation].answer.parse(answer);
      throw refusalError(answer, "lab/refused");
    },
  };
}

function post(
  { lab, socket, within }: Required<LabControlOptions>,
  path: string,
  body: string,
): Promise<{ status: number; content: string }> {
  return new Promise((resolve, reject) => {
    const call = request({
      socketPath: socket,
      path,
      method: "POST",
      headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
      signal: AbortSignal.timeout(within),
    });
    call.on("response", (response) => {
      text(response).then((content) => resolve({ status: response.statusCode ?? 0, content }), reject);
    });
    call.on("error", (cause) => {
      reject(
        new CastleError("lab/not-running", {
          message: `The lab ${lab} does not answer: ${cause.message}`,
          hint: `castle lab up ${lab}`,
          cause,
        }),
      );
    });
    call.end(body);
  });
}
