#!/bin/sh
# Makes a virtual environment and installs the project in it, with the versions of constraints.txt.
#   tools/setup.sh FOLDER EXTRA[,EXTRA…]
# uv is used where it is found (it is faster), pip where it is not or where uv fails.
set -eu
venv=$1 extras=$2 python=${PYTHON:-python3}

# What people set for the installs of their own would send the packages elsewhere, or nowhere. Indexes and proxies stay.
unset PYTHONHOME PYTHONPATH PIP_TARGET PIP_PREFIX PIP_ROOT PIP_DRY_RUN PIP_NO_DEPS PIP_PYTHON UV_TARGET UV_PREFIX UV_SYSTEM_PYTHON
export PIP_USER=0 # rather than unset: pip.conf may say so, too

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
    echo "setup: $("$python" --version 2>&1 || echo "no $python"), expected Python 3.11 or newer; name one: make PYTHON=python3.12 …" >&2
    exit 1
}
if [ ! -x "$venv/bin/python" ]; then
    "$python" -m venv "$venv" || {
        rm -rf "$venv"
        echo "setup: python3 -m venv does not work here; on Debian and Ubuntu: apt install python3-venv" >&2
        exit 1
    }
fi

started=$(date +%s)
echo "setup: installing .[$extras] into $venv (a minute or so the first time)" >&2
with_uv() {
    command -v uv >/dev/null 2>&1 && uv pip install --quiet --python "$venv/bin/python" "$@" 2>/dev/null
}
install() {
    with_uv "$@" || "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@" 2>"$venv/pip.log" || {
        cat "$venv/pip.log" >&2
        echo "setup: pip could not install $*; the reason stands above" >&2
        exit 1
    }
}
install --constraint constraints.txt --editable ".[$extras]"
"$venv/bin/python" -c 'import numpy, pydantic_settings' 2>/dev/null || {
    echo "setup: pip reports success, but the packages are not in $venv; does pip.conf send them elsewhere? See: pip config list" >&2
    exit 1
}
case ",$extras," in *,dev,*)
    # The stubs must load under protobuf 6 and 7: the tests run them with this second one as well.
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target "$venv/protobuf-7" "protobuf==7.36.2" 2>"$venv/pip.log" || {
        cat "$venv/pip.log" >&2
        exit 1
    } ;;
esac
echo "setup: done in $(($(date +%s) - started)) s" >&2
