# Builds the one binary, then puts it beside nothing but certificates and the C library.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY src src
COPY benches benches
RUN cargo build --release --locked --bin onair

FROM debian:bookworm-slim
# Without ca-certificates no HTTPS client can be built, and the service does not start.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin onair \
    && install -d -o onair -g onair -m 0700 /data
COPY --from=build /src/target/release/onair /usr/local/bin/onair
# A volume is mounted as root's; it is handed over, and the service itself never runs as root.
RUN printf '%s\n' '#!/bin/sh' \
    'if [ "$(id -u)" = 0 ]; then' \
    '  chown onair:onair /data' \
    '  exec setpriv --reuid=onair --regid=onair --clear-groups --no-new-privs /usr/local/bin/onair "$@"' \
    'fi' \
    'exec /usr/local/bin/onair "$@"' > /usr/local/bin/start && chmod 0755 /usr/local/bin/start
ENV ONAIR_DATA=/data ONAIR_LOG=json
EXPOSE 8080
VOLUME /data
# Work in flight has 25 seconds after it, and the last traces three: `docker stop --time 30`.
STOPSIGNAL SIGTERM
# Alive, not ready: a service whose store is away still answers people, and a restart would not bring the store back.
HEALTHCHECK --interval=15s --timeout=5s --start-period=5s CMD ["/usr/local/bin/onair", "check", "--alive"]
ENTRYPOINT ["/usr/local/bin/start"]
CMD ["serve"]
