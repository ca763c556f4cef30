import { fingerprint } from "./layer-kind.ts";

/** Where the pages lie, whatever the base: the bases' own pages stay unseen. */
export const SITE_ROOT = "srv/site";

export interface ServerOptions {
  /** The release's tag. */
  readonly release: string;
  readonly port: number;
}

/**
 * nginx's configuration of a release: path in the image → text. It takes the place of the default server that nginx's
 * official images and castle's own base include.
 */
export function serverConfiguration({ release, port }: ServerOptions): Readonly<Record<string, string>> {
  return {
    "etc/nginx/castle/headers.conf": headers(release),
    "etc/nginx/conf.d/default.conf": server({ release, port }),
  };
}

/** `add_header` is not inherited into a location that has one of its own, so every location includes this. */
function headers(release: string): string {
  return `add_header Castle-Release "${release}" always;
# A file's time is made from its content: it says nothing about when. The ETag that comes from it stays.
add_header Last-Modified "";
add_header X-Content-Type-Options "nosniff" always;
add_header X-Frame-Options "DENY" always;
add_header Referrer-Policy "strict-origin-when-cross-origin" always;
`;
}

function server({ release, port }: ServerOptions): string {
  return `# How often an asset was asked for again, and the next count; empty: that is enough.
map $arg_again $castle_again {
  default "";
  "" 1; 1 2; 2 3; 3 4; 4 5; 5 6; 6 7; 7 8; 8 9; 9 10; 10 11; 11 12;
}
# As it was sent, still encoded: a decoded one could hold line ends.
map $request_uri $castle_path {
  "~^(?<path>[^?]*)" $path;
}

server {
  listen ${port};
  server_name _;
  root /${SITE_ROOT};
  index index.html;
  charset utf-8;
  server_tokens off;
  sendfile on;
  gzip_static on;
  gzip_vary on;
  # The port inside is not the port outside: redirects name the path only.
  absolute_redirect off;
  error_page 404 /404.html;

  # A cluster that knows the site's other pods says so here: peers.conf sets $castle_peers (HOST:PORT) and a resolver.
  set $castle_peers "";
  include /etc/nginx/peers/*.conf;

  # Pages: asked for again each time, answered 304 while their content is the same.
  location / {
    include /etc/nginx/castle/headers.conf;
    add_header Cache-Control "no-cache" always;
    try_files $uri $uri/ =404;
  }

  # Names that carry a hash of their content never change what they mean.
  location ~* "${fingerprint.source}" {
    include /etc/nginx/castle/headers.conf;
    add_header Cache-Control "public, max-age=31536000, immutable";
    try_files $uri @another-release;
  }

  # What pages are made of.
  location ~* "\\.(?:avif|css|gif|ico|jpe?g|js|json|map|mjs|mp3|mp4|ogg|pdf|png|svg|ttf|wasm|webm|webmanifest|webp|woff2?)$" {
    include /etc/nginx/castle/headers.conf;
    add_header Cache-Control "no-cache" always;
    try_files $uri @another-release;
  }

  # While an old and a new release run side by side, a page of one may ask the other for its assets.
  location @another-release {
    # Asked by a neighbour: nobody asks on. Nobody knows the neighbours: the browser asks again, the balancer chooses again.
    set $castle_elsewhere "$castle_peers$castle_again";
    if ($http_castle_asked) {
      set $castle_elsewhere "";
    }
    if ($castle_elsewhere = "") {
      include /etc/nginx/castle/headers.conf;
      add_header Cache-Control "no-store" always;
      return 404;
    }
    if ($castle_peers = "") {
      include /etc/nginx/castle/headers.conf;
      add_header Cache-Control "no-store" always;
      return 307 $castle_path?again=$castle_again;
    }
    # The neighbour's own headers say whose file it is and how long it lives.
    proxy_pass http://$castle_peers$request_uri;
    proxy_set_header Host $host;
    proxy_set_header Castle-Asked 1;
    proxy_pass_request_body off;
    proxy_connect_timeout 300ms;
    proxy_read_timeout 2s;
    # One after the other until one has it.
    proxy_next_upstream error timeout http_404 http_502 http_503 http_504;
    proxy_next_upstream_timeout 5s;
    proxy_intercept_errors on;
  }

  location ~ "/\\.(?!well-known/)" {
    include /etc/nginx/castle/headers.conf;
    return 404;
  }

  location = /404.html {
    include /etc/nginx/castle/headers.conf;
    add_header Cache-Control "no-cache" always;
    internal;
  }

  # Answers which release this is.
  location = /healthz {
    access_log off;
    default_type text/plain;
    include /etc/nginx/castle/headers.conf;
    add_header Cache-Control "no-store" always;
    return 200 "${release}\\n";
  }
}
`;
}
