#!/bin/sh
# Brings docker-compose.yml up for real, under a project, tags and ports of its own, lets tools/compose_probe.py look
# at it, and takes everything down again. Exit status: the probe's; 2 where there is nothing to do it with.
#   COMPOSE_CHECK=PROGRAM  brings a compose project up and runs a command in it: PROGRAM FOLDER COMMAND…
#   UP_TIMEOUT=SECONDS     until everything must be healthy (default 600; the first training is part of it)
set -eu
cd "$(dirname "$0")/.."
python=$PWD/.venv/bin/python
compose_check=${COMPOSE_CHECK:-../shared/tools/compose-check}

if [ ! -x "$compose_check" ] && { ! docker compose version || ! docker info; } >/dev/null 2>&1; then
    echo "compose-test: neither a Docker engine with compose nor $compose_check is here: docker-compose.yml was not tried" >&2
    exit 2
fi
if [ ! -x "$python" ]; then
    echo "compose-test: no .venv here, whose client calls the service; make it with: make setup" >&2
    exit 2
fi

# Nothing that the person who runs this has set, and nothing of a project that runs here already.
for name in $(env | sed -n 's/^\(NUMERAL_[A-Z_]*\|PREFECT_[A-Z_]*\|COMPOSE_[A-Z_]*\)=.*/\1/p'); do unset "$name"; done
export COMPOSE_PROJECT_NAME=numeral-compose-test NUMERAL_TAG=compose-test NUMERAL_PORT=18500 NUMERAL_PREFECT_PORT=14200
export UP_TIMEOUT="${UP_TIMEOUT:-600}"

if [ -x "$compose_check" ]; then
    exec "$compose_check" "$PWD" "$python" tools/compose_probe.py
fi

bin=$(mktemp -d)
printf '#!/bin/sh\nexec docker compose --env-file /dev/null "$@"\n' >"$bin/compose"
chmod +x "$bin/compose"
PATH=$bin:$PATH
finish() {
    status=$?
    [ $status = 0 ] || compose logs --no-color --tail 40 >&2 || true
    compose down --volumes --remove-orphans --rmi all >/dev/null 2>&1 || true
    rm -rf "$bin"
    exit $status
}
trap finish EXIT
trap 'exit 130' INT TERM
compose up --build --detach --wait --wait-timeout "$UP_TIMEOUT" || {
    echo "compose-test: FAILED: the containers did not come up" >&2
    exit 1
}
"$python" tools/compose_probe.py
