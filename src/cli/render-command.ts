import { chmod, mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { CastleError } from "../errors/castle-error.ts";
import { render as renderTerraform } from "../infra/render.ts";
import { castleHome } from "../lifecycle/home.ts";
import { drawBlueprint } from "../lifecycle/fortify/blueprint.ts";
import { gitAccess } from "../lifecycle/fortify/git-access.ts";
import type { Ground } from "../lifecycle/ground/ground.ts";
import { ensureIdentity } from "../lifecycle/raise/identity.ts";
import { talosconfigOfLan } from "../lifecycle/talosconfig.ts";
import { Secret } from "../support/secret.ts";
import { writeFileAtomic } from "../support/write-file.ts";
import type { AnswerOf } from "./answer.ts";
import type { Context } from "./context.ts";
import { findTalosctl, openParts } from "./parts-session.ts";
import { manifestFolders } from "./platform-session.ts";
import { secretStore } from "./secret-store.ts";
import { findGround } from "./standing-ground.ts";
import { type SpecFile, readSpecFile } from "./spec-file.ts";

/** @throws CastleError lab/not-running: a lab's endpoint is known once it is up */
export async function render(context: Context, file: string, to: string): Promise<AnswerOf<"Rendered">> {
  const spec = await readSpecFile(context, file);
  const { castle } = spec;
  const ground = await renderGround(context, spec);
  const home = await castleHome(spec.folder, castle.name);
  const { configs } = await ensureIdentity({
    castle,
    home,
    ground,
    store: secretStore(context, spec),
    programs: { talosctl: await findTalosctl(context, castle, openParts(context)) },
    signal: context.signal,
  });
  const folder = resolve(context.cwd, to);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // The folder may have been there before.
  await chmod(folder, 0o700);
  const { trust } = ground.proxmox;
  const contents = new Map<string, string>([
    ["main.tf.json", renderTerraform(castle, ground.proxmox)],
    ...(trust.kind === "certificate" ? [["endpoint.pem", trust.pem] as const] : []),
    ...[...configs.nodes].map(([name, config]) => [`${name}.yaml`, config.reveal()] as const),
    ["talosconfig", talosconfigOfLan(castle, configs.talosconfig).reveal()],
    ["README.md", guide(spec, trust.kind === "certificate")],
    ...(await platformFiles(context, spec, ground)),
  ]);
  await Promise.all([...contents].map(([name, content]) => writeFileAtomic(join(folder, name), content)));
  return {
    kind: "Rendered",
    data: { castle: castle.name, folder, files: [...contents.keys()] },
    text: `Wrote ${contents.size} files to ${to}, for you alone to read: they hold the castle's secrets. ${join(to, "README.md")} tells how to run them`,
  };
}

/** What `castle up` publishes; nothing where a lab was never asked for a platform, because its addresses are not known. */
async function platformFiles(
  context: Context,
  spec: SpecFile,
  ground: Ground,
): Promise<readonly (readonly [string, string])[]> {
  const { castle } = spec;
  if (castle.gitops === undefined) return [];
  const platform = await ground.platform().catch((error: unknown) => {
    if (error instanceof CastleError && error.code === "lifecycle/not-raised") return undefined;
    throw error;
  });
  if (platform === undefined) return [];
  const { secret } = await gitAccess({ store: secretStore(context, spec) }, platform);
  const manifests = await manifestFolders(openParts(context));
  const { folder } = await drawBlueprint(castle, manifests, platform, secret !== undefined);
  return [
    ...[...folder.files].map(([path, content]) => [`${folder.path}/${path}`, content] as const),
    ...folder.scaffolds,
  ].map(([path, content]) => [join("gitops", path), Buffer.from(content).toString("utf8")]);
}

/** Rendering asks nobody anything, so a rack's token is not needed. */
async function renderGround(context: Context, { castle }: SpecFile): Promise<Ground> {
  const { hypervisor } = castle;
  if (hypervisor.kind === "proxmox") {
    const { rackGround } = await import("../lifecycle/ground/rack.ts");
    return rackGround(castle, hypervisor, new Secret(""));
  }
  const ground = await findGround(context, castle);
  if (ground !== undefined) return ground;
  throw new CastleError("lab/not-running", {
    message: `Lab ${hypervisor.lab} is not up, and its endpoint is known once it is`,
    hint: `castle lab up ${hypervisor.lab}`,
  });
}

function guide({ castle }: SpecFile, certificate: boolean): string {
  const [first] = castle.nodes;
  const lines = castle.nodes.map(
    ({ name, address }) => `    talosctl apply-config --insecure --nodes ${address} --file ${name}.yaml`,
  );
  return `# Castle ${castle.name}, rendered

What \`castle up\` gives to Terraform and to the nodes. The YAML files and talosconfig hold secrets.

    export PROXMOX_VE_API_TOKEN='USER@REALM!NAME=SECRET'
${certificate ? '    export SSL_CERT_FILE="$PWD/endpoint.pem"\n' : ""}    terraform init && terraform apply
${lines.join("\n")}
    export TALOSCONFIG="$PWD/talosconfig"
    talosctl bootstrap --nodes ${first?.address ?? ""}
    talosctl kubeconfig --nodes ${first?.address ?? ""}
`;
}
