import { expect, test } from "vitest";
import { eventTime } from "./event-time.ts";

test("reads the time in an xid", () => {
  // The example of xid's own README, with the time that it names.
  expect(eventTime("9m4e2mr0ui3e8a215n4g")?.getTime()).toBe(1_300_816_219_000);
});

test("what is no xid has no time", () => {
  expect(eventTime("")).toBeUndefined();
  expect(eventTime("9m4e2mr0ui3e8a215n4w")).toBeUndefined();
});
