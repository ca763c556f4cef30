import { randomBytes, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { badRequest, forbidden, notFound, unauthorized } from "./refusal.ts";
import type { Vault, VaultFolder, VaultKey, VaultSecret } from "./vault.ts";

/** The project that the stand-in has, and the machine identity that may use it. */
export interface InfisicalIdentity {
  readonly project: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface InfisicalRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** The Authorization header. */
  readonly authorization: string | undefined;
}

/** The environments that every new project of Infisical has. */
const ENVIRONMENTS: ReadonlySet<string> = new Set(["dev", "staging", "prod"]);
/** Seconds; Infisical's default is 30 days. */
const TOKEN_LIFE = 2_592_000;

const loginShape = z.object({ clientId: z.string(), clientSecret: z.string() });
const pathShape = z
  .string()
  .trim()
  .default("/")
  .transform((path) => (path.length > 1 ? path.replace(/\/+$/, "") : path));
const placeShape = z.object({ workspaceId: z.string(), environment: z.string(), secretPath: pathShape });
/** Infisical takes white space off both ends, but for one line feed. */
const valueShape = z.string().transform((text) => `${text.trim()}${text.endsWith("\n") ? "\n" : ""}`);
const createShape = placeShape.extend({ secretValue: valueShape, secretComment: z.string().default("") });
const updateShape = placeShape.extend({ secretValue: valueShape.optional() });
const nameShape = z
  .string()
  .trim()
  .min(1)
  .regex(/^[^:/]+$/, "Secret name cannot contain colon or slash");
const folderShape = z.object({
  name: z.string().regex(/^[\w-]+$/, "Folder name can only contain letters, numbers, dashes, underscores"),
  path: pathShape,
  workspaceId: z.string(),
  environment: z.string(),
});
const foldersShape = z.object({ workspaceId: z.string(), environment: z.string(), path: pathShape });

/** What of Infisical's API its SDK uses for universal auth, folders and secrets, as its public documentation has it. */
export class InfisicalRoutes {
  readonly #vault: Vault;
  readonly #identity: InfisicalIdentity;
  readonly #tokens = new Set<string>();

  constructor(vault: Vault, identity: InfisicalIdentity) {
    this.#vault = vault;
    this.#identity = identity;
  }

  /** @returns what is answered with 200 @throws Refusal, ZodError */
  async answer(request: InfisicalRequest): Promise<unknown> {
    const { method, path } = request;
    if (method === "GET" && path === "/api/status") return { date: new Date().toISOString(), message: "Ok" };
    if (method === "POST" && path === "/api/v1/auth/universal-auth/login") return this.#login(request.body);
    this.#authorize(request.authorization);
    if (path === "/api/v1/folders") return this.#folders(request);
    if (method === "GET" && path === "/api/v3/secrets/raw") return this.#list(request.query);
    const name = /^\/api\/v3\/secrets\/raw\/([^/]+)$/.exec(path)?.[1];
    if (name === undefined) throw notFound(`Route ${method}:${path} not found`);
    return this.#secret(request, nameShape.parse(decodeURIComponent(name)));
  }

  #login(body: unknown) {
    const { clientId, clientSecret } = loginShape.parse(body);
    const { clientId: id, clientSecret: secret } = this.#identity;
    if (!same(clientId, id) || !same(clientSecret, secret)) throw unauthorized("Invalid credentials");
    const accessToken = randomBytes(32).toString("base64url");
    this.#tokens.add(accessToken);
    return { accessToken, expiresIn: TOKEN_LIFE, accessTokenMaxTTL: TOKEN_LIFE, tokenType: "Bearer" };
  }

  #authorize(header: string | undefined): void {
    const token = /^Bearer (\S+)$/.exec(header ?? "")?.[1];
    if (token === undefined) throw unauthorized("Token missing");
    if (!this.#tokens.has(token)) throw forbidden("The provided access token is not valid");
  }

  async #folders({ method, body, query }: InfisicalRequest) {
    if (method === "GET") {
      const { workspaceId, environment, path } = foldersShape.parse(query);
      this.#known(workspaceId, environment);
      return { folders: this.#vault.folders(environment, path).map(folderDocument) };
    }
    if (method !== "POST") throw notFound(`Route ${method}:/api/v1/folders not found`);
    const { name, path, workspaceId, environment } = folderShape.parse(body);
    this.#known(workspaceId, environment);
    const made = await this.#vault.makeFolder(environment, `${path === "/" ? "" : path}/${name}`);
    return { folder: folderDocument(made) };
  }

  #list(query: InfisicalRequest["query"]) {
    const { workspaceId, environment, secretPath } = placeShape.parse(query);
    this.#known(workspaceId, environment);
    const hidden = query["viewSecretValue"] === "false";
    const secrets = this.#vault.list(environment, secretPath);
    return { secrets: secrets.map((secret) => this.#document(secret, hidden)), imports: [] };
  }

  async #secret({ method, query, body }: InfisicalRequest, key: string) {
    const given = method === "GET" ? query : body;
    const { workspaceId, environment, secretPath } = placeShape.parse(given);
    this.#known(workspaceId, environment);
    if (!this.#vault.hasFolder(environment, secretPath)) {
      throw notFound(`Folder with path '${secretPath}' in environment with slug '${environment}' not found`);
    }
    const where: VaultKey = { environment, path: secretPath, key };
    const found = this.#vault.find(where);
    if (method === "POST") {
      if (found !== undefined) throw badRequest("Secret already exist");
      const { secretValue, secretComment } = createShape.parse(body);
      return { secret: this.#document(await this.#vault.create(where, secretValue, secretComment)) };
    }
    if (found === undefined) throw notFound(`Secret with name '${key}' not found`);
    switch (method) {
      case "GET":
        return { secret: this.#document(found, query["viewSecretValue"] === "false") };
      case "PATCH": {
        const { secretValue = found.value } = updateShape.parse(body);
        return { secret: this.#document(await this.#vault.update(found, secretValue)) };
      }
      case "DELETE":
        await this.#vault.remove(found);
        return { secret: this.#document(found) };
      default:
        throw notFound(`Route ${method}:/api/v3/secrets/raw/${key} not found`);
    }
  }

  #known(project: string, environment: string): void {
    if (project !== this.#identity.project) throw notFound(`Project with ID '${project}' not found`);
    if (!ENVIRONMENTS.has(environment)) {
      throw notFound(`Environment with slug '${environment}' in project with ID '${project}' not found`);
    }
  }

  #document(secret: VaultSecret, hidden = false) {
    const { id, key, value, path, environment, comment, version, createdAt, updatedAt } = secret;
    return {
      id,
      _id: id,
      workspace: this.#identity.project,
      environment,
      version,
      type: "shared",
      secretKey: key,
      secretValue: hidden ? "<hidden-by-infisical>" : value,
      secretValueHidden: hidden,
      secretComment: comment,
      secretPath: path,
      createdAt,
      updatedAt,
      isRotatedSecret: false,
      tags: [],
    };
  }
}

function folderDocument({ id, environment, path, createdAt }: VaultFolder) {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return { id, name, path, envId: environment, createdAt, updatedAt: createdAt, version: 1 };
}

function same(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
