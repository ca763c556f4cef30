/** Where something is mounted, by the text of a /proc/PID/mountinfo, in its order. */
export function mountPoints(mountinfo: string): readonly string[] {
  return mountinfo.split("\n").map((line) => unescaped(line.split(" ")[4] ?? ""));
}

/** Blanks, tabs, line ends and backslashes stand as their octal code (proc_pid_mountinfo(5)). */
function unescaped(point: string): string {
  return point.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));
}
