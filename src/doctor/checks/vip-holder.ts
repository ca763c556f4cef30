import type { Check } from "../check.ts";
import { toldNodes } from "../examination.ts";

export const vipHolder: Check = {
  id: "vip-holder",
  title: "Exactly one control plane holds the VIP",
  asks: "nodes",
  judge: (examination) => {
    const { vip } = examination.castle.network;
    const told = toldNodes(examination);
    const holders = told.filter(({ addresses }) => addresses.includes(vip)).map(({ node }) => node.name);
    if (holders.length === 1) return [];
    if (holders.length === 0) {
      return [
        {
          severity: "critical",
          object: `VIP ${vip}`,
          message: "nobody holds it; after a crash of its holder Talos needs up to 60 s",
          fix: "castle kubeconfig --lan knows every control plane meanwhile",
        },
      ];
    }
    return [
      {
        severity: "critical",
        object: `VIP ${vip}`,
        message: `${holders.length} nodes hold it: ${holders.join(", ")}`,
        fix: "castle doctor names who answers for it on the LAN",
      },
    ];
  },
};
