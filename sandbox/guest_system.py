"""What is the same inside every machine, whichever technology isolates it.

Hides the users, the fixed places, the files of /etc, what the agent's programs see around them, and what a guest is
told when the host first speaks to it.
"""

from __future__ import annotations

import base64
import functools
import os
from dataclasses import dataclass
from pathlib import Path

from . import seccomp
from .doors import offered
from .guest.forward import CERTIFICATE, GATE, HAND, PORT
from .guest.frames import Message
from .types import HOME, MachineSpec

UID = 1000
BROWSER = 1001
"""Whom the visual browser belongs to, where ids are mapped: the agent's programs cannot touch what is its."""
GUEST = "/opt/threadhand/guest"
MACHINE = "/opt/machine"
CAPABILITIES = ("SETUID", "SETGID", "KILL", "CHOWN", "DAC_OVERRIDE", "FOWNER")
"""All that the guest program, which is the machine's root, needs."""
GUEST_SOURCE = Path(__file__).parent / "guest"
"""The guest program on the host: the folder that a machine has as GUEST."""
BOOT = "import sys; sys.path.insert(0, '/opt/threadhand'); from guest.program import main; main()"
FILES = {
    "passwd": f"root:x:0:0:root:/root:/usr/sbin/nologin\nagent:x:{UID}:{UID}:agent:{HOME}:/bin/bash\n"
    f"browser:x:{BROWSER}:{BROWSER}:browser:/home/browser:/usr/sbin/nologin\n"
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "group": f"root:x:0:\nagent:x:{UID}:\nnogroup:x:65534:\n",
    "hosts": "127.0.0.1 localhost machine\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
"""What a machine has in /etc."""


@dataclass(frozen=True, slots=True)
class Inside:
    """How the machines of a backend differ inside.

    mounted: the host's sockets for the way out and the broker, and the certificate, are mounted at GATE, BROKER and
        CERTIFICATE; otherwise the guest carries them over its own stream.
    capped: the backend caps memory and processes of the whole machine; otherwise the guest does, per program.
    users: the guest is root and the browser has a user of its own; otherwise all are one user.
    python: a Python environment is at MACHINE.
    """

    mounted: bool = False
    capped: bool = True
    users: bool = True
    python: bool = True


def command(python: str, *way: str) -> list[str]:
    """The machine's first program. `way` is how the host comes to it: see guest/arrival.py."""
    return [python, "-I", "-S", "-B", "-c", BOOT, *way]


def hand_program(python: str) -> str:
    """The command `hand` as a program of the machine's interpreter."""
    return f"#!{python} -I\n{(GUEST_SOURCE / 'hand.py').read_text(encoding='utf-8')}"


def introduction(spec: MachineSpec, inside: Inside) -> Message:
    """What a guest is told first."""
    limits = spec.limits
    carried = not inside.mounted
    certificate = spec.egress.ca_certificate.read_text() if spec.egress and carried else ""
    return {
        "uid": UID,
        "gid": UID,
        "browser_uid": BROWSER if inside.users else UID,
        "home": HOME,
        "filter": base64.b64encode(seccomp_filters()[1]).decode(),
        "processes": 0 if inside.capped else limits.processes,
        "disk_bytes": limits.disk_bytes,
        "data_bytes": 0 if inside.capped else limits.memory_bytes,
        "environment": environment(spec, python=inside.python),
        "gate": GATE if spec.egress else "",
        "doors": list(offered(spec)) if carried else [],
        "certificate": certificate,
    }


def environment(spec: MachineSpec, *, python: bool) -> dict[str, str]:
    """What the agent's programs see. No credential is ever among it."""
    path = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
    own = f"{HOME}/.local/bin:{Path(HAND).parent}" if spec.broker else f"{HOME}/.local/bin"
    found = {
        "PATH": f"{own}:{MACHINE}/bin:{path}" if python else f"{own}:{path}",
        "HOME": HOME,
        "USER": "agent",
        "LOGNAME": "agent",
        "SHELL": "/bin/bash",
        "LANG": "C.UTF-8",
        "TMPDIR": "/tmp",  # noqa: S108
        "MPLBACKEND": "Agg",
        "PYTHONUNBUFFERED": "1",
    }
    if spec.egress:
        proxy = f"http://127.0.0.1:{PORT}"
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            found[name] = proxy
        for name in ("CURL_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"):
            found[name] = CERTIFICATE
        found |= {"GIT_SSL_CAINFO": CERTIFICATE, "PIP_CERT": CERTIFICATE, "NODE_USE_ENV_PROXY": "1"}
    return found | spec.environment


@functools.cache
def seccomp_filters() -> tuple[bytes, bytes]:
    """For the whole machine, and for the agent's programs."""
    return seccomp.machine_filter(), seccomp.agent_filter()


def put(path: Path, content: str, mode: int) -> None:
    """A file that machines are shown; those that have one with that content keep it."""
    if path.exists() and path.read_text(encoding="utf-8") == content:
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(content, encoding="utf-8")
    draft.chmod(mode)
    draft.replace(path)
