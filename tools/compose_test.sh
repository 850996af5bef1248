#!/bin/sh
# Brings docker-compose.yml and the profiles of deploy/ up for real, under a project, tags and ports of its own, lets
# tools/compose_probe.py look at them, and takes everything down again. Exit status: 0 if all checks passed, 1 if not; 2 where there is
# nothing to do it with.
#   tools/compose_test.sh [WHAT…]   default, a profile, tls-scale, observability-scale, together or upgrade; without any, all of these
#   COMPOSE_CHECK=PROGRAM           brings a compose project up and runs a command in it: PROGRAM FOLDER COMMAND…
#                                   No image comes from a registry then: deploy/test has stand-ins
#   UP_TIMEOUT=SECONDS              until everything must be healthy (default 600; the first training is part of it)
#   FIRST_PORT=NUMBER               of the seven ports of this machine that are used (default 18500)
#   PREVIOUS=REVISION               from which to upgrade; by default the latest release, or else the revision before
set -eu
cd "$(dirname "$0")/.."
root=$PWD
python=$root/.venv/bin/python
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
previous=${PREVIOUS:-$(git describe --tags --abbrev=0 2>/dev/null || echo HEAD~1)}
for name in $(env | sed -n 's/^\(NUMERAL_[A-Z_0-9]*\|PREFECT_[A-Z_]*\|COMPOSE_[A-Z_]*\|AWS_[A-Z_]*\)=.*/\1/p'); do unset "$name"; done
export COMPOSE_PROJECT_NAME=numeral-compose-test NUMERAL_TAG=compose-test
from=${FIRST_PORT:-18500}
export NUMERAL_PORT="$from" NUMERAL_WEB_PORT=$((from + 1)) NUMERAL_PREFECT_PORT=$((from + 2)) NUMERAL_WEB_TLS_PORT=$((from + 3)) \
    NUMERAL_PREFECT_TLS_PORT=$((from + 4)) NUMERAL_PROMETHEUS_PORT=$((from + 5)) NUMERAL_GRAFANA_PORT=$((from + 6))
export UP_TIMEOUT="${UP_TIMEOUT:-600}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

up() { # NAME FOLDER FILE…: bring the files of a folder up, try NAME, and take them down; with KEEP_DATA, but for the volumes
    name=$1 folder=$2
    shift 2
    project=$work/$name
    mkdir -p "$project"
    { # one file that includes the others: relative paths and .env are those of the folder, and there is no .env here
        printf 'include:\n  - project_directory: %s\n    env_file: /dev/null\n    path:\n' "$folder"
        for file in "$@"; do printf '      - %s\n' "$folder/$file"; done
    } >"$project/docker-compose.yml"
    echo "compose-test: $name: $*" >&2
    if [ -x "$compose_check" ]; then
        "$compose_check" "$project" "$python" "$root/tools/compose_probe.py" "$name"
    else
        with_engine "$project" "$name"
    fi
}

with_engine() ( # PROJECT NAME
    mkdir "$1/bin"
    printf '#!/bin/sh\nexec docker compose --env-file /dev/null --file %s "$@"\n' "$1/docker-compose.yml" >"$1/bin/compose"
    chmod +x "$1/bin/compose"
    PATH=$1/bin:$PATH
    finish() {
        status=$?
        [ $status = 0 ] || compose logs --no-color --tail 40 >&2 || true
        compose down --remove-orphans >/dev/null 2>&1 || true
        [ -n "${KEEP_DATA:-}" ] || compose down --volumes >/dev/null 2>&1 || true
        for image in pipelines service web cluster; do docker image rm "numeral-$image:$NUMERAL_TAG" >/dev/null 2>&1 || true; done
        exit $status
    }
    trap finish EXIT
    compose up --build --detach --wait --wait-timeout "$UP_TIMEOUT" || {
        echo "compose-test: FAILED: the containers did not come up" >&2
        exit 1
    }
    "$python" "$root/tools/compose_probe.py" "$2"
)

files() { # PROFILE…: the files of profiles, each with its stand-in where images come from no registry
    printf 'docker-compose.yml'
    for profile in "$@"; do
        printf ' deploy/compose.%s.yml' "$profile"
        if [ -x "$compose_check" ] && [ -f "deploy/test/compose.$profile.yml" ]; then printf ' deploy/test/compose.%s.yml' "$profile"; fi
    done
}

everything="default postgres s3 observability tls scale tls-scale observability-scale together upgrade"
what=${*:-$everything}
if [ "$what" != "${what#* }" ]; then # several: each by itself, so that the first that fails does not end the rest
    failed=
    for one in $what; do
        PREVIOUS=$previous COMPOSE_CHECK=$compose_check "$root/tools/compose_test.sh" "$one" || failed="$failed $one"
    done
    [ -z "$failed" ] || {
        echo "compose-test: FAILED:$failed" >&2
        exit 1
    }
    echo "compose-test: everything passed" >&2
    exit 0
fi

case $what in
    default) up default "$root" $(files) ;;
    postgres)
        export NUMERAL_POSTGRES_PASSWORD=onlyForTheTest1
        up postgres "$root" $(files postgres)
        ;;
    s3)
        export NUMERAL_S3_KEY=onlyForTheTest NUMERAL_S3_SECRET=onlyForTheTest1
        up s3 "$root" $(files s3 s3-server)
        ;;
    observability) up observability "$root" $(files observability) ;;
    observability-scale) up observability-scale "$root" $(files observability scale observability-scale) ;;
    tls | tls-scale | together)
        export NUMERAL_HOST_NAME=numeral.example.org NUMERAL_SECRETS="$work/secrets"
        deploy/tls/make-secrets.sh "$NUMERAL_SECRETS" "$NUMERAL_HOST_NAME" >/dev/null
        case $what in
            tls) up tls "$root" $(files tls) ;;
            tls-scale) up tls-scale "$root" $(files tls scale tls-scale) ;;
            together)
                export NUMERAL_POSTGRES_PASSWORD=onlyForTheTest1 NUMERAL_S3_KEY=onlyForTheTest NUMERAL_S3_SECRET=onlyForTheTest1
                up together "$root" $(files postgres s3 s3-server observability tls scale tls-scale observability-scale)
                ;;
        esac
        ;;
    scale)
        export NUMERAL_ACCESS_LOG=true
        up scale "$root" $(files scale)
        ;;
    upgrade) # two revisions, one after the other, with the same volumes
        export COMPOSE_PROJECT_NAME=numeral-compose-upgrade COMPOSE_TEST_STATE="$work/state.json"
        mkdir "$work/previous"
        git archive --output "$work/previous.tar" "$previous"
        tar -x -C "$work/previous" -f "$work/previous.tar"
        echo "compose-test: from $(git describe --always "$previous")" >&2
        NUMERAL_TAG=compose-test-previous KEEP_DATA=yes up before-upgrade "$work/previous" docker-compose.yml
        up upgrade "$root" $(files)
        ;;
    *)
        echo "compose-test: found $what, expected some of: $everything" >&2
        exit 2
        ;;
esac
