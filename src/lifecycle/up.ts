import { runStep } from "../journal/step.ts";
import type { CastleNode } from "../spec/castle.ts";
import { writeFileAtomic } from "../support/write-file.ts";
import type { Secret } from "../support/secret.ts";
import type { CastleRun } from "./castle-run.ts";
import { announcedNames } from "./fortify/announced-names.ts";
import { type Fortified, fortify, prepareFortress } from "./fortify/fortify.ts";
import { keepCredential } from "./kept-credentials.ts";
import { hastenNodes } from "./raise/admission.ts";
import { claimAddresses, refuseUnfinished, settle } from "./moves/tenancy.ts";
import { bootstrapOnce } from "./raise/bootstrap.ts";
import { type Configured, type Configuring, configureNode } from "./raise/configure.ts";
import { type CastleIdentity, configOf, ensureIdentity } from "./raise/identity.ts";
import { kubeconfigFromHere } from "./kubeconfig.ts";
import { allNodesReady, apiOnVip, fetchKubeconfig } from "./raise/kubernetes.ts";
import { refuseLostSecrets } from "./raise/lost-secrets.ts";
import { pushOwnImages } from "./own-images.ts";
import { PowerSwitch } from "./reset/power-switch.ts";
import { JoinTurns } from "./raise/join-turns.ts";
import { joinedRun } from "./raise/joined-run.ts";
import { allHealthy } from "./raise/healthy.ts";
import { ensureMachines } from "./raise/machines.ts";
import { NodeClients } from "./raise/node-clients.ts";
import { allVoters } from "./raise/quorum.ts";
import { rollChanges } from "./raise/roll.ts";
import { talosconfigFromHere, talosconfigOfLan } from "./talosconfig.ts";

/** Milliseconds from the start of `up`, by what had been reached. */
export interface Raised {
  readonly machines: number;
  readonly configured: number;
  readonly api: number;
  readonly ready: number;
  /** The end: what is ready is also settled, and all of etcd votes. */
  readonly total: number;
  /** With gitops. */
  readonly platform?: Fortified;
}

export interface UpOptions {
  /** The operation that this is the end of, and that the ledger has as begun. */
  readonly goesOn?: "replace" | "scale";
}

/**
 * Raises the castle, or brings a standing one to what its spec says. Every step looks first and does what is missing,
 * so that a run killed at any moment is gone on with by the next.
 */
export async function up(given: CastleRun, { goesOn }: UpOptions = {}): Promise<Raised> {
  const start = performance.now();
  const since = () => Math.round(performance.now() - start);
  const { run, together } = joinedRun(given);
  const { castle, ground, report } = run;
  // A restore that was begun stands in nobody's way until etcd would be bootstrapped empty.
  if (goesOn === undefined) await refuseUnfinished(run, ({ verb }) => verb === "restore");
  await refuseLostSecrets(run);
  await claimAddresses(run, castle.nodes);
  let machinesAt = 0;
  const identity = runStep(
    report,
    { id: "identity", title: "Secrets and machine configurations" },
    async () => ({
      ...(await ensureIdentity(run)),
      detail: run.store.description,
    }),
  );
  const machines = runStep(
    report,
    { id: "machines", title: `Machines on ${ground.proxmox.hosts.join(", ")}` },
    async () => {
      await ground.announce(announcedNames(castle));
      const made = await ensureMachines(run, identity);
      machinesAt = since();
      return made;
    },
  );
  const preparing = run.platform === undefined ? undefined : prepareFortress(run, run.platform);
  // Told when it is waited for: machines go on booting meanwhile.
  preparing?.catch(() => undefined);
  const clients = identity.then(({ credentials }) => new NodeClients(run, credentials));
  const power = new PowerSwitch(run);
  // A machine that goes off once Terraform is through was told to by a reset that somebody killed.
  const wake = async (node: CastleNode) => {
    if (machinesAt > 0 && (await power.state(node)) === "stopped") await power.on(node);
  };
  try {
    const configuring = configureAll(run, identity, clients, wake);
    await together(machines, configuring, imagesPushed(run));
    const configured = await configuring;
    const configuredAt = since();
    const nodeClients = await clients;
    const fresh = castle.nodes.every(({ role }, index) => role === "worker" || configured[index] === "new");
    await together(
      runStep(report, { id: "bootstrap", title: "etcd bootstrap" }, async () => ({
        detail: await bootstrapOnce(run, nodeClients, fresh),
      })),
      writeTalosconfig(run, await identity),
    );
    let [apiAt, readyAt] = [0, 0];
    const access = keepKubeconfig(run, nodeClients);
    const fortifying = preparing === undefined ? undefined : fortify(run, preparing, access, since);
    await together(
      runStep(report, { id: "etcd", title: "etcd: every control plane a voter" }, () =>
        allVoters(run, nodeClients),
      ),
      runStep(report, { id: "api", title: `Kubernetes API on the VIP ${castle.network.vip}` }, async () => {
        await apiOnVip(run);
        apiAt = since();
        return undefined;
      }),
      runStep(report, { id: "nodes", title: "All nodes Ready" }, async () => {
        const ready = await nodesReadySoon(run, nodeClients, await access);
        readyAt = since();
        return ready;
      }),
      ...(fortifying === undefined ? [] : [fortifying]),
    );
    const { plan } = await machines;
    await rollChanges(run, await identity, nodeClients, plan);
    const platform = await fortifying;
    if (goesOn !== undefined) {
      await runStep(report, { id: "healthy", title: "Every node healthy" }, async () => {
        await allHealthy(run, nodeClients, 0);
        return undefined;
      });
    }
    await settle(run);
    return {
      machines: machinesAt,
      configured: configuredAt,
      api: apiAt,
      ready: readyAt,
      total: since(),
      ...(platform === undefined ? {} : { platform }),
    };
  } finally {
    await preparing?.catch(() => undefined);
    await clients.then(
      (opened) => opened.close(),
      () => undefined,
    );
    await power.close();
  }
}

