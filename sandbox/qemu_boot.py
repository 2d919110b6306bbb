"""What a virtual machine boots from: the initial memory with the guest program, a few modules and a Python.

Hides the archive's format (cpio, "newc") and which files a Python needs before its system is there. The machine's
system brings all of them, so nothing is built and nothing else is needed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from .guest_system import GUEST, GUEST_SOURCE

MODULES = ("virtio_pci", "virtio_blk", "virtio_console", "virtio-rng", "erofs")
LIBRARIES = ("libc.so.6", "libm.so.6", "libz.so.1", "libexpat.so.1", "libffi.so.8")
LIBRARY_FOLDER = "usr/lib/x86_64-linux-gnu"
PYTHON = "usr/bin/python3.11"
STANDARD = (
    "os.py",
    "__future__.py",
    "encodings/__init__.py",
    "encodings/aliases.py",
    "encodings/utf_8.py",
    "ctypes/__init__.py",
    "ctypes/_endian.py",
    "struct.py",
    "types.py",
)
INIT = f"#!/{PYTHON} -ISB\nimport sys; sys.path.insert(0, '/opt/threadhand')\nfrom guest.early import main; main()\n"
LOADER = "lib64/ld-linux-x86-64.so.2"
FOLDER, FILE = 0o040755, 0o100755


def initial(image: Path) -> bytes:
    """The archive."""
    files = dict(contents(image))
    folders = {str(parent) for name in files for parent in Path(name).parents if str(parent) != "."}
    parts = [entry(name, FOLDER, b"") for name in sorted({*folders, "new", "dev"})]
    parts += [entry(name, FILE, data) for name, data in files.items()]
    return b"".join([*parts, entry("TRAILER!!!", 0, b"")])


def contents(image: Path) -> Iterator[tuple[str, bytes]]:
    root = image / "rootfs"
    yield "init", INIT.encode()
    yield PYTHON, (root / PYTHON).read_bytes()
    yield LOADER, (root / LIBRARY_FOLDER / Path(LOADER).name).read_bytes()
    for name in LIBRARIES:
        yield f"{LIBRARY_FOLDER}/{name}", (root / LIBRARY_FOLDER / name).read_bytes()
    standard = "usr/lib/python3.11"
    for path in sorted((root / standard / "lib-dynload").glob("_ctypes.*.so")):
        yield f"{standard}/lib-dynload/{path.name}", path.read_bytes()
    for name in STANDARD:
        yield f"{standard}/{name}", (root / standard / name).read_bytes()
    for number, path in enumerate(modules(image / "modules")):
        yield f"modules/{number:02}-{path.name}", path.read_bytes()
    for path in sorted(GUEST_SOURCE.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield f"{GUEST.lstrip('/')}/{path.relative_to(GUEST_SOURCE)}", path.read_bytes()


def modules(folder: Path) -> list[Path]:
    """The kernel's modules that are needed, each after those it needs itself."""
    there = {path.stem.replace("-", "_"): path for path in folder.rglob("*.ko")}
    found: list[Path] = []

    def add(name: str) -> None:
        path = there.get(name.replace("-", "_"))
        if path is None or path in found:
            return
        needs = re.search(rb"\0depends=([^\0]*)\0", path.read_bytes())
        for other in needs[1].decode().split(",") if needs else ():
            add(other)
        found.append(path)

    for name in MODULES:
        add(name)
    return found


def entry(name: str, mode: int, data: bytes) -> bytes:
    """One file of the archive."""
    number = int(hashlib.sha256(name.encode()).hexdigest()[:7], 16)
    encoded = name.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0)
    head = b"070701" + b"".join(b"%08x" % value for value in fields) + encoded
    return padded(head) + padded(data)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
