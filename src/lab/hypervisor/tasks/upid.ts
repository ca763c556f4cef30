/** What a task's id says of it. */
export interface Upid {
  readonly host: string;
  readonly pid: number;
  /** Start of the worker, in clock ticks. */
  readonly pstart: number;
  /** Seconds since 1970. */
  readonly startTime: number;
  /** qmcreate, qmstart … */
  readonly type: string;
  /** The object that it works on, for example a VM id; may be empty. */
  readonly id: string;
  readonly user: string;
}

const PATTERN =
  /^UPID:([^:\s/]+):([0-9A-F]{8}):([0-9A-F]{8,9}):([0-9A-F]{8}):([^:\s/]+):([^:\s/]*):([^:\s/]+):$/;

export function formatUpid(upid: Upid): string {
  const numbers = [upid.pid, upid.pstart, upid.startTime].map(hex).join(":");
  return `UPID:${upid.host}:${numbers}:${upid.type}:${upid.id}:${upid.user}:`;
}

export function parseUpid(text: string): Upid | undefined {
  const match = PATTERN.exec(text);
  if (match === null) return undefined;
  const [, host = "", pid = "", pstart = "", startTime = "", type = "", id = "", user = ""] = match;
  return { host, pid: fromHex(pid), pstart: fromHex(pstart), startTime: fromHex(startTime), type, id, user };
}

function fromHex(digits: string): number {
  return Number.parseInt(digits, 16);
}

function hex(value: number): string {
  return value.toString(16).toUpperCase().padStart(8, "0");
}