/** Before any node runs: what it pulls has to be there. */
async function imagesPushed({ castle, ownImages, report }: CastleRun): Promise<void> {
  if (ownImages === undefined) return;
  const step = { id: "own-images", title: `castle's own images in ${castle.registry}` };
  await runStep(report, step, () => pushOwnImages(ownImages));
}

async function nodesReadySoon(
  run: CastleRun,
  clients: NodeClients,
  access: Secret,
): Promise<{ detail: string }> {
  const ready = new AbortController();
  const hastened = hastenNodes(run, clients, access, AbortSignal.any([run.signal, ready.signal]));
  try {
    return await allNodesReady(run, clients, access);
  } finally {
    ready.abort();
    await hastened.catch(() => undefined);
  }
}

async function configureAll(
  run: CastleRun,
  identity: Promise<CastleIdentity>,
  clients: Promise<NodeClients>,
  wake: NonNullable<Configuring["wake"]>,
): Promise<readonly Configured[]> {
  const [{ configs }, opened] = await Promise.all([identity, clients]);
  const turns = new JoinTurns(run, opened);
  let configured: readonly Configured[] = [];
  await runStep(run.report, { id: "configure", title: "Machine configurations applied" }, async () => {
    configured = await Promise.all(
      run.castle.nodes.map((node) => {
        return configureNode({ run, clients: opened, turns, wake }, node, configOf({ configs }, node));
      }),
    );
    const fresh = configured.filter((outcome) => outcome === "new").length;
    return { detail: fresh === 0 ? "all were configured already" : `${fresh} new` };
  });
  return configured;
}

/** The form for here in the castle's home, the rack's in the store. */
async function writeTalosconfig(run: CastleRun, identity: CastleIdentity): Promise<void> {
  const { castle, home, ground } = run;
  const { talosconfig } = identity.configs;
  await writeFileAtomic(home.talosconfig, (await talosconfigFromHere(castle, ground, talosconfig)).reveal());
  await keepCredential(run, "talosconfig", talosconfigOfLan(castle, talosconfig));
}

async function keepKubeconfig(run: CastleRun, clients: NodeClients): Promise<Secret> {
  const lan = await fetchKubeconfig(run, clients);
  const here = await kubeconfigFromHere(run, lan);
  await writeFileAtomic(run.home.kubeconfig, here.reveal());
  await keepCredential(run, "kubeconfig", lan);
  return here;
}
