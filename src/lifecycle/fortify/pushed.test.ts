import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { GitRemote } from "../../../test/fixtures/git-remote.ts";
import { CastleError } from "../../errors/castle-error.ts";
import type { Repository } from "../../gitops/repository.ts";
import { parseSpec } from "../../spec/parse.ts";
import type { FluxComponent, FluxState } from "./flux-state.ts";
import { whatWasPushed } from "./pushed.ts";

vi.setConfig({ testTimeout: 60_000 });

const parsed = parseSpec("castle: fortress\nhypervisor: lab\ngitops: {}\n", "castle.yaml");
if ("faults" in parsed) throw new Error("the shortest spec with a platform is valid");
const { castle } = parsed;

const component = (name: string, revision: string): readonly [string, FluxComponent] => [
  name,
  {
    revision: `main@sha1:${revision}`,
    current: true,
    source: name,
    verdict: { kind: "true", words: "applied" },
  },
];
const state = (components: ReadonlyMap<string, FluxComponent>): Promise<FluxState> =>
  Promise.resolve({ sources: new Map(), components });

let remote: GitRemote;
let first: string;

beforeEach(async () => {
  remote = await GitRemote.create();
  await remote.commit({
    "clusters/fortress/castle/sites/site-blog.yaml": "one",
    "clusters/fortress/castle/traefik/service.yaml": "one",
  });
  first = (await (await remote.open()).fetchTip()).commit ?? "";
});
afterEach(() => remote.remove());

const pushed = (all: readonly (readonly [string, FluxComponent])[], repository = remote.open()) =>
  whatWasPushed(castle, repository, state(new Map(all)));

it("concerns the component whose folder it changed, and a user's own Kustomization", async () => {
  await remote.commit({ "clusters/fortress/castle/sites/site-blog.yaml": "two" });
  const all = ["sites", "traefik", "mine"].map((name) => component(name, first));
  expect(await pushed(all)).toEqual({ concerned: ["mine", "sites"], unconcerned: ["traefik"] });
});

it("concerns nobody who runs the tip, and everybody who failed or ran what is no longer known", async () => {
  expect(await pushed([component("sites", first)])).toEqual({ concerned: [], unconcerned: ["sites"] });
  const [name, failed] = component("sites", first);
  const condition = { type: "Ready", status: "False" } as const;
  const verdict = { kind: "false", words: "no", final: false, condition } as const;
  expect(await pushed([[name, { ...failed, verdict }]])).toEqual({ concerned: ["sites"], unconcerned: [] });
  expect(await pushed([component("sites", "f".repeat(40))])).toMatchObject({ concerned: ["sites"] });
});

it("concerns all where the repository cannot be read from here", async () => {
  const away = Promise.reject<Repository>(
    new CastleError("gitops/unreachable", { message: "no answer", hint: "look at the server" }),
  );
  expect(await pushed([component("sites", first)], away)).toEqual({ concerned: ["sites"], unconcerned: [] });
});
