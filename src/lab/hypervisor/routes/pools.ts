import { ApiError, parameterError } from "../api/api-error.ts";
import { requiredText } from "../api/input.ts";
import type { Call, Route } from "../api/route.ts";
import type { Datacenter } from "../datacenter.ts";

/** As Proxmox has it, without the levels that pools may have since 8.1. */
const NAME = /^[A-Za-z0-9][-\w.]*$/;

/** Pools group machines for people, and clients ask for them at every read; the lab's have no members. */
export function poolRoutes({ file }: Datacenter): readonly Route[] {
  const { pools } = file.state;
  const existing = ({ input }: Call): string => {
    const id = requiredText(input, "poolid");
    if (!pools.has(id)) throw new ApiError(500, `pool '${id}' does not exist`);
    return id;
  };
  return [
    {
      method: "GET",
      path: "pools",
      answer: (call) => {
        if (!call.input.has("poolid")) return [...pools].map(([poolid, comment]) => ({ poolid, comment }));
        const poolid = existing(call);
        return [{ poolid, comment: pools.get(poolid), members: [] }];
      },
    },
    {
      method: "POST",
      path: "pools",
      privilege: "Pool.Allocate",
      answer: async ({ input }) => {
        const id = requiredText(input, "poolid");
        if (!NAME.test(id))
          throw parameterError({ poolid: "invalid format - value does not look like a pool" });
        // Looked and made in one turn of the event loop: of two that come at once, one is refused.
        if (pools.has(id)) throw new ApiError(500, `create pool failed: pool '${id}' already exists`);
        pools.set(id, input.get("comment") ?? "");
        await file.save();
      },
    },
    {
      method: "PUT",
      path: "pools",
      privilege: "Pool.Allocate",
      answer: async (call) => {
        const id = existing(call);
        pools.set(id, call.input.get("comment") ?? pools.get(id) ?? "");
        await file.save();
      },
    },
    {
      method: "DELETE",
      path: "pools",
      privilege: "Pool.Allocate",
      answer: async (call) => {
        pools.delete(existing(call));
        await file.save();
      },
    },
  ];
}
