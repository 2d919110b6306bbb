"""Which system calls the machine's programs may not make.

Hides libseccomp. Two filters: one for all that runs in the machine, and a narrower one for the agent's programs,
because a browser needs user namespaces for its own sandbox and they do not.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

import pyseccomp

FAMILIES = (1, 2, 10, 16)
"""AF_UNIX, AF_INET, AF_INET6 and AF_NETLINK (for the list of interfaces); AF_VSOCK and the like reach the host
past a network namespace."""

NEVER = (
    "acct", "add_key", "adjtimex", "bpf", "clock_adjtime", "clock_settime", "create_module", "delete_module",
    "fanotify_init", "finit_module", "fsconfig", "fsmount", "fsopen", "fspick", "get_kernel_syms",
    "init_module", "io_uring_enter", "io_uring_register", "io_uring_setup", "ioperm", "iopl", "kcmp",
    "kexec_file_load", "kexec_load", "keyctl", "lookup_dcookie", "mbind", "migrate_pages", "mount",
    "mount_setattr", "move_mount", "move_pages", "name_to_handle_at", "nfsservctl", "open_by_handle_at",
    "open_tree", "perf_event_open", "personality", "pivot_root", "process_vm_readv", "process_vm_writev",
    "query_module", "quotactl", "quotactl_fd", "reboot", "request_key", "set_mempolicy", "setdomainname",
    "sethostname", "setns", "settimeofday", "stime", "swapoff", "swapon", "sysfs", "_sysctl", "syslog",
    "umount", "umount2", "uselib", "userfaultfd", "ustat", "vhangup", "vm86", "vm86old",
)  # fmt: skip

NEVER_AGENT = ("chroot", "ptrace", "unshare", "pidfd_getfd")

NAMESPACES = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET."""

TIOCSTI, TIOCLINUX = 0x5412, 0x541C


def machine_filter() -> bytes:
    """For everything inside, the guest program included."""
    return compiled(rules(NEVER))


def agent_filter() -> bytes:
    """For the agent's programs, on top of the machine's."""
    return compiled(rules(NEVER + NEVER_AGENT, namespaces=True))


def rules(names: tuple[str, ...], *, namespaces: bool = False) -> pyseccomp.SyscallFilter:
    made = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    refuse = pyseccomp.ERRNO(errno.EPERM)
    for name in known(names):
        made.add_rule(refuse, name)
    family = pyseccomp.ERRNO(errno.EAFNOSUPPORT)
    for call in ("socket", "socketpair"):
        for number in set(range(max(FAMILIES))) - set(FAMILIES):
            made.add_rule(family, call, pyseccomp.Arg(0, pyseccomp.EQ, number))
        made.add_rule(family, call, pyseccomp.Arg(0, pyseccomp.GT, max(FAMILIES)))
    for number in (2, 10):
        raw = pyseccomp.Arg(1, pyseccomp.MASKED_EQ, 0xF, 3)
        made.add_rule(refuse, "socket", pyseccomp.Arg(0, pyseccomp.EQ, number), raw)
    for request in (TIOCSTI, TIOCLINUX):
        made.add_rule(refuse, "ioctl", pyseccomp.Arg(1, pyseccomp.MASKED_EQ, 0xFFFFFFFF, request))
    if namespaces:
        # clone3 hides its flags in memory, where a filter cannot look; without it programs fall back to clone.
        made.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")
        for flag in NAMESPACES:
            made.add_rule(refuse, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, flag, flag))
    return made


def known(names: tuple[str, ...]) -> Iterator[str]:
    """Those of `names` that this processor and libseccomp have."""
    arch = pyseccomp.system_arch()
    for name in names:
        try:
            if pyseccomp.resolve_syscall(arch, name) >= 0:
                yield name
        except (OSError, ValueError):
            continue


def compiled(made: pyseccomp.SyscallFilter) -> bytes:
    with os.fdopen(os.memfd_create("filter"), "w+b") as file:
        made.export_bpf(file)
        file.seek(0)
        return file.read()
