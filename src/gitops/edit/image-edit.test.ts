import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { findImage, showsRelease, type WantedImage, writeImage } from "./image-edit.ts";

const OURS = "registry.lan:5000/tazlab/blog";
const wanted: WantedImage = { name: OURS, isOurs: (name) => name === OURS };
const release = { tag: "blog-0123456789ab", digest: `sha256:${"ab".repeat(32)}` };
const PINNED = `${release.tag}@${release.digest}`;

const file = (text: string, path = "apps/blog.yaml") => ({ path, bytes: Buffer.from(text) });
const edit = (text: string) => {
  const one = file(text);
  return Buffer.from(writeImage(one, findImage([one], wanted), release)).toString();
};
const container = (image: string) => `kind: Deployment
metadata: { name: web, namespace: site-blog }
spec: { template: { spec: { containers: [{ name: web, image: ${image} }] } } }
`;

const plain = (yaml: string) => JSON.stringify(parseAllDocuments(yaml).map((one): unknown => one.toJS()));

/** A manifest around one scalar that names the image: what stands before it, the scalar, what stands after. */
interface Made {
  readonly before: string;
  readonly old: string;
  readonly fresh: string;
  readonly after: string;
}

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const tag = fc.oneof(
  fc.stringMatching(/^blog-[0-9a-f]{7}$/),
  fc.stringMatching(/^blog-[0-9a-f]{12}$/),
  fc.constant("2.10.3"),
);
const digest = fc.stringMatching(/^[0-9a-f]{64}$/).map((hex) => `sha256:${hex}`);
const reference = fc
  .tuple(tag, fc.option(digest))
  .map(([tag, digest]) => `${OURS}:${tag}${digest === null ? "" : `@${digest}`}`);

/** YAML that names other images, or none, with what makes editors stumble. */
const noise = fc.constantFrom(
  "# blog: registry.lan:5000/tazlab/blog:blog-1111111 stands in a comment\n",
  "kind: ConfigMap\nmetadata: {name: c}\ndata:\n  note: |\n    image: registry.lan:5000/tazlab/blog:blog-2222222\n",
  "kind: ConfigMap\nx: &shared {a: 1}\ny: *shared\nz: [*shared, *shared]\n",
  'kind: Pod\nspec:\n  containers:\n  - image: other.lan/tazlab/blog:blog-3333333   \n    name: "ü 🏰 \\u0041"\n',
  "kind: Pod\nspec: {containers: [{image: 'registry.lan:5000/tazlab/blog-other:v2.0.1'}]}\n",
  "base: &base\n  cpu: 1\nuse:\n  <<: *base\n  memory: 2\n",
  "key with spaces:   value   # and a comment\n\"quoted\": 'it''s'\nlong: >-\n  folded\n  lines\n\n  here\n",
  "",
);

const style = fc.constantFrom(
  ["", ""],
  ['"', '"'],
  ["'", "'"],
  ["!!str ", ""],
  ["!!str '", "'"],
  [">-\n            ", ""],
  ["|-\n            ", ""],
  ["|2-\n            ", "\n\n"],
  ["# above\n            ", ""],
);
const trail = fc.constantFrom("\n", "   \n", " # the release\n", "\n\n# after\n");

const inContainer = fc
  .record({ reference, style, trail, key: fc.constantFrom("containers", "initContainers"), name: word })
  .map(
    ({ reference, style: [open = "", close = ""], trail, key, name }): Made => ({
      before: `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ${name}\nspec:\n  template:\n    spec:\n      ${key}:\n        - name: ${name}\n          # what runs\n          image: ${open}`,
      old: reference,
      fresh: `${OURS}:${PINNED}`,
      // A comment in a block scalar's text would be text.
      after: `${close}${/[>|]/.test(open) ? "\n" : trail}          ports: [{containerPort: 8080}]\n`,
    }),
  );

