/** Bytes: etcd stops writing at its quota, 2 GiB unless configured. Source: etcd's documentation of --quota-backend-bytes. */
export const QUOTA = 2 * 1024 ** 3;
const FULL = 0.8;

/** @param bytes of the database's file */
export function isNearlyFull(bytes: number): boolean {
  return bytes >= QUOTA * FULL;
}
