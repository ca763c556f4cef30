// Compares src/talos/proto with the originals in Go's module cache: every call, field name, number and type.
//   node scripts/check-protos.js GOMODCACHE
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadSync } from "@grpc/proto-loader";

const TALOS = "github.com/siderolabs/talos@v1.11.5/api";
const COSI = "github.com/cosi-project/runtime@v1.10.7/api/v1alpha1";

const WIRE = {
  TYPE_BYTES: "bytes",
  TYPE_STRING: "bytes",
  TYPE_MESSAGE: "bytes",
  TYPE_ENUM: "varint",
  TYPE_BOOL: "varint",
  TYPE_INT32: "varint",
};

const cache = process.argv[2];
if (cache === undefined) throw new Error("usage: node scripts/check-protos.js GOMODCACHE");

const ours = loadSync(["machine.proto", "resource.proto"], {
  includeDirs: [fileURLToPath(new URL("../src/talos/proto", import.meta.url))],
  keepCase: true,
});

const faults = [];
const differ = (where, found, expected) => faults.push(`${where}: ${found}, the original has ${expected}`);
let compared = 0;

await compareWithProto();
await compareWithGo();
for (const fault of faults) console.error(fault);
console.log(`${compared} fields, values and calls compared, ${faults.length} differ`);
process.exitCode = faults.length === 0 ? 0 : 1;

async function compareWithProto() {
  const stub = await mkdtemp(join(tmpdir(), "castle-protos-"));
  try {
    await mkdir(join(stub, "google/rpc"), { recursive: true });
    const status = "message Status { int32 code = 1; string message = 2; }";
    await writeFile(
      join(stub, "google/rpc/status.proto"),
      `syntax = "proto3"; package google.rpc; ${status}`,
    );
    const theirs = loadSync(["machine/machine.proto", "common/common.proto"], {
      includeDirs: [join(cache, TALOS), stub],
      keepCase: true,
    });
    for (const [name, definition] of Object.entries(ours)) {
      if (!/^(machine|common)\./.test(name)) continue;
      const original = theirs[name === "common.Status" ? "google.rpc.Status" : name];
      if (original === undefined) differ(name, "exists", "nothing of that name");
      else if (definition.format === undefined) compareCalls(name, definition, original);
      else compareMembers(name, definition.type, original.type);
    }
  } finally {
    await rm(stub, { recursive: true });
  }
}

function callShape({ path, requestStream, responseStream, requestType, responseType }) {
  return JSON.stringify([path, requestStream, responseStream, requestType.type.name, responseType.type.name]);
}

function memberShape({ number, type, label, typeName }) {
  return JSON.stringify([number, type ?? "value", label ?? "", (typeName ?? "").split(".").at(-1)]);
}

function compareCalls(service, calls, originals) {
  for (const [name, call] of Object.entries(calls)) {
    compared++;
    const original = originals[name];
    if (original === undefined || callShape(call) !== callShape(original)) {
      differ(`${service}/${name}`, callShape(call), original === undefined ? "nothing" : callShape(original));
    }
  }
}

function compareMembers(where, type, original) {
  for (const member of type.field ?? type.value ?? []) {
    compared++;
    const twin = (original?.field ?? original?.value ?? []).find(({ name }) => name === member.name);
    if (twin === undefined) differ(`${where}.${member.name}`, memberShape(member), "nothing");
    else if (memberShape(member) !== memberShape(twin)) {
      differ(`${where}.${member.name}`, memberShape(member), memberShape(twin));
    }
  }
  for (const kind of ["nestedType", "enumType"]) {
    for (const inner of type[kind] ?? []) {
      const twin = original?.[kind]?.find(({ name }) => name === inner.name);
      compareMembers(`${where}.${inner.name}`, inner, twin);
    }
  }
}

// COSI's module carries no .proto of its resource API, only what protoc made of it: struct tags hold the numbers.
async function compareWithGo() {
  const source = (
    await Promise.all(
      ["resource.pb.go", "state.pb.go", "state_grpc.pb.go"].map(
        async (file) => await readFile(join(cache, COSI, file), "utf8"),
      ),
    )
  ).join("\n");
  for (const [name, definition] of Object.entries(ours)) {
    if (!name.startsWith("cosi.resource.")) continue;
    const short = name.slice("cosi.resource.".length);
    if (definition.format === undefined) {
      for (const call of Object.values(definition)) {
        compared++;
        if (!source.includes(`"${call.path}"`)) differ(call.path, "exists", "nothing of that name");
      }
    } else if (definition.type.value !== undefined) {
      for (const { name: value, number } of definition.type.value) {
        compared++;
        if (!new RegExp(`"${value}":\\s+${number},`).test(source))
          differ(`${name}.${value}`, number, "another number");
      }
    } else compareStruct(name, definition.type.field, struct(source, short));
  }
}

function struct(source, name) {
  return source.match(new RegExp(`\ntype ${name} struct \\{\n([\\s\\S]*?)\n\\}`))?.[1] ?? "";
}

function compareStruct(where, fields, body) {
  for (const { name, number, type, label } of fields) {
    compared++;
    const many = label === "LABEL_REPEATED" ? "rep" : "opt";
    const tag = `protobuf:"${WIRE[type]},${number},${many},name=${name},`;
    if (!body.includes(tag)) differ(`${where}.${name}`, tag, "no such tag");
  }
}
