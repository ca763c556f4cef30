import { describe, expect, it } from "vitest";
import { Secret } from "../../../support/secret.ts";
import { type S3Request, signedHeaders } from "./signature.ts";

const credentials = {
  accessKey: "AKIAIOSFODNN7EXAMPLE",
  secretKey: new Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
  region: "us-east-1",
};
const now = new Date("2013-05-24T00:00:00Z");
const at = (path: string) => new URL(`https://examplebucket.s3.amazonaws.com${path}`);

/** The examples of Amazon's own reference, with the signatures that it prints. */
describe("Signature Version 4", () => {
  it.each<[string, S3Request, string]>([
    [
      "GET of an object, with a Range",
      { method: "GET", url: at("/test.txt"), headers: { range: "bytes=0-9" } },
      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    ],
    [
      "PUT of an object",
      {
        method: "PUT",
        url: at("/test%24file.text"),
        headers: { date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" },
        body: Buffer.from("Welcome to Amazon S3."),
      },
      "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    ],
    [
      "GET with a parameter that has no value",
      { method: "GET", url: at("/?lifecycle") },
      "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    ],
    [
      "GET of a list",
      { method: "GET", url: at("/?prefix=J&max-keys=2") },
      "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    ],
  ])("%s", (_, request, signature) => {
    const { authorization } = signedHeaders(request, credentials, now);
    expect(authorization).toContain(`,Signature=${signature}`);
  });

  it("signs a session's token, and shows no secret key", () => {
    const headers = signedHeaders(
      { method: "GET", url: at("/") },
      { ...credentials, sessionToken: new Secret("for-a-while") },
      now,
    );
    expect(headers["authorization"]).toContain("x-amz-security-token");
    expect(JSON.stringify(headers)).not.toContain("wJalr");
  });
});
