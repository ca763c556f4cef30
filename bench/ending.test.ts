import { expect, test } from "vitest";
import { ending } from "./ending.ts";

const fail = (what: string) => () => Promise.reject(new Error(what));

test("cleans up after work that went well, and after work that failed", async () => {
  const done: string[] = [];
  const cleanup = () => {
    done.push("clean");
    return Promise.resolve();
  };
  expect(await ending(() => Promise.resolve(7), cleanup)).toBe(7);
  await expect(ending(fail("no raise"), cleanup)).rejects.toThrow("no raise");
  expect(done).toEqual(["clean", "clean"]);
});

test("a cleanup that fails as well does not hide what the work failed with", async () => {
  const both = ending(fail("no raise"), fail("no castle to take down"));
  await expect(both).rejects.toThrow(/^Error: no raise; and then .*no castle to take down$/);
});

test("a cleanup that fails alone is told", async () => {
  await expect(ending(() => Promise.resolve(7), fail("still there"))).rejects.toThrow("still there");
});
