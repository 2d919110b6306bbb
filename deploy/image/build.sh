#!/usr/bin/env bash
# Makes what a machine's file system is, for backends that do not show the host's own: qemu, gvisor, docker,
# kubernetes. The same packages give the same bytes.
#   deploy/image/build.sh base      a shell, Python, git: small, what the tests start
#   deploy/image/build.sh desktop   with browser, screen and the Python libraries
#   deploy/image/build.sh full      with LibreOffice and fonts for the world's scripts too
# Puts into .setup/image/KIND (or the folder named second): rootfs.tar, rootfs/ (its files), rootfs.erofs, and for
# virtual machines vmlinuz and modules/. Needs root, mmdebstrap, erofs-utils and Debian's package sources: the
# host's own, or MIRROR=URL. Does nothing when the recipe has not changed since.
set -eu -o pipefail
cd "$(dirname "$0")/../.."
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C

suite=bookworm
epoch=1767225600 # 2026-01-01: no file of the image is younger
kind=${1:-full}
folder=${2:-.setup/image/$kind}

say() { printf 'image: %s\n' "$*"; }
fail() { printf 'image: %s\n' "$*" >&2; exit 1; }

base="bash ca-certificates coreutils curl diffutils file findutils git grep gzip gawk less libseccomp2
      procps psmisc python3 python3-venv sed tar tini unzip xz-utils zip"
desktop="chromium fonts-dejavu-core libatomic1 openbox poppler-utils tigervnc-standalone-server xauth"
full="fonts-liberation2 fonts-noto-cjk fonts-noto-color-emoji fonts-noto-core imagemagick jq libreoffice-calc
      libreoffice-impress libreoffice-writer pandoc ripgrep sqlite3 tesseract-ocr"
case $kind in
    base) packages=$base ;;
    desktop) packages="$base $desktop" ;;
    full) packages="$base $desktop $full" ;;
    *) fail "usage: deploy/image/build.sh base|desktop|full [FOLDER]" ;;
esac

recipe() { { cat deploy/image/build.sh uv.lock; echo "$kind ${MIRROR:-}"; } | sha256sum | cut -d' ' -f1; }
if [ -e "$folder/recipe" ] && [ "$(cat "$folder/recipe")" = "$(recipe)" ]; then
    exit 0
fi
[ "$(id -u)" = 0 ] || fail "the files of an image belong to several users: please run this as root (sudo)"
for program in mmdebstrap mkfs.erofs; do
    command -v $program >/dev/null || fail "please install first: apt-get install mmdebstrap erofs-utils"
done

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
work=$(mktemp -d "$folder/.work-XXXXXX")
trap 'rm -rf "$work"' EXIT

