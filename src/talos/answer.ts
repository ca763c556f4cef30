import { CastleError } from "../errors/castle-error.ts";
import type { Answers, NodeAnswer } from "./calls.ts";
import type { TalosClient } from "./client.ts";

/**
 * The answer of the one node that was asked.
 * @throws CastleError talos/malformed, talos/call-failed when the node that was asked through another one failed
 */
export function soleAnswer<Answer extends NodeAnswer>(
  client: TalosClient,
  call: string,
  { messages }: Answers<Answer>,
): Answer {
  const [answer] = messages;
  if (answer === undefined) {
    throw new CastleError("talos/malformed", {
      message: `${client.name} answered ${call} with an empty list`,
    });
  }
  const error = answer.metadata?.error ?? "";
  if (error !== "") {
    const who = answer.metadata?.hostname === "" ? client.name : (answer.metadata?.hostname ?? client.name);
    throw new CastleError("talos/call-failed", { message: `${who} answered ${call} with: ${error}` });
  }
  return answer;
}
