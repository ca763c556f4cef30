/** What must never be published, and how it is known. Names are stable: messages tell the rule, never the value. */
interface SecretRule {
  readonly rule: string;
  /** Bytes that are in every match: looked for first, since almost no file has them. */
  readonly mark: string;
  readonly pattern: RegExp;
}

const RULES: readonly SecretRule[] = [
  {
    rule: "private-key",
    mark: "PRIVATE KEY-----",
    // A text about keys may show the first line; a key goes on.
    pattern: /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?:\s|\\n|<br>)*[A-Za-z0-9+/=]{40}/,
  },
  { rule: "age-identity", mark: "AGE-SECRET-KEY-", pattern: /AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]{50}/ },
  { rule: "aws-access-key", mark: "AKIA", pattern: /\bAKIA(?![A-Z2-7]{9}EXAMPLE)[A-Z2-7]{16}\b/ },
  { rule: "github-token", mark: "gh", pattern: /\bgh[pousr]_[A-Za-z0-9]{36}/ },
  { rule: "github-token", mark: "github_pat_", pattern: /\bgithub_pat_[A-Za-z0-9_]{60}/ },
  { rule: "gitlab-token", mark: "glpat-", pattern: /\bglpat-[A-Za-z0-9_-]{20}/ },
  { rule: "docker-token", mark: "dckr_pat_", pattern: /\bdckr_pat_[A-Za-z0-9_-]{20}/ },
  { rule: "npm-token", mark: "npm_", pattern: /\bnpm_[A-Za-z0-9]{36}/ },
  { rule: "slack-token", mark: "xox", pattern: /\bxox[abprs]-[0-9]{6}[A-Za-z0-9-]{10}/ },
  { rule: "stripe-key", mark: "sk_live_", pattern: /\bsk_live_[A-Za-z0-9]{24}/ },
  {
    rule: "kubeconfig-key",
    mark: "client-key-data:",
    pattern: /client-key-data:\s*[A-Za-z0-9+/=]{60}/,
  },
  { rule: "kubernetes-token", mark: "eyJhbGciOi", pattern: /\btoken:\s*eyJhbGciOi[\w-]+\.[\w-]+\.[\w-]{20}/ },
  {
    rule: "talos-secrets",
    mark: "secretboxEncryptionSecret",
    pattern: /secretboxEncryptionSecret:\s*\S{20}/,
  },
  {
    rule: "password-in-address",
    mark: "://",
    pattern:
      /\b(?:https?|ssh|postgres(?:ql)?|mysql|redis|amqp):\/\/[\w.-]{1,64}:(?!password|pass|secret|xxx|\*)[^\s@/"'<>:$&;]{8,64}@[\w.-]+/i,
  },
];

/** File names that are secrets whatever is in them. */
const NAMES =
  /(?:^|\/)(?:\.env(?:\..*)?|\.git|\.netrc|\.npmrc|\.pypirc|id_(?:rsa|dsa|ecdsa|ed25519)|kubeconfig|talosconfig|\.docker|\.kube|\.ssh|\.aws|terraform\.tfstate(?:\..*)?|[^/]*\.(?:p12|pfx|jks|keystore|kdbx))(?:\/|$)/i;

/** The rule that a path breaks; undefined: none. */
export function secretName(path: string): string | undefined {
  return NAMES.test(path) ? "secret-file-name" : undefined;
}

/** The rules that content breaks. */
export function secretsIn(content: Buffer): readonly string[] {
  const suspects = RULES.filter(({ mark }) => content.includes(mark));
  if (suspects.length === 0) return [];
  const text = content.toString("latin1");
  return [...new Set(suspects.filter(({ pattern }) => pattern.test(text)).map(({ rule }) => rule))];
}
