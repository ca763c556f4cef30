# Made by castle publish --dockerfile for those who build with buildah or Docker; castle publish needs neither.
#   docker build --build-arg RELEASE=SITE-$(git rev-parse --short=12 HEAD) \
#     --build-arg COMMITTED=$(TZ=UTC git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd) .
ARG BUILDER=docker.io/hugomods/hugo:std-0.165.0
ARG BASE=docker.io/library/nginx@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa

# Stage 1: the pages, and what nginx is told of them.
FROM ${BUILDER} AS builder
USER 0
ENV TZ=UTC LC_ALL=C LANG=C CI=true GOPROXY=off HUGO_SECURITY_HTTP_URLS=none
WORKDIR /src
COPY . .
ARG COMMITTED
RUN hugo --minify --panicOnWarning --noBuildLock --clock "$COMMITTED" --destination /site/srv/site
RUN chmod -R u=rwX,go=rX /site
# A time made from the content: nginx makes its ETag from time and size, and an edit may keep the size.
RUN cd /site/srv/site && find . -type f | while read -r file; do \
      hash=$(sha256sum "$file" | cut -c 1-8) && \
      touch -d "@$((1000000000 + 0x$hash % 536870912))" "$file" || exit 1; \
    done
# Compressed once here instead of at every request.
RUN cd /site/srv/site && find . -type f -size +1023c \( -iname '*.css' -o -iname '*.csv' -o -iname '*.htm' -o -iname '*.html' -o -iname '*.js' -o -iname '*.json' -o -iname '*.map' -o -iname '*.md' -o -iname '*.mjs' -o -iname '*.rss' -o -iname '*.svg' -o -iname '*.ttf' -o -iname '*.txt' -o -iname '*.wasm' -o -iname '*.webmanifest' -o -iname '*.xml' -o -iname '*.xsl' \) | \
    while read -r file; do \
      [ -e "$file.gz" ] || { gzip -9nc "$file" > "$file.gz" && touch -r "$file" "$file.gz"; } || exit 1; \
    done
ARG RELEASE
RUN mkdir -p /site/etc/nginx/castle && printf '%s\n' \
      'add_header Castle-Release "@RELEASE@" always;' \
      '# A file'\''s time is made from its content: it says nothing about when. The ETag that comes from it stays.' \
      'add_header Last-Modified "";' \
      'add_header X-Content-Type-Options "nosniff" always;' \
      'add_header X-Frame-Options "DENY" always;' \
      'add_header Referrer-Policy "strict-origin-when-cross-origin" always;' \
    | sed "s/@RELEASE@/${RELEASE:?docker build --build-arg RELEASE=TAG}/" > /site/etc/nginx/castle/headers.conf
RUN mkdir -p /site/etc/nginx/conf.d && printf '%s\n' \
      '# How often an asset was asked for again, and the next count; empty: that is enough.' \
      'map $arg_again $castle_again {' \
      '  default "";' \
      '  "" 1; 1 2; 2 3; 3 4; 4 5; 5 6; 6 7; 7 8; 8 9; 9 10; 10 11; 11 12;' \
      '}' \
      '# As it was sent, still encoded: a decoded one could hold line ends.' \
      'map $request_uri $castle_path {' \
      '  "~^(?<path>[^?]*)" $path;' \
      '}' \
      '' \
      'server {' \
      '  listen 80;' \
      '  server_name _;' \
      '  root /srv/site;' \
      '  index index.html;' \
      '  charset utf-8;' \
      '  server_tokens off;' \
      '  sendfile on;' \
      '  gzip_static on;' \
      '  gzip_vary on;' \
      '  # The port inside is not the port outside: redirects name the path only.' \
      '  absolute_redirect off;' \
      '  error_page 404 /404.html;' \
      '' \
      '  # A cluster that knows the site'\''s other pods says so here: peers.conf sets $castle_peers (HOST:PORT) and a resolver.' \
      '  set $castle_peers "";' \
      '  include /etc/nginx/peers/*.conf;' \
      '' \
      '  # Pages: asked for again each time, answered 304 while their content is the same.' \
      '  location / {' \
      '    include /etc/nginx/castle/headers.conf;' \
      '    add_header Cache-Control "no-cache" always;' \
      '    try_files $uri $uri/ =404;' \
      '  }' \
      '' \
      '  # Names that carry a hash of their content never change what they mean.' \
      '  location ~* "[._-][0-9a-f]{16,128}\.[a-z0-9]+$" {' \
      '    include /etc/nginx/castle/headers.conf;' \
      '    add_header Cache-Control "public, max-age=31536000, immutable";' \
      '    try_files $uri @another-release;' \
      '  }' \
      '' \
      '  # What pages are made of.' \
      '  location ~* "\.(?:avif|css|gif|ico|jpe?g|js|json|map|mjs|mp3|mp4|ogg|pdf|png|svg|ttf|wasm|webm|webmanifest|webp|woff2?)$" {' \
      '    include /etc/nginx/castle/headers.conf;' \
      '    add_header Cache-Control "no-cache" always;' \
      '    try_files $uri @another-release;' \
      '  }' \
      '' \
      '  # While an old and a new release run side by side, a page of one may ask the other for its assets.' \
      '  location @another-release {' \
      '    # Asked by a neighbour: nobody asks on. Nobody knows the neighbours: the browser asks again, the balancer chooses again.' \
      '    set $castle_elsewhere "$castle_peers$castle_again";' \
      '    if ($http_castle_asked) {' \
      '      set $castle_elsewhere "";' \
      '    }' \
      '    if ($castle_elsewhere = "") {' \
      '      include /etc/nginx/castle/headers.conf;' \
      '      add_header Cache-Control "no-store" always;' \
      '      return 404;' \
      '    }' \
      '    if ($castle_peers = "") {' \
      '      include /etc/nginx/castle/headers.conf;' \
      '      add_header Cache-Control "no-store" always;' \
      '      return 307 $castle_path?again=$castle_again;' \
      '    }' \
      '    # The neighbour'\''s own headers say whose file it is and how long it lives.' \
      '    proxy_pass http://$castle_peers$request_uri;' \
      '    proxy_set_header Host $host;' \
      '    proxy_set_header Castle-Asked 1;' \
      '    proxy_pass_request_body off;' \
      '    proxy_connect_timeout 300ms;' \
      '    proxy_read_timeout 2s;' \
      '    # One after the other until one has it.' \
      '    proxy_next_upstream error timeout http_404 http_502 http_503 http_504;' \
      '    proxy_next_upstream_timeout 5s;' \
      '    proxy_intercept_errors on;' \
      '  }' \
      '' \
      '  location ~ "/\.(?!well-known/)" {' \
      '    include /etc/nginx/castle/headers.conf;' \
      '    return 404;' \
      '  }' \
      '' \
      '  location = /404.html {' \
      '    include /etc/nginx/castle/headers.conf;' \
      '    add_header Cache-Control "no-cache" always;' \
      '    internal;' \
      '  }' \
      '' \
      '  # Answers which release this is.' \
      '  location = /healthz {' \
      '    access_log off;' \
      '    default_type text/plain;' \
      '    include /etc/nginx/castle/headers.conf;' \
      '    add_header Cache-Control "no-store" always;' \
      '    return 200 "@RELEASE@\n";' \
      '  }' \
      '}' \
    | sed "s/@RELEASE@/${RELEASE:?docker build --build-arg RELEASE=TAG}/" > /site/etc/nginx/conf.d/default.conf

# Stage 2: the server and the pages, without compiler and source.
FROM ${BASE}
COPY --from=builder /site/ /
EXPOSE 80
