import { ApiError } from "../api/api-error.ts";
import { optionalInteger } from "../api/input.ts";
import type { Call, Route } from "../api/route.ts";
import type { Datacenter } from "../datacenter.ts";
import type { TaskRecord } from "../inventory/record.ts";
import { parseUpid } from "../tasks/upid.ts";

/**
 * Milliseconds that a question after a running task waits for its end. The Terraform provider asks once a second, and
 * most tasks of the lab take a few milliseconds: without the wait four of five seconds of an apply are spent asleep.
 */
const STATUS_PATIENCE = 2_000;

export function taskRoutes({ tasks, file }: Datacenter): readonly Route[] {
  const find = ({ path }: Call): TaskRecord => {
    const upid = path("upid");
    const task = tasks.find(upid);
    // 400 would make clients ask for ever.
    if (task === undefined || parseUpid(upid)?.host !== path("host")) {
      throw new ApiError(404, `no such task '${upid}'`);
    }
    return task;
  };
  return [
    {
      method: "GET",
      path: "nodes/:host/tasks",
      answer: ({ path, input }) => {
        const vmid = input.get("vmid");
        return file.state.tasks
          .map(describe)
          .filter((task) => task.node === path("host") && (vmid === undefined || task.id === vmid))
          .reverse()
          .slice(0, optionalInteger(input, "limit") ?? 50);
      },
    },
    {
      method: "GET",
      path: "nodes/:host/tasks/:upid/status",
      answer: async (call) => {
        const task = find(call);
        await tasks.settle(task.upid, STATUS_PATIENCE);
        return describe(task);
      },
    },
    {
      method: "GET",
      path: "nodes/:host/tasks/:upid/log",
      answer: (call) => {
        const start = optionalInteger(call.input, "start") ?? 0;
        const limit = optionalInteger(call.input, "limit") ?? 50;
        return find(call)
          .log.map((t, index) => ({ n: index + 1, t }))
          .slice(start, limit === 0 ? undefined : start + limit);
      },
    },
  ];
}

function describe(task: TaskRecord) {
  const upid = parseUpid(task.upid);
  const ended =
    task.endTime === undefined ? {} : { endtime: task.endTime, exitstatus: task.exitStatus ?? "unknown" };
  return {
    upid: task.upid,
    node: upid?.host,
    pid: upid?.pid,
    pstart: upid?.pstart,
    starttime: upid?.startTime,
    type: upid?.type,
    id: upid?.id,
    user: upid?.user,
    status: task.endTime === undefined ? "running" : "stopped",
    ...ended,
  };
}
