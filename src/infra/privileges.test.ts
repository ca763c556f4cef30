import { describe, expect, it } from "vitest";
import { missingPrivileges, pveumLines } from "./privileges.ts";

const required = [{ path: "/storage/local", privileges: ["Datastore.Audit", "Datastore.AllocateTemplate"] }];

describe("missingPrivileges", () => {
  it("finds what a parent path passes on", () => {
    const permissions = { "/": { "Datastore.Audit": 1, "Datastore.AllocateTemplate": 1 } };
    expect(missingPrivileges(permissions, required)).toEqual([]);
  });

  it("does not count what a parent path keeps to itself", () => {
    const permissions = { "/storage": { "Datastore.Audit": 1, "Datastore.AllocateTemplate": 0 } };
    expect(missingPrivileges(permissions, required)).toEqual([
      { path: "/storage/local", privileges: ["Datastore.AllocateTemplate"] },
    ]);
  });

  it("lets the nearer path decide, as Proxmox does", () => {
    const permissions = {
      "/": { "Datastore.Audit": 1, "Datastore.AllocateTemplate": 1 },
      "/storage/local": { "Datastore.Audit": 0 },
    };
    expect(missingPrivileges(permissions, required)[0]?.privileges).toEqual(["Datastore.AllocateTemplate"]);
  });

  it("takes an alternative for the real thing", () => {
    const alternative = { path: "/", privileges: ["Sys.Modify"] };
    const either = [{ path: "/nodes/pve1", privileges: ["Sys.AccessNetwork"], alternative }];
    expect(missingPrivileges({ "/": { "Sys.Modify": 1 } }, either)).toEqual([]);
    expect(missingPrivileges({ "/": {} }, either)[0]?.privileges).toEqual(["Sys.AccessNetwork"]);
  });
});

describe("pveumLines", () => {
  it("makes a role and gives it to user and token", () => {
    expect(pveumLines("castle@pve!t", [{ path: "/vms", privileges: ["VM.Audit", "VM.Allocate"] }])).toEqual([
      'pveum role add Castle1 --privs "VM.Audit VM.Allocate"',
      "pveum acl modify /vms --users castle@pve --tokens 'castle@pve!t' --roles Castle1",
    ]);
  });
});
