import { chaosCastle } from "../fixtures/chaos-castle.ts";

/** CASTLE_TEST_OPERATIONS makes the walk longer or shorter. */
chaosCastle("t-chaos-long", Number(process.env["CASTLE_TEST_OPERATIONS"] ?? 30));
