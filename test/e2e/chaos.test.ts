import { chaosCastle } from "../fixtures/chaos-castle.ts";

chaosCastle("t-chaos", 5);
