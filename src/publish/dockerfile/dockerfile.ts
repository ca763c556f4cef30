import type { SiteLock } from "../release.ts";
import { FIRST_TIME, TIME_SPAN } from "../pack/content-time.ts";
import { SMALLEST_COMPRESSED, TEXT_ENDINGS } from "../pack/layer-kind.ts";
import { serverConfiguration, SITE_ROOT } from "../pack/server-configuration.ts";

export interface DockerfileOptions {
  readonly lock: SiteLock;
  /** The port that the base's nginx may listen on. */
  readonly port: number;
}

/** Stands for the release's tag until the build knows it. */
const RELEASE = "@RELEASE@";
const STAGE = "/site";

/**
 * The image of a site for those who build with buildah or Docker: one stage that makes the pages, one that serves them.
 * Every path in it has the bytes that castle's own image has; compressed copies have the same content.
 */
export function renderDockerfile({ lock, port }: DockerfileOptions): string {
  return `# Made by castle publish --dockerfile for those who build with buildah or Docker; castle publish needs neither.
#   docker build --build-arg RELEASE=SITE-$(git rev-parse --short=12 HEAD) \\
#     --build-arg COMMITTED=$(TZ=UTC git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd) .
ARG BUILDER=${builderOf(lock)}
ARG BASE=${lock.base}

# Stage 1: the pages, and what nginx is told of them.
FROM \${BUILDER} AS builder
USER 0
ENV TZ=UTC LC_ALL=C LANG=C CI=true GOPROXY=off HUGO_SECURITY_HTTP_URLS=none
WORKDIR /src
COPY . .
ARG COMMITTED
${makePages(lock)}
RUN chmod -R u=rwX,go=rX ${STAGE}
# A time made from the content: nginx makes its ETag from time and size, and an edit may keep the size.
RUN cd ${STAGE}/${SITE_ROOT} && find . -type f | while read -r file; do \\
      hash=$(sha256sum "$file" | cut -c 1-8) && \\
      touch -d "@$((${FIRST_TIME} + 0x$hash % ${TIME_SPAN}))" "$file" || exit 1; \\
    done
# Compressed once here instead of at every request.
RUN cd ${STAGE}/${SITE_ROOT} && find . -type f -size +${SMALLEST_COMPRESSED - 1}c \\( ${TEXT_ENDINGS.map((ending) => `-iname '*.${ending}'`).join(" -o ")} \\) | \\
    while read -r file; do \\
      [ -e "$file.gz" ] || { gzip -9nc "$file" > "$file.gz" && touch -r "$file" "$file.gz"; } || exit 1; \\
    done
ARG RELEASE
${Object.entries(serverConfiguration({ release: RELEASE, port }))
  .map(([path, text]) => writeText(`${STAGE}/${path}`, text))
  .join("\n")}

# Stage 2: the server and the pages, without compiler and source.
FROM \${BASE}
COPY --from=builder ${STAGE}/ /
EXPOSE ${port}
`;
}

/** Where the tools of the site's build come from; another image does as well, if it has them. */
function builderOf({ build, hugo }: SiteLock): string {
  switch (build.kind) {
    case "hugo":
      return `docker.io/hugomods/hugo:std-${hugo ?? ""}`;
    case "none":
      return "docker.io/library/busybox:1.36.1";
    case "command":
      return `docker.io/library/${/^(?:node|npm|npx|yarn|pnpm)$/.test(build.command[0] ?? "") ? "node:20-bookworm" : "buildpack-deps:bookworm"}`;
    default:
      return build satisfies never;
  }
}

function makePages({ build }: SiteLock): string {
  const target = `${STAGE}/${SITE_ROOT}`;
  if (build.kind === "hugo") {
    return `RUN hugo --minify --panicOnWarning --noBuildLock --clock "$COMMITTED" --destination ${target}`;
  }
  const copy = `mkdir -p ${target} && cp -R ${quoted(`${build.output}/.`)} ${target}`;
  if (build.kind === "none") return `RUN ${copy}`;
  return `RUN SOURCE_DATE_EPOCH=$(date -d "$COMMITTED" +%s) ${build.command.map(quoted).join(" ")} && ${copy}`;
}

/** Line by line, because not every builder knows here-documents. */
function writeText(path: string, text: string): string {
  const lines = text.replace(/\n$/, "").split("\n").map(quoted);
  const folder = path.slice(0, path.lastIndexOf("/"));
  return `RUN mkdir -p ${folder} && printf '%s\\n' \\
${lines.map((line) => `      ${line} \\`).join("\n")}
    | sed "s/${RELEASE}/\${RELEASE:?docker build --build-arg RELEASE=TAG}/" > ${path}`;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