const inFlow = fc.record({ reference, quote: fc.constantFrom("", '"', "'"), name: word }).map(
  ({ reference, quote, name }): Made => ({
    before: `{kind: Pod, spec: {containers: [{name: ${name}, image: ${quote}`,
    old: reference,
    fresh: `${OURS}:${PINNED}`,
    after: `${quote}, args: [a, b]}]}}\n`,
  }),
);

const inKustomization = fc
  .record({ tag, quote: fc.constantFrom("", '"', "'"), renamed: fc.boolean(), flux: fc.boolean(), trail })
  .map(({ tag, quote, renamed, flux, trail }): Made => {
    const named = renamed ? `- name: web\n  newName: ${OURS}` : `- name: ${OURS}`;
    const images = `images:\n${named}\n  newTag: ${quote}`;
    const head = flux ? "kind: Kustomization\nspec:\n" : "kind: Kustomization\n";
    return {
      before: head + (flux ? images.replaceAll(/^/gm, "  ") : images),
      old: tag,
      fresh: PINNED,
      after: `${quote}${trail}`,
    };
  });

const inValues = fc.record({ tag, split: fc.boolean(), key: fc.constantFrom("image", "webImage") }).map(
  ({ tag, split, key }): Made => ({
    before: split
      ? `${key}:\n  registry: registry.lan:5000\n  repository: tazlab/blog\n  tag: `
      : `spec:\n  values:\n    ${key}:\n      repository: ${OURS}\n      tag: `,
    old: tag,
    fresh: PINNED,
    after: "\n",
  }),
);

const manifest = fc
  .record({
    made: fc.oneof(inContainer, inFlow, inKustomization, inValues),
    above: fc.array(noise, { maxLength: 3 }),
    below: fc.array(noise, { maxLength: 3 }),
    crlf: fc.boolean(),
    bom: fc.boolean(),
    final: fc.boolean(),
  })
  .map(({ made, above, below, crlf, bom, final }) => {
    const lines = (text: string) => (crlf ? text.replaceAll("\n", "\r\n") : text);
    const parts = {
      before: lines(`${above.map((text) => `${text}---\n`).join("")}${made.before}`),
      after: lines(`${made.after}${below.map((text) => `---\n${text}`).join("")}`),
    };
    const whole = (scalar: string) => {
      const text = `${bom ? "\uFEFF" : ""}${parts.before}${scalar}${parts.after}`;
      return final ? text : text.replace(/(\r?\n)+$/, "");
    };
    return { text: whole(made.old), expected: whole(made.fresh), old: made.old, fresh: made.fresh };
  });

describe("the image of a manifest", () => {
  it("is replaced and no other byte, in whatever YAML it stands", () => {
    fc.assert(
      fc.property(manifest, ({ text, expected, old, fresh }) => {
        const written = edit(text);
        expect(written).toBe(expected);
        expect(plain(written)).toBe(
          plain(text).replace(`${old}"`, `${fresh}"`).replace(`${old}\\n"`, `${fresh}\\n"`),
        );
        // Once more: nothing to do.
        const again = file(written);
        expect(showsRelease(findImage([again], wanted), release)).toBe(true);
        expect(edit(written)).toBe(written);
      }),
      { numRuns: 150 },
    );
  }, 60_000);

  it("is replaced in two scalars where tag and digest have keys of their own", () => {
    const text = `images:\r\n- name: ${OURS}\r\n  digest: "sha256:00" # d\r\n  newTag: blog-8c945ac\r\n`;
    expect(edit(text)).toBe(
      `images:\r\n- name: ${OURS}\r\n  digest: "${release.digest}" # d\r\n  newTag: ${release.tag}\r\n`,
    );
  });

  it("carries what it was and whose it is", () => {
    const place = findImage([file(container(`${OURS}:blog-8c945ac`))], wanted);
    expect(place).toMatchObject({
      name: OURS,
      tag: "blog-8c945ac",
      line: 3,
      object: { kind: "Deployment", name: "web", namespace: "site-blog" },
    });
    expect(place.digest).toBeUndefined();
  });

  it("may get another name, as the page before a site's first release does", () => {
    const one = file(container("castle.local/placeholder:v1"));
    const placeholder: WantedImage = { name: OURS, isOurs: (name) => name === "castle.local/placeholder" };
    const written = writeImage(one, findImage([one], placeholder), release, OURS);
    expect(Buffer.from(written).toString()).toBe(container(`${OURS}:${PINNED}`));
  });
});

