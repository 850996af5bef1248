# Three images, one for each side of the repository of versions, and one for the page:
#   docker build --target pipelines .    trains and publishes: Prefect, no gRPC
#   docker build --target service .      serves what was published: gRPC, no Prefect
#   docker build --target web .          shows a page, and asks the service: neither Prefect nor access to any version
# Layers are ordered by how often they change, so that a change of code does not reinstall the packages.
FROM python:3.11-slim AS base

# What runs in the end: the base without what installs or builds packages, so that nothing can be added to a container, and
# with the standard library compiled. The image has no bytecode of it, and a container, whose file system is read-only, could
# not keep any: each command and each health check would compile what it imports.
FROM base AS trimmed
RUN library=$(python -c "import sysconfig; print(sysconfig.get_path('stdlib'))") && cd "$library" \
    && rm -rf site-packages/* ensurepip idlelib lib2to3 test tkinter turtledemo turtle.py config-* \
        /usr/local/include /usr/local/bin/pip* /usr/local/bin/idle* /usr/local/bin/2to3* /usr/local/bin/*-config \
    && find . -name __pycache__ -prune -exec rm -rf {} + \
    && python -m compileall -q --invalidation-mode unchecked-hash .

# The requirements of each side, extracted from pyproject.toml, so that changes to its other tables reinstall nothing either.
FROM base AS requirements
WORKDIR /requirements
COPY pyproject.toml ./
RUN for side in pipelines service web; do \
        python -c "import sys, tomllib; project = tomllib.load(sys.stdin.buffer)['project']; \
            versions = ('obstore', 'safetensors', 'threadpoolctl') if '$side' == 'web' else (); \
            needed = [line for line in project['dependencies'] if not line.startswith(versions)]; \
            print(*needed, *project['optional-dependencies']['$side'], sep='\n')" \
            < pyproject.toml > $side.txt || exit 1; \
    done

# A virtual environment for each side, without pip, and without what only tests, type checkers and compilers read. Its
# bytecode does not depend on when a file was written, so that the same packages give the same bytes.
FROM base AS venv
ENV PIP_CACHE_DIR=/var/cache/pip
RUN python -m venv --without-pip /venv
COPY constraints.txt /requirements/

# What lists the packages of an environment, for the people who have to know what they run: the images do not contain it.
FROM venv AS materials
RUN --mount=type=cache,target=/var/cache/pip \
    python -m venv --without-pip /tool \
    && pip --python /tool/bin/python install cyclonedx-bom -c /requirements/constraints.txt
COPY tools/bill_of_materials.py /tool/

FROM venv AS pipelines-venv
COPY --from=requirements /requirements/pipelines.txt /requirements/
RUN --mount=type=cache,target=/var/cache/pip \
    pip --python /venv/bin/python install --no-compile -r /requirements/pipelines.txt -c /requirements/constraints.txt \
    && find /venv \( -type d -name tests -o -name '*.[ach]' -o -name '*.py[ix]' -o -name '*.pxd' \) -prune -exec rm -rf {} + \
    && python -m compileall -q --invalidation-mode unchecked-hash /venv/lib \
    && ! /venv/bin/python -c "import grpc" 2>/dev/null
RUN --mount=type=bind,from=materials,source=/tool,target=/tool \
    /tool/bin/python /tool/bill_of_materials.py numeral-pipelines /venv

FROM venv AS service-venv
COPY --from=requirements /requirements/service.txt /requirements/
RUN --mount=type=cache,target=/var/cache/pip \
    pip --python /venv/bin/python install --no-compile -r /requirements/service.txt -c /requirements/constraints.txt \
    && find /venv \( -type d -name tests -o -name '*.[ach]' -o -name '*.py[ix]' -o -name '*.pxd' \) -prune -exec rm -rf {} + \
    && python -m compileall -q --invalidation-mode unchecked-hash /venv/lib \
    && ! /venv/bin/python -c "import prefect" 2>/dev/null
RUN --mount=type=bind,from=materials,source=/tool,target=/tool \
    /tool/bin/python /tool/bill_of_materials.py numeral-service /venv

FROM venv AS web-venv
COPY --from=requirements /requirements/web.txt /requirements/
RUN --mount=type=cache,target=/var/cache/pip \
    pip --python /venv/bin/python install --no-compile -r /requirements/web.txt -c /requirements/constraints.txt \
    && find /venv \( -type d -name tests -o -name '*.[ach]' -o -name '*.py[ix]' -o -name '*.pxd' \) -prune -exec rm -rf {} + \
    && python -m compileall -q --invalidation-mode unchecked-hash /venv/lib \
    && ! /venv/bin/python -c "import prefect" 2>/dev/null \
    && ! /venv/bin/python -c "import obstore" 2>/dev/null
RUN --mount=type=bind,from=materials,source=/tool,target=/tool \
    /tool/bin/python /tool/bill_of_materials.py numeral-web /venv

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

# What all images share, as one layer, in which nothing lies hidden that was removed. The user id is fixed, so that later images
# can read the same volumes.
FROM scratch AS runtime
COPY --from=trimmed / /
ENV PATH=/venv/bin:/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8 \
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
HEALTHCHECK --interval=15s --timeout=10s --start-period=15m --retries=3 CMD ["python", "-m", "pipelines", "health", "--scheduler"]
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

FROM runtime AS web
ENV NUMERAL_WEB_HOST=0.0.0.0 \
    NUMERAL_WEB_PORT=8080 \
    NUMERAL_WEB_ALLOW_INSECURE=yes-beyond-this-machine
COPY --from=web-venv /venv /venv
COPY --from=source /app/core core
COPY --from=source /app/protos protos
COPY --from=source /app/service service
USER 10001:10001
EXPOSE 8080
# Healthy while the web server itself is: without the service, it shows a page that says so.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["python", "-IS", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["python", "-m", "service"]
CMD ["web"]
