import { parameterError } from "../api/api-error.ts";

/** @throws ApiError 400 outside of Proxmox' own range. */
export function refuseFaultyId(vmid: number): void {
  if (vmid < 100 || vmid > 999_999_999)
    throw parameterError({ vmid: "value must be between 100 and 999999999" });
}

export function refusePool(pool: string | undefined): void {
  if (pool !== undefined && pool !== "") throw parameterError({ pool: `pool '${pool}' does not exist` });
}

/** The id in a path. */
export function vmidOf(text: string): number {
  if (!/^\d+$/.test(text)) throw parameterError({ vmid: `type check ('integer') failed - got '${text}'` });
  return Number(text);
}
