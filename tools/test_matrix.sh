#!/usr/bin/env bash
# Runs the tests as they would run on other machines, and prints a table.
#   tools/test_matrix.sh [ROW…] [-- PYTEST-ARGUMENT…]
# Rows, all of them unless some are named:
#   kernels   with each BLAS kernel of OpenBLAS that this processor can run; or name one: Haswell SkylakeX Zen Prescott
#   pythons   with each Python that is found here; or name one: 3.11 3.12 3.13 3.14
#   load      three times in a row, beside four busy loops
#   order     three times in random order; the seed is in the table (repeat one: pytest -p randomly --randomly-seed=N)
# Arguments behind -- go to pytest, such as a part of the tests: tools/test_matrix.sh kernels -- tests/core
# PYTHON names the interpreter of all rows but pythons (default: .venv/bin/python). Logs: build/matrix/.
# The exit status is 1 if a row failed. A row that cannot run here is shown as skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
folder=build/matrix
kernels=(Haswell SkylakeX Zen Prescott)
pythons=(3.11 3.12 3.13 3.14)

rows=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    case $1 in
    kernels) rows+=("${kernels[@]}") ;;
    pythons) rows+=("${pythons[@]}") ;;
    load | order | Haswell | SkylakeX | Zen | Prescott | 3.1[1-9]) rows+=("$1") ;;
    *)
        echo "test_matrix: no row $1; known: kernels ${kernels[*]} pythons ${pythons[*]} load order" >&2
        exit 2
        ;;
    esac
    shift
done
[ "${1:-}" != -- ] || shift
arguments=("$@")
[ ${#rows[@]} -gt 0 ] || rows=("${kernels[@]}" "${pythons[@]}" load order)

loops=() table=() failures=0
end_loops() {
    [ ${#loops[@]} -eq 0 ] || kill "${loops[@]}" 2>/dev/null || true
    loops=()
}
trap end_loops EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# What may be set here would decide the kernels of every row.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
mkdir -p "$folder"

skip() { # skip NAME REASON
    table+=("$(printf '%-24s skipped: %s' "$1" "$2")")
}

run() { # run NAME INTERPRETER [PYTEST-ARGUMENT…]
    local name=$1 interpreter=$2 started=$SECONDS status=0 log passed failed
    shift 2
    log=$folder/${name// /-}.log
    echo "test_matrix: $name (log: $log)" >&2
    "$interpreter" -m pytest -q -n auto "$@" ${arguments[@]+"${arguments[@]}"} >"$log" 2>&1 || status=$?
    # The last line is as "1 failed, 3918 passed, 1 error in 370.09s (0:06:10)".
    read -r passed failed < <(awk '
        / in [0-9.]+s/ { passed = failed = 0
            for (i = 2; i <= NF; i++) { if ($i ~ /^passed/) passed = $(i - 1); if ($i ~ /^(failed|error)/) failed += $(i - 1) } }
        END { print passed + 0, failed + 0 }' "$log")
    table+=("$(printf '%-24s %7d %7d %8d' "$name" "$passed" "$failed" $((SECONDS - started)))")
    if [ "$status" -ne 0 ]; then
        failures=$((failures + 1))
        table[-1]+="  exit status $status"
        grep -E '^(FAILED|ERROR) ' "$log" >&2 || tail -n 5 "$log" >&2
    fi
}

kernel() { # kernel NAME
    local found
    found=$(OPENBLAS_CORETYPE=$1 "$python" -c '
import numpy, threadpoolctl
numpy.ones((64, 64), numpy.float32) @ numpy.ones((64, 64), numpy.float32)
print(*[pool.get("architecture") for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"])' 2>/dev/null) || found=crash
    # Builds of OpenBLAS may have one kernel under two names: Zen's is then Haswell's, and Prescott's is called Katmai.
    case $1:$found in
    "$1:$1" | Zen:Haswell | Prescott:Katmai) ;;
    *)
        skip "$1" "asked for this kernel, BLAS has ${found:-none that can be chosen}"
        return
        ;;
    esac
    export OPENBLAS_CORETYPE=$1
    run "$1" "$python" -p no:randomly
    unset OPENBLAS_CORETYPE
}

interpreter_of() { # interpreter_of VERSION: the newest one on the path or of pyenv
    local root candidate
    root=${PYENV_ROOT:-$(pyenv root 2>/dev/null || echo "$HOME/.pyenv")}
    for candidate in "$(command -v "python$1" || true)" "$root/versions/$1".*/bin/python; do
        if [ -x "$candidate" ] && "$candidate" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$1')" 2>/dev/null; then
            echo "$candidate"
        fi
    done | tail -n 1
}

version() { # version NUMBER
    local interpreter venv=$folder/python$1
    interpreter=$(interpreter_of "$1")
    if [ -z "$interpreter" ]; then
        skip "Python $1" "not found on the path or in pyenv"
    elif PYTHON=$interpreter tools/setup.sh "$venv" dev; then
        run "Python $1" "$venv/bin/python" -p no:randomly
    else
        failures=$((failures + 1))
        table+=("$(printf '%-24s cannot be set up; the reason stands above' "Python $1")")
    fi
}

load() {
    local turn
    for _ in 1 2 3 4; do
        (while :; do :; done) &
        loops+=($!)
    done
    for turn in 1 2 3; do
        run "load $turn" "$python" -p no:randomly
    done
    end_loops
}

order() {
    local seed
    for _ in 1 2 3; do
        seed=$((RANDOM * 32768 + RANDOM))
        echo "test_matrix: seed $seed" >&2
        run "order $seed" "$python" -p "randomly" --randomly-seed="$seed"
    done
}

for row in "${rows[@]}"; do
    case $row in
    load) load ;;
    order) order ;;
    3.*) version "$row" ;;
    *) kernel "$row" ;;
    esac
done

printf '\n%-24s %7s %7s %8s\n' row passed failed seconds
printf '%s\n' "${table[@]}"
[ "$failures" -eq 0 ]
