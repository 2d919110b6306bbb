#!/usr/bin/env bash
# Everything a change must pass, in the order in which failures are cheapest to find. Stops at the first.
#   deploy/test.sh          all of it
#   deploy/test.sh static   without the tests
set -eu -o pipefail

cd "$(dirname "$0")/.."
# the many processes the tests start would read every source anew without it
unset PYTHONDONTWRITEBYTECODE
started=$SECONDS

step() {
    printf '\n== %s (%d s since the start)\n' "$*" "$((SECONDS - started))"
    "$@"
}

# exit code 5: nothing was collected, which is no failure for a marked part of the suite
slow_tests() {
    local code=0
    .venv/bin/pytest -m slow "$@" || code=$?
    [ "$code" = 5 ] || return "$code"
}

step .venv/bin/ruff check .
step .venv/bin/ruff format --check .
step .venv/bin/pyright
step .venv/bin/lint-imports
[ "${1:-all}" = static ] && exit 0
step .venv/bin/pytest
step slow_tests