# Lines for mmdebstrap: the mirror that was named, or what this host's packages come from.
sources() {
    if [ -n "${MIRROR:-}" ]; then
        echo "deb $MIRROR $suite main"
    else
        grep -lrsE "(^| )$suite( |\$)" /etc/apt/sources.list /etc/apt/sources.list.d --include='*.sources' --include='*.list' || true
    fi
}
mapfile -t from < <(sources)
[ ${#from[@]} -gt 0 ] || fail "this host has no package sources for Debian $suite: name a mirror with MIRROR=URL"

# The libraries that programs in the machine may use, pinned by the lock file, installed without running any of it.
libraries() {
    local uv
    uv=$(command -v uv || echo .setup/uv/bin/uv)
    "$uv" export --quiet --locked --only-group machine --no-emit-project >"$work/requirements.txt"
    "$uv" pip install --quiet --python-version 3.11 --python-platform x86_64-manylinux_2_28 --only-binary :all: \
        --no-compile-bytecode --link-mode copy --target "$work/libraries" -r "$work/requirements.txt"
    rm -rf "$work/libraries/bin" "$work/libraries/.lock"
}

root_files() {
    cat <<'INNER'
set -eu
chroot "$1" useradd --uid 1000 --create-home --shell /bin/bash agent
chroot "$1" useradd --uid 1001 --create-home --shell /usr/sbin/nologin browser
chmod 0700 "$1/home/browser"
mkdir -p "$1/opt/threadhand/guest" "$1/opt/threadhand/bin" "$1/run/threadhand" "$1/etc/chromium"
printf '127.0.0.1 localhost machine\n::1 localhost\n' >"$1/etc/hosts"
printf 'passwd: files\ngroup: files\nhosts: files\n' >"$1/etc/nsswitch.conf"
chroot "$1" python3 -m venv --without-pip /opt/machine
if [ -d libraries ]; then
    cp -r libraries/. "$1/opt/machine/lib/python3.11/site-packages/"
fi
# Compiled anew: what the packages compile holds the time of the installation. Some tests of others do not compile.
find "$1/usr/lib/python3" "$1/usr/lib/python3.11" "$1/opt/machine" -name '__pycache__' -prune -exec rm -rf {} +
chroot "$1" python3 -m compileall -qq --invalidation-mode unchecked-hash /usr/lib/python3.11 /opt/machine || true
rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/* "$1"/var/log/* "$1"/var/cache/ldconfig "$1"/var/cache/fontconfig/* \
    "$1"/var/cache/debconf/*-old "$1"/var/lib/dpkg/*-old "$1"/etc/machine-id "$1"/etc/passwd- "$1"/etc/group- \
    "$1"/etc/shadow- "$1"/etc/gshadow- "$1"/etc/subuid- "$1"/etc/subgid- "$1"/etc/hostname "$1"/etc/resolv.conf
find "$1" -xdev -perm /6000 -type f -exec chmod ug-s {} +
sed -i 's/^\([a-z]*\):[^:]*:[0-9]*:/\1:*:20454:/' "$1/etc/shadow"
INNER
}

say "Debian packages of kind $kind (a few minutes)"
[ "$kind" = base ] || libraries
root_files >"$work/finish"
SOURCE_DATE_EPOCH=$epoch mmdebstrap --quiet --mode=root --variant=minbase --format=tar \
    --include="$(echo $packages | tr ' ' ',')" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    --customize-hook="cd '$work' && sh finish \"\$1\"" \
    "$suite" "$work/rootfs.tar" "${from[@]}" >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; fail "mmdebstrap failed"; }

say "file system"
mkdir "$work/rootfs"
tar -C "$work/rootfs" --exclude='./dev/*' -xpf "$work/rootfs.tar"
mkfs.erofs -zlz4hc -T "$epoch" -U 00000000-0000-0000-0000-000000000001 "$work/rootfs.erofs" "$work/rootfs" >>"$work/log" 2>&1 \
    || { tail -n 20 "$work/log" >&2; fail "mkfs.erofs failed"; }

say "kernel for virtual machines"
mkdir "$work/kernel"
kernel_package() { apt-cache depends linux-image-cloud-amd64 2>/dev/null | awk '/Depends: linux-image-[0-9]/ {print $2}'; }
[ -n "$(kernel_package)" ] || apt-get -qq update >>"$work/log" 2>&1 || true
kernel=$(kernel_package)
[ -n "$kernel" ] || fail "the package linux-image-cloud-amd64 is not known here: is apt-get update possible?"
(cd "$work/kernel" && chmod 0777 . && apt-get -qq download "$kernel" 2>>"$work/log" && dpkg-deb -x ./*.deb .)

rm -rf "$folder/rootfs" "$folder/modules" "$folder/recipe"
mv "$work/kernel"/boot/vmlinuz-* "$folder/vmlinuz"
mv "$work/kernel"/lib/modules/* "$folder/modules"
mv "$work/rootfs" "$work/rootfs.tar" "$work/rootfs.erofs" "$folder/"
recipe >"$folder/recipe"
say "ready in $folder ($(sha256sum "$folder/rootfs.tar" | cut -c1-16))"
