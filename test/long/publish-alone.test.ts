import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { lanNamespace } from "../../src/lab/namespaces.ts";
import { run } from "../../src/support/run.ts";
import { releasedShape } from "../e2e/blog-castle.ts";
import { CastleCommand } from "../e2e/castle-command.ts";
import { cloneManifests } from "../e2e/person-git.ts";
import { LanRegistry } from "../fixtures/lan-registry.ts";
import { canRunLab } from "../fixtures/parts.ts";
import { REGISTRY_LOGIN } from "../fixtures/registry.ts";
import { SiteSource } from "../fixtures/site-source.ts";
import { userKustomization } from "../fixtures/user-kustomization.ts";

const EXECUTABLE = fileURLToPath(new URL("../../bin/castle.js", import.meta.url));
const NAME = "t-alone";
/** The lab's own machine on its network. */
const REGISTRY = "192.168.1.1:5050";
const HOST = "alone.t-alone.lan";
const IMAGE = `${REGISTRY}/alone/site`;

const SELF_SIGNED = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2".split(" ");

const raisedShape = z.object({ platform: z.object({ ingress: z.string() }) });
/** There is no castle that would know what a browser on this machine opens. */
const aloneShape = releasedShape.omit({ url: true });
const podsShape = z.object({
  items: z.array(z.object({ spec: z.object({ imagePullSecrets: z.array(z.object({ name: z.string() })) }) })),
});

/** A cluster that somebody else keeps, a private registry, and a folder with nothing but a file of sites. */
describe.skipIf(!canRunLab)("castle publish without a castle, on a cluster whose nodes have no login", () => {
  let castle: CastleCommand;
  let registry: LanRegistry;
  let site: SiteSource;
  let folder: string;

  beforeAll(async () => {
    castle = await CastleCommand.prepare(NAME);
    folder = await mkdtemp(join(tmpdir(), "castle-alone-"));
    const mirrors = `{ machine: { registries: { mirrors: { "${REGISTRY}": { endpoints: ["http://${REGISTRY}"] } } } } }`;
    await castle.spec(
      `nodes: { controlPlanes: { count: 1 }, workers: { count: 1 } }\ngitops: {}\ntalos: { patches: [${mirrors}] }\n`,
    );
    const { platform } = await castle.ask(raisedShape, "up", "--install-tools");
    registry = await LanRegistry.open(NAME, REGISTRY);
    site = await SiteSource.create({
      "index.html": "<h1>Alone</h1>\n",
      "about/index.html": "<h1>About</h1>\n",
    });
    await person(platform.ingress);
    await manifests();
  });
  afterAll(async () => {
    await registry?.close();
    await site?.remove();
    await castle.remove();
    await rm(folder, { recursive: true, force: true });
  });

  /** What somebody at another machine of the network has: logins, a kubeconfig, and who the site's name is. */
  async function person(ingress: string): Promise<void> {
    const { git } = (await castle.lab()).descriptor.lan;
    if (git === undefined) throw new Error("the lab has no Git server");
    const repository = `${git.inside}/${NAME}.git`;
    const known = join(folder, "known");
    const { host } = new URL(repository);
    await writeFile(known, `http://${git.username}:${git.token}@${host.replace(":", "%3a")}\n`, {
      mode: 0o600,
    });
    await mkdir(join(folder, "git"));
    await writeFile(join(folder, "git/config"), `[credential]\n\thelper = store --file='${known}'\n`);
    const auth = btoa(`${REGISTRY_LOGIN.username}:${REGISTRY_LOGIN.password}`);
    await writeFile(join(folder, "auth.json"), JSON.stringify({ auths: { [REGISTRY]: { auth } } }));
    await writeFile(join(folder, "kubeconfig"), await castle.run("kubeconfig", "--lan"), { mode: 0o600 });
    await writeFile(join(folder, "hosts"), `127.0.0.1 localhost\n${ingress} ${HOST}\n`);
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const named = ["-subj", `/CN=${HOST}`, "-addext", `subjectAltName=DNS:${HOST}`];
    await run("openssl", [...SELF_SIGNED, ...named, "-keyout", key, "-out", cert]);
    await writeFile(
      join(folder, "site.yaml"),
      `gitops: { repository: "${repository}", branch: main, path: apps/alone }
sites:
  - { name: alone, host: ${HOST}, source: "${site.folder}", image: "${IMAGE}" }
`,
    );
  }

  /** Somebody's own way to run a site: plain manifests in a folder that a Kustomization of his applies. */
  async function manifests(): Promise<void> {
    const clone = join(folder, "clone");
    await mkdir(clone);
    const git = await cloneManifests(await castle.lab(), NAME, clone);
    await mkdir(join(clone, "apps/alone"), { recursive: true });
    await writeFile(join(clone, "apps/alone/site.yaml"), MANIFESTS);
    await git("add", "-A");
    await git("commit", "-q", "-m", "A site of somebody's own");
    await git("push", "-q");
    await castle.kubectl("create", "namespace", "alone");
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    await castle.kubectl("-n", "alone", "create", "secret", "tls", "door", `--key=${key}`, `--cert=${cert}`);
    // Flux has the commit before the Kustomization asks for its folder.
    await castle.run("reconcile");
    await castle.kubectl("apply", "-f", await castle.file("kustomization.json", KUSTOMIZATION));
    await castle.kubectl(
      "-n",
      "flux-system",
      "wait",
      "kustomization/alone",
      "--for=condition=Ready",
      "--timeout=120s",
    );
  }

  /** On another machine of the network, as far as one machine can be two. */
  async function alone(...args: string[]): Promise<string> {
    const hosts = `mount --bind '${join(folder, "hosts")}' /etc/hosts && exec "$@"`;
    const command = [execPath, EXECUTABLE, ...args, "-f", "site.yaml", "--insecure-registry", REGISTRY];
    const { stdout } = await run(
      "nsenter",
      [`--net=/run/netns/${lanNamespace(NAME)}`, "unshare", "-m", "sh", "-c", hosts, "sh", ...command],
      {
        cwd: folder,
        timeout: 300_000,
        env: {
          XDG_CONFIG_HOME: folder,
          REGISTRY_AUTH_FILE: join(folder, "auth.json"),
          KUBECONFIG: join(folder, "kubeconfig"),
          NODE_EXTRA_CA_CERTS: join(folder, "cert.pem"),
        },
      },
    );
    return stdout;
  }
  const publish = async (...args: string[]) =>
    aloneShape.parse(JSON.parse(await alone("publish", "-o", "json", ...args)));

  it("brings a release to every pod, pulled with the pull secret, and proves it", async () => {
    await alone("publish", "--lock");
    await site.commit({});
    await site.git("push", "-q");
    const { digest, pods, public: visited } = await publish();
    expect(pods).toHaveLength(2);
    for (const { imageId, files } of pods) {
      expect(imageId).toContain(digest);
      expect(files).toBeGreaterThan(0);
    }
    expect(visited.url).toBe(`https://${HOST}/`);
    // Nobody else may have it, and the pods' spec names who may.
    expect(await registry.status(`/v2/alone/site/manifests/${digest}`)).toBe("401");
    const { items } = podsShape.parse(
      JSON.parse(await castle.kubectl("-n", "alone", "get", "pods", "-l", "app=alone", "-o", "json")),
    );
    expect(items.flatMap(({ spec }) => spec.imagePullSecrets)).toEqual(
      items.map(() => ({ name: "castle-pull-alone" })),
    );
  });

  it("changes a page, and goes back, from the same folder", async () => {
    const before = await publish();
    await site.commit({ "index.html": "<h1>Still alone</h1>\n" });
    await site.git("push", "-q");
    const changed = await publish();
    expect(changed.digest).not.toBe(before.digest);
    const back = aloneShape.parse(JSON.parse(await alone("rollback", "-o", "json")));
    expect(back.digest).toBe(before.digest);
  });
});

