import { expect, it } from "vitest";
import { commitOfTag, releaseTag } from "./release.ts";

const COMMIT = "8c945ac0123456789abcdef0123456789abcdef0";

it("names a release after its site and twelve digits of its commit", () => {
  expect(releaseTag("blog", COMMIT)).toBe("blog-8c945ac01234");
  expect(commitOfTag("blog", "blog-8c945ac01234")).toBe("8c945ac01234");
});

it("knows the seven digits of earlier releases", () => {
  expect(commitOfTag("blog", "blog-8c945ac")).toBe("8c945ac");
});

it.each(["latest", "v1", "blog-", "blog-8c945a", "blog-main", "blog-8C945AC", "other-8c945ac"])(
  "does not take %s for a release",
  (tag) => {
    expect(commitOfTag("blog", tag)).toBeUndefined();
  },
);
