# The console, the program, and nothing else.

FROM node:20-slim AS console
WORKDIR /src/web/console
COPY web/console/package.json web/console/package-lock.json web/console/.npmrc ./
RUN npm ci
COPY web/console ./
RUN npm run build

FROM rust:1.95-slim-bookworm AS program
RUN apt-get update && apt-get install -y --no-install-recommends build-essential && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
COPY --from=console /src/web/console/dist web/console/dist
RUN cargo build --release --locked --package patchbay-web && cp target/release/patchbay /patchbay

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates postgresql-15 \
    && rm -rf /var/lib/apt/lists/* && useradd --system --home-dir /var/lib/patchbay --create-home patchbay
COPY --from=program /patchbay /usr/local/bin/patchbay
USER patchbay
WORKDIR /var/lib/patchbay
ENV PATCHBAY_SERVER__LISTEN=0.0.0.0:8080 PATCHBAY_DATA__DIR=/var/lib/patchbay
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /readyz HTTP/1.0\\r\\n\\r\\n' >&3 && head -1 <&3 | grep -q 200"]
ENTRYPOINT ["patchbay"]
CMD ["serve"]
