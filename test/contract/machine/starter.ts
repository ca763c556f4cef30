import { ContainerMachines } from "../../../src/lab/machine/container-machines.ts";
import { machineConfig } from "./lab.ts";

// A daemon that is killed: does one thing to a machine, says so, and goes on until somebody ends it.
const [lab = "", state = "", rootfs = "", vmid = "", action = ""] = process.argv.slice(2);
const machines = await ContainerMachines.open({ lab, state }, { rootfs, runc: "runc" });
process.stdout.write("open\n");
switch (action) {
  case "start":
    await machines.start(machineConfig(Number(vmid)));
    break;
  case "power-off":
    await machines.powerOff(Number(vmid));
    break;
  case "destroy":
    await machines.destroy(Number(vmid));
    break;
  default:
    throw new Error(`no such action: ${action}`);
}
process.stdout.write("done\n");
setInterval(() => undefined, 1000);
