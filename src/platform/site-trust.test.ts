import { expect, it } from "vitest";
import { parseSpec } from "../spec/parse.ts";
import { siteTrust } from "./site-trust.ts";

const castleWith = (tls: string) => {
  const spec = parseSpec(
    `castle: c\nhypervisor: lab\ngitops: {}\ningress: { tls: { email: me@example.org, ${tls} } }\n`,
    "castle.yaml",
  );
  if ("faults" in spec) throw new Error(spec.faults.map(({ message }) => message).join("; "));
  return spec.castle;
};
const PEM = "-----BEGIN CERTIFICATE-----\\nMII=\\n-----END CERTIFICATE-----";

it("is the machine's own where a public authority issues", () => {
  expect(siteTrust(castleWith("acme: letsencrypt"), undefined)).toEqual({ ca: undefined, verified: true });
});

it("is not verified with the staging authority, unless another one stands in for it", () => {
  const staging = castleWith("acme: letsencrypt-staging");
  expect(siteTrust(staging, undefined)).toEqual({ ca: undefined, verified: false });
  expect(siteTrust(staging, "roots")).toEqual({ ca: "roots", verified: true });
});

it("is the root of a private authority that the spec names", () => {
  const found = siteTrust(castleWith(`acme: "https://ca.lan/directory", ca: "${PEM}"`), undefined);
  expect(found).toEqual({ ca: PEM.replaceAll("\\n", "\n"), verified: true });
});
