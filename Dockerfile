# Two images, one for each side of the repository of versions:
#   docker build --target pipelines .    trains and publishes: Prefect, no gRPC
#   docker build --target service .      serves what was published: gRPC, no Prefect
# Layers are ordered by how often they change, so that a change of code does not reinstall the packages.
FROM python:3.11-slim AS base

# The requirements of each side, extracted from pyproject.toml, so that changes to its other tables reinstall nothing either.
FROM base AS requirements
WORKDIR /requirements
COPY pyproject.toml ./
RUN for side in pipelines service; do \
        python -c "import sys, tomllib; project = tomllib.load(sys.stdin.buffer)['project']; \
            print(*project['dependencies'], *project['optional-dependencies']['$side'], sep='\n')" \
            < pyproject.toml > $side.txt || exit 1; \
    done

# A virtual environment for each side, without pip and without the packages' tests and C sources.
FROM base AS venv
ENV PIP_CACHE_DIR=/var/cache/pip
RUN python -m venv --without-pip /venv
COPY constraints.txt /requirements/

FROM venv AS pipelines-venv
COPY --from=requirements /requirements/pipelines.txt /requirements/
RUN --mount=type=cache,target=/var/cache/pip \
    pip --python /venv/bin/python install -r /requirements/pipelines.txt -c /requirements/constraints.txt \
    && find /venv \( -type d -name tests -o -name '*.c' \) -prune -exec rm -rf {} + \
    && ! /venv/bin/python -c "import grpc" 2>/dev/null

FROM venv AS service-venv
COPY --from=requirements /requirements/service.txt /requirements/
RUN --mount=type=cache,target=/var/cache/pip \
    pip --python /venv/bin/python install -r /requirements/service.txt -c /requirements/constraints.txt \
    && find /venv \( -type d -name tests -o -name '*.c' \) -prune -exec rm -rf {} + \
    && ! /venv/bin/python -c "import prefect" 2>/dev/null

# The code, compiled in advance: containers run on read-only file systems, where Python cannot store bytecode.
FROM base AS source
WORKDIR /app
COPY core core
COPY data/mnist data/mnist
COPY pipelines pipelines
COPY pretrained pretrained
COPY protos protos
COPY recipes recipes
COPY service service
RUN chmod -R a+rX . && python -m compileall -q --invalidation-mode unchecked-hash .

# What both images share. The user id is fixed, so that later images can read the same volumes.
FROM base AS runtime
ENV PATH=/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    NUMERAL_REPOSITORY=/models
RUN groupadd --gid 10001 numeral \
    && useradd --uid 10001 --gid numeral --no-create-home --home-dir /tmp --shell /usr/sbin/nologin numeral \
    && install -d -o numeral -g numeral /feedback /models
WORKDIR /app
STOPSIGNAL SIGTERM

FROM runtime AS pipelines
# A new volume inherits the owner of the folder that it is mounted over.
RUN install -d -o numeral -g numeral /data /prefect
ENV NUMERAL_DATA_DIR=/data \
    MPLCONFIGDIR=/tmp/matplotlib \
    PREFECT_HOME=/tmp/prefect
COPY --from=pipelines-venv /venv /venv
COPY --from=source /app/data data
COPY --from=source /app/recipes recipes
COPY --from=source /app/pretrained pretrained
COPY --from=source /app/core core
COPY --from=source /app/pipelines pipelines
USER 10001:10001
# Healthy once the scheduler polls for due runs, which is after the first training if one is needed, and for as long as
# runs end well. A check takes half a second of CPU time.
HEALTHCHECK --interval=15s --timeout=10s --start-period=15m --retries=3 CMD ["python", "-m", "pipelines", "health"]
ENTRYPOINT ["python", "-m", "pipelines"]
CMD ["schedule", "--cron", "0 3 * * *", "--train-if-empty"]

FROM runtime AS service
# A container's port can only be reached where it is published; docker-compose.yml publishes it on 127.0.0.1.
ENV NUMERAL_HOST=0.0.0.0 \
    NUMERAL_PORT=8500 \
    NUMERAL_ALLOW_INSECURE=yes-beyond-this-machine
COPY --from=service-venv /venv /venv
COPY --from=source /app/pretrained pretrained
COPY --from=source /app/core core
COPY --from=source /app/protos protos
COPY --from=source /app/service service
USER 10001:10001
EXPOSE 8500
HEALTHCHECK --interval=10s --timeout=5s --start-period=2m --retries=3 CMD ["python", "-m", "service", "health"]
ENTRYPOINT ["python", "-m", "service"]
CMD ["serve"]
