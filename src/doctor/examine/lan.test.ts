import { expect, test } from "vitest";
import { INGRESS, platformCastle } from "../../../test/fixtures/examination/platform.ts";
import { examineLan } from "./lan.ts";

const castle = platformCastle();
const MAC = "BC:24:11:00:00:01";
const FREE = "192.168.1.231";

/** A network on which the ingress' address is answered for only when it is asked for this often. */
async function asked(late: number) {
  const questions: (readonly string[])[] = [];
  const { holders } = await examineLan(
    {
      castle,
      signal: new AbortController().signal,
      lan: {
        patience: 1_000,
        verified: true,
        dial: () => Promise.reject(new Error("nobody accepts")),
        holders: (addresses) => {
          questions.push(addresses);
          const isSilent = (address: string) =>
            address === FREE || (address === INGRESS && questions.length < late);
          return Promise.resolve(
            new Map(addresses.map((address) => [address, isSilent(address) ? [] : [MAC]])),
          );
        },
      },
    },
    Promise.resolve({ silent: "not asked" }),
  );
  return { holders, questions };
}

test("who answers at once is asked once, whoever is silent in the pool", async () => {
  const { holders, questions } = await asked(1);
  expect(questions).toHaveLength(1);
  expect(holders?.get(FREE)).toEqual([]);
});

test("the holder of a load balancer's address may be late, and is asked for alone", async () => {
  const { holders, questions } = await asked(2);
  expect(questions.slice(1)).toEqual([[INGRESS]]);
  expect(holders?.get(INGRESS)).toEqual([MAC]);
});

test("who never answers is not there", async () => {
  const { holders, questions } = await asked(99);
  expect(questions).toHaveLength(3);
  expect(holders?.get(INGRESS)).toEqual([]);
});
