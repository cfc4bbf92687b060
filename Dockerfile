# syntax=docker/dockerfile:1
# The assistant in a container: built here, run as an unprivileged user on a read-only root.
# Whatever changes while it runs is under /data. Needs BuildKit.

ARG RUST_IMAGE=rust:1.95.0-slim-bookworm
ARG NODE_IMAGE=node:24-bookworm-slim
ARG RUN_IMAGE=debian:12-slim

# htmx, at the version and digest that package-lock.json seals. A stage of its own: a missing htmx
# stops this build, where build.rs would only warn.
FROM ${NODE_IMAGE} AS htmx
WORKDIR /htmx
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/htmx-cache,sharing=locked \
    npm ci --cache /htmx-cache --ignore-scripts --omit-lockfile-registry-resolved --no-audit --no-fund

# The program. The compiler's Debian release is the one it runs on: same libc.
FROM ${RUST_IMAGE} AS program
WORKDIR /build
COPY Cargo.toml Cargo.lock askama.toml build.rs package.json package-lock.json ./
COPY --from=htmx /htmx/node_modules/htmx.org node_modules/htmx.org
# Cargo reads where benches stand, though none is built.
COPY benches benches
COPY migrations migrations
COPY src src
ENV CARGO_TERM_COLOR=never CARGO_INCREMENTAL=0
# Dependencies take 15 to 25 minutes on two cores: the caches keep them from one build to the next.
# Cargo goes by the dates of files, which a checkout may set back: ours are always taken as changed.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/build/target,sharing=locked \
    find build.rs migrations src -type f -exec touch {} + \
    && cargo build --release --locked --bin assistant \
    && install -D -m 0755 target/release/assistant /out/assistant

# What it knows. `prompts` is one of the folders a home may hold; a checkout without it is whole.
FROM ${RUN_IMAGE} AS home
COPY . /context
WORKDIR /home-of-assistant
RUN cp -R /context/corpus /context/models . \
    && if [ -d /context/prompts ]; then cp -R /context/prompts .; fi \
    && chmod -R a=rX,u+w .

FROM ${RUN_IMAGE}

ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="datanormandie-assistant" \
      org.opencontainers.image.description="A public, sourced assistant for Normandy's open data and data/AI programmes" \
      org.opencontainers.image.licenses="EUPL-1.2" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# A fixed number, so that the owner of a volume is known beforehand.
RUN groupadd --system --gid 10001 assistant \
    && useradd --system --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin assistant \
    && install -d -o 10001 -g 10001 -m 0750 /data

COPY LICENSE /usr/share/doc/datanormandie-assistant/LICENSE
COPY --chmod=0755 deploy/healthcheck /usr/local/bin/healthcheck
COPY --from=home /home-of-assistant /usr/share/datanormandie-assistant
COPY --from=program /out/assistant /usr/local/bin/assistant

# Every address, since a container's own loopback is out of reach from outside it.
ENV ASSISTANT_HOME=/usr/share/datanormandie-assistant \
    ASSISTANT_DATA_DIR=/data \
    ASSISTANT_ADDR=0.0.0.0:8080

USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8080
STOPSIGNAL SIGTERM

# Healthy: questions are answered. The first start builds the index, for some minutes.
HEALTHCHECK --interval=30s --timeout=5s --start-period=15m --start-interval=5s --retries=3 \
    CMD ["/usr/local/bin/healthcheck"]

ENTRYPOINT ["/usr/local/bin/assistant"]
CMD ["serve"]
