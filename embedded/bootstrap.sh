#!/bin/sh
# Sets the project up: uv, a Python environment pinned by hashes, the jars. Quick and offline once done.
set -u

cd "$(dirname "$0")/.." || exit 1
home=${TIDEMARK_HOME:-.tidemark}
stamp=.venv/.set-up

say() { printf '== %s\n' "$1"; }
fail() {
    printf 'error: %s\n' "$1" >&2
    exit 1
}

# What the environment follows from; the path is in it because an environment does not survive being moved.
wanted="$PWD $(cat requirements.lock pyproject.toml embedded/bootstrap.sh | cksum)" ||
    fail "requirements.lock or pyproject.toml cannot be read; restore them with git checkout"

find_uv() {
    uv=$(command -v uv) && return
    uv=$home/uv/bin/uv
    [ -x "$uv" ] && return
    python=$(command -v python3 || command -v python) ||
        fail "neither uv nor Python 3 is on the PATH; install either and run the command again"
    say "fetching uv with $python"
    mkdir -p "$home" || fail "the state folder $home cannot be made; set TIDEMARK_HOME to a folder you may write to"
    log=$home/uv.log
    # Some systems split pip or venv off, some forbid installing into their Python: a folder of its own suits all.
    # The plain one is made 3 s sooner.
    "$python" -m pip install -q --target "$home/uv" uv >"$log" 2>&1 && [ -x "$uv" ] && return
    rm -rf "$home/uv"
    { "$python" -m venv "$home/uv" && "$home/uv/bin/python" -m pip install -q uv; } >>"$log" 2>&1 && return
    rm -rf "$home/uv"
    fail "uv cannot be fetched with $python ($(tail -n 1 "$log")); see that the network is up, or install uv or the system's python3-venv package (details: $log)"
}

find_python() {
    for version in 3.11 3.12; do
        "$uv" python find -q --system --no-python-downloads "$version" >/dev/null 2>&1 && return
    done
    version=3.11 # none here: uv brings one
}

usable() {
    .venv/bin/python -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null || return 1
    case $(cat "$stamp" 2>/dev/null) in "" | "$PWD "*) ;; *) return 1 ;; esac
}

make_environment() {
    find_uv
    if ! usable; then
        find_python
        say "making the environment .venv with Python $version (about 2 GB, a minute or more at first)"
        rm -rf .venv
        "$uv" venv -q --python "$version" .venv ||
            fail "no environment with Python $version could be made; see that the network is up and .venv may be written to, then run the command again"
    else
        say "bringing the environment .venv up to requirements.lock"
    fi
    rm -f "$stamp"
    export VIRTUAL_ENV="$PWD/.venv" SLUGIFY_USES_TEXT_UNIDECODE=yes
    "$uv" pip sync -q --require-hashes requirements.lock ||
        fail "the packages of requirements.lock could not be installed (the reason stands above); see that the network is up and the disk has 3 GB free, then run the command again"
    "$uv" pip install -q --no-deps --editable . ||
        fail "the project itself could not be installed into .venv (the reason stands above)"
    printf '%s\n' "$wanted" >"$stamp"
}

if [ ! -x .venv/bin/python ] || [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    make_environment
fi
if [ ! -f "$home/jars/kafka/.checked" ] || [ ! -f "$home/jars/flink/.checked" ]; then
    say "fetching the jars of the broker and the stream job"
    .venv/bin/python -m embedded.jars || exit 1
fi
