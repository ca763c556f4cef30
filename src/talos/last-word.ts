import { z } from "zod";
import { parsedJson } from "../support/json.ts";

/** A line of a kubelet on Talos: klog's JSON, where a complaint has `err` and no verbosity `v`. */
const lineShape = z.object({ msg: z.string(), err: z.string().optional(), v: z.number().optional() });
/** Characters that a person reads; the stack of a panic is cut off. */
const LONGEST = 300;

/**
 * Of the log of a Kubernetes component on Talos, oldest line first, what it complained of last; its last line where it
 * complained of nothing, undefined where it wrote nothing. At most 300 characters.
 */
export function lastWord(lines: readonly string[]): string | undefined {
  const words = lines.flatMap((line) => (line.trim() === "" ? [] : [wordOf(line.trim())]));
  const text = (words.findLast(({ complaint }) => complaint) ?? words.at(-1))?.text;
  return text !== undefined && text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

function wordOf(line: string): { text: string; complaint: boolean } {
  const { data } = lineShape.safeParse(parsedJson(line));
  // What a program writes before it reads how to log.
  if (data === undefined) return { text: line, complaint: line.startsWith("Error:") };
  const text = data.err === undefined ? data.msg : `${data.msg}: ${data.err}`;
  return { text, complaint: data.v === undefined };
}