const KUSTOMIZATION = userKustomization({
  name: "alone",
  source: "flux-system",
  path: "./apps/alone",
  interval: "10m",
});

const MANIFESTS = `apiVersion: apps/v1
kind: Deployment
metadata: { name: alone, namespace: alone }
spec:
  replicas: 2
  selector: { matchLabels: { app: alone } }
  strategy: { rollingUpdate: { maxSurge: 2, maxUnavailable: 0 } }
  template:
    metadata: { labels: { app: alone } }
    spec:
      containers:
        - name: web
          image: ${IMAGE}:alone-0000000
          ports: [{ name: http, containerPort: 8080 }]
          readinessProbe: { httpGet: { path: /healthz, port: http }, periodSeconds: 1 }
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: { drop: [ALL] }
          volumeMounts: [{ name: tmp, mountPath: /tmp }]
      securityContext: { runAsNonRoot: true, seccompProfile: { type: RuntimeDefault } }
      volumes: [{ name: tmp, emptyDir: {} }]
---
apiVersion: v1
kind: Service
metadata: { name: alone, namespace: alone }
spec:
  selector: { app: alone }
  ports: [{ name: http, port: 80, targetPort: http }]
---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: { name: alone, namespace: alone }
spec:
  entryPoints: [websecure]
  routes:
    - { kind: Rule, match: "Host(\`${HOST}\`)", services: [{ name: alone, port: http }] }
  tls: { secretName: door }
`;