describe("castle refuses to write", () => {
  it.each([
    ["alias", `x: &i ${OURS}:blog-1111111\nimage: *i\n`],
    ["anchor", `image: &i ${OURS}:blog-1111111\n`],
    ["anchor", `base: &b { image: "${OURS}:blog-1111111" }\nuse: { <<: *b }\n`],
    ["duplicate-key", `kind: Pod\nkind: Pod\nimage: ${OURS}:blog-1111111\n`],
    ["duplicate-key", `spec:\n  image: ${OURS}:blog-1111111\n  image: ${OURS}:blog-2222222\n`],
    ["template", `image: ${OURS}:\${TAG}\n`],
    ["template", `image: "${OURS}:{{ .Values.tag }}"\n`],
    ["template", `{{- if .Values.on }}\nimage: ${OURS}:blog-1111111\n{{- end }}\n`],
    ["template", `images:\n- name: ${OURS}\n  newTag: \${TAG}\n`],
    ["sops", `image: ${OURS}:blog-1111111\nsops: { mac: "ENC[…]", version: 3.9.0 }\n`],
    ["not-yaml", `a: [\nimage: ${OURS}:blog-1111111\n`],
    ["tagged", `image: !mine ${OURS}:blog-1111111\n`],
  ])("by the rule %s", (rule, text) => {
    expect(() => findImage([file(text)], wanted)).toThrowError(
      expect.objectContaining({
        code: "gitops/image-unwritable",
        details: expect.objectContaining({ rule, file: "apps/blog.yaml" }),
      }),
    );
  });

  it("where two places name the image, both of which it tells", () => {
    const files = [file(container(`${OURS}:blog-1111111`)), file(`image: ${OURS}:blog-1111111\n`, "b.yaml")];
    expect(() => findImage(files, wanted)).toThrowError(
      expect.objectContaining({
        code: "gitops/image-ambiguous",
        message: expect.stringMatching(/apps\/blog\.yaml:3 .*\n.*b\.yaml:1 /),
      }),
    );
  });

  it("where no place does, with the nearest ones and where they stand", () => {
    const files = [
      file("a: 1\nimage: nginx:1.27\n", "nginx.yaml"),
      file("image: registry.lan:5000/tazlab/wiki:wiki-1111111\n", "wiki.yaml"),
      file("image: ghcr.io/tazlab/blog:blog-1111111\n", "old.yaml"),
    ];
    expect(() => findImage(files, wanted)).toThrowError(
      expect.objectContaining({
        code: "gitops/image-missing",
        details: expect.objectContaining({
          nearest: [
            "old.yaml:1 ghcr.io/tazlab/blog:blog-1111111",
            "wiki.yaml:1 registry.lan:5000/tazlab/wiki:wiki-1111111",
            "nginx.yaml:2 nginx:1.27",
          ],
        }),
      }),
    );
  });

  it("but not because of a container without a tag that a Kustomization fills in", () => {
    const files = [
      file(container(OURS), "base/web.yaml"),
      file(`images:\n- name: ${OURS}\n  newTag: blog-8c945ac\n`, "kustomization.yaml"),
    ];
    expect(findImage(files, wanted)).toMatchObject({ file: "kustomization.yaml", kind: "kustomize" });
    expect(findImage(files.slice(0, 1), wanted)).toMatchObject({ file: "base/web.yaml" });
  });

  it("and files that are no text say nothing", () => {
    const files = [{ path: "x.yaml", bytes: Buffer.from([0xff, 0xfe, 0x61, 0x00]) }];
    expect(() => findImage(files, wanted)).toThrowError(
      expect.objectContaining({ message: expect.stringContaining("none names an image at all") }),
    );
  });
});
