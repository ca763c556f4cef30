/** Where `ip netns` keeps its names. */
export const NETNS_FOLDER = "/run/netns";

/** `ip netns` name of a lab's LAN. Every lab has its own, so labs with the same addresses run side by side. */
export function lanNamespace(lab: string): string {
  return `castle-${lab}-lan`;
}
