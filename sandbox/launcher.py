"""Start bubblewrap as somebody else than the bot. Run as a program, standard library only.

Hides how a machine gets 65,536 user ids of its own. As root the ids are mapped without any file to edit; an
ordinary user needs a range in /etc/subuid and /etc/subgid. Root always becomes somebody else first; folders that
only root can reach are mounted on a private tree, where bubblewrap finds them under its new identity.

Argument 1 is JSON: doors (files of control groups to enter), argv (the program to run at last), and
  ids      'root' | 'subids' | 'same' (one id only: no mapping here, bubblewrap maps the one it runs as)
           | 'later' (root stays root, and maps ids itself)
  base     first id on the host of the machine's range
  owner    id inside that runs when ids are the 'same'
  owners   folder -> id inside that owns it
  stage    host path -> path of its mount in the private tree
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from typing import Any

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
RANGE = 65536
STAGE = "/mnt"

libc = ctypes.CDLL(None, use_errno=True)


def checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(source: str, target: str, flags: int, kind: str | None = None) -> None:
    name = kind.encode() if kind else None
    checked(libc.mount(source.encode(), target.encode(), name, flags, None), f"mount on {target}")


def stage(places: dict[str, str]) -> None:
    """Mount each host path on its place below STAGE, in a mount namespace that only this process has."""
    checked(libc.unshare(CLONE_NEWNS), "new mount namespace")
    mount("none", "/", MS_REC | MS_PRIVATE)
    sources = {target: os.open(path, os.O_PATH) for path, target in places.items()}
    mount("tmpfs", STAGE, 0, "tmpfs")
    for target, source in sources.items():
        if os.path.isdir(f"/proc/self/fd/{source}"):
            os.mkdir(target)
        else:
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY))
        mount(f"/proc/self/fd/{source}", target, MS_BIND | MS_REC)
        os.close(source)


def map_from_outside(plan: dict[str, Any]) -> None:
    """Enter a user namespace whose ids a helper process, which stayed outside, maps."""
    told, tell = os.pipe()
    pid, helper = os.getpid(), os.fork()
    if helper == 0:
        os.close(tell)
        os.read(told, 1)
        try:
            write_maps(plan, pid)
        except (OSError, subprocess.CalledProcessError) as error:
            os.write(2, f"mapping user ids failed: {error}\n".encode())
            os._exit(1)
        os._exit(0)
    checked(libc.unshare(CLONE_NEWUSER), "new user namespace")
    os.write(tell, b"x")
    os.close(tell)
    os.close(told)
    if os.waitpid(helper, 0)[1] != 0:
        sys.exit(1)
    os.setgroups([])
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)


def write_maps(plan: dict[str, Any], pid: int) -> None:
    base = int(plan["base"])
    if plan["ids"] == "root":
        for file in ("uid_map", "gid_map"):
            with open(f"/proc/{pid}/{file}", "w") as map_file:
                map_file.write(f"0 {base} {RANGE}\n")
        return
    for command, own in (("newuidmap", os.getuid()), ("newgidmap", os.getgid())):
        ids = ["0", str(own), "1", "1", str(base), str(RANGE - 1)]
        subprocess.run([command, str(pid), *ids], check=True, timeout=10)


def main() -> None:
    plan: dict[str, Any] = json.loads(sys.argv[1])
    for door in plan["doors"]:
        with open(door, "w") as procs:
            procs.write(str(os.getpid()))
    if os.geteuid() == 0:
        owner = int(plan["base"]) + int(plan["owner"])
        for folder, inside in plan["owners"].items():
            number = int(plan["base"]) + int(inside)
            if os.stat(folder).st_uid != number:
                os.chown(folder, number, number)
        stage(plan["stage"])
        if plan["ids"] == "same":
            os.setgroups([])
            os.setresgid(owner, owner, owner)
            os.setresuid(owner, owner, owner)
    if plan["ids"] not in ("same", "later"):
        map_from_outside(plan)
    os.execvp(plan["argv"][0], plan["argv"])  # noqa: S606


if __name__ == "__main__":
    main()
