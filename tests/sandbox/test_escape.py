"""What a program in the machine must not be able to do: each attempt is a real program, and each must fail."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import tarfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from sandbox.types import Backend, ExecResult, LimitReached, Machine, MachineError, MachineSpec, PathRefused

SpecFor = Callable[[str], MachineSpec]

CALLS = r"""
import ctypes, errno, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
def attempt(name, number, *arguments):
    arguments = [ctypes.c_void_p(a) if isinstance(a, int) else a for a in arguments]
    result = libc.syscall(ctypes.c_long(number), *arguments)
    print(name, "WORKED" if result >= 0 else errno.errorcode[ctypes.get_errno()])
buffer = ctypes.create_string_buffer(4096)
attempt("mount", 165, b"none", b"/tmp", b"tmpfs", 0, 0)
attempt("umount", 166, b"/tmp", 2)
attempt("pivot_root", 155, b"/tmp", b"/tmp")
attempt("chroot", 161, b"/tmp")
attempt("open_tree", 428, -100, b"/", 1)
attempt("fsopen", 430, b"tmpfs", 0)
attempt("move_mount", 429, -100, b"/tmp", -100, b"/home", 0)
attempt("bpf", 321, 0, buffer, 120)
attempt("userfaultfd", 323, 1)
attempt("perf_event_open", 298, buffer, 0, -1, -1, 0)
attempt("keyctl", 250, 0, -3, 0, 0, 0)
attempt("add_key", 248, b"user", b"x", b"y", 1, -3)
attempt("io_uring_setup", 425, 8, buffer)
attempt("unshare_user", 272, 0x10000000)
attempt("unshare_net", 272, 0x40000000)
attempt("clone_newuser", 56, 0x10000000 | 17, 0, 0, 0, 0)
attempt("clone3", 435, buffer, 88)
attempt("ptrace", 101, 16, 1, 0, 0)
attempt("ptrace_traceme", 101, 0, 0, 0, 0)
attempt("process_vm_readv", 310, 1, buffer, 1, buffer, 1, 0)
attempt("pidfd_getfd", 438, 0, 0, 0)
attempt("kcmp", 312, 1, 1, 0, 0, 0)
attempt("setuid", 105, 0)
attempt("setns", 308, 0, 0)
attempt("init_module", 175, buffer, 1, b"")
attempt("kexec_load", 246, 0, 0, 0, 0)
attempt("swapon", 167, b"/tmp/x", 0)
attempt("reboot", 169, 0xfee1dead, 672274793, 0, 0)
attempt("sethostname", 170, b"evil", 4)
attempt("settimeofday", 164, buffer, 0)
attempt("iopl", 172, 3)
attempt("open_by_handle_at", 304, -100, buffer, 0)
attempt("personality", 135, 0x0040000)
"""

SOCKETS = r"""
import socket
for name, family, kind, protocol in [
    ("vsock", 40, 1, 0), ("alg", 38, 5, 0), ("packet", 17, 3, 3), ("bluetooth", 31, 3, 1), ("can", 29, 3, 1),
    ("xdp", 44, 3, 0), ("kcm", 41, 1, 0), ("tipc", 30, 1, 0), ("smc", 43, 1, 0), ("rds", 21, 5, 0),
    ("vsock-high-bits", (1 << 32) | 40, 1, 0), ("raw4", 2, 3, 1), ("raw6", 10, 3, 58), ("key", 15, 3, 2),
]:
    try:
        import ctypes, os
        libc = ctypes.CDLL(None, use_errno=True)
        got = libc.syscall(ctypes.c_long(41), ctypes.c_ulong(family), ctypes.c_ulong(kind), ctypes.c_ulong(protocol))
        print(name, "WORKED" if got >= 0 else "refused")
    except OSError:
        print(name, "refused")
"""


REACHING_OUT = (
    "cat /proc/1/environ",
    "ls /proc/1/root/",
    "ls -l /proc/1/cwd/",
    "ls /proc/1/fd/",
    "head -c 1 /proc/1/mem",
    "cat /proc/1/maps | head -1 | grep .",
    "unshare -U true",
    "unshare -r mount -t tmpfs none /tmp",
    "nsenter -t 1 -m true",
    "touch /usr/bin/x",
    "touch /etc/passwd",
    "touch /x",
    "touch /dev/x",
    "touch /opt/threadhand/guest/program.py",
    "echo x > /opt/threadhand/guest/program.py",
    "echo 1 > /proc/sys/kernel/panic",
    "echo x > /proc/sys/kernel/core_pattern",
    "echo b > /proc/sysrq-trigger",
    "head -c 1 /proc/kcore",
    "mknod /tmp/disk b 254 0 && head -c 1 /tmp/disk",
    "ls /sys/kernel",
    "ls /dev/vda || ls /dev/sda || ls /dev/kmsg || ls /dev/mem",
    "ls /run/docker.sock || ls /var/run/docker.sock || ls /run/systemd",
    "ls /sys/fs/cgroup/memory || ls /sys/fs/cgroup/cgroup.procs",
    "cat /etc/shadow",
    "su -c true",
    "su root -c true </dev/null",
    "mount --bind /etc /tmp",
    "chown 0 /home/agent/attempt; find /home/agent -uid 0 | grep .",
    "cp /bin/bash /tmp/b && chmod u+s /tmp/b && chown 0 /tmp/b && /tmp/b -p -c 'id -u' | grep -x 0",
    "id -u | grep -x 0",
    "renice -n -5 $$",
)


async def run(machine: Machine, command: str, timeout: float = 60) -> ExecResult:
    return await machine.exec(command, timeout=timeout)


async def program(machine: Machine, source: str) -> str:
    await machine.write("attempt.py", source.encode())
    return (await run(machine, "python3 attempt.py")).text


async def test_forbidden_system_calls_fail(machine: Machine) -> None:
    said = await program(machine, CALLS)
    assert len(said.splitlines()) >= 33, said
    assert "WORKED" not in said, said


async def test_sockets_that_lead_past_the_network_are_not_made(machine: Machine) -> None:
    said = await program(machine, SOCKETS)
    assert said.count("refused") == 14, said


@pytest.mark.slow
async def test_a_command_that_reaches_out_fails(machine: Machine) -> None:
    worked = [command for command in REACHING_OUT if not (await run(machine, f"( {command} ) 2>/dev/null")).exit_code]
    assert worked == []


@pytest.mark.slow
async def test_the_machines_first_process_cannot_be_ended(machine: Machine) -> None:
    await run(machine, "kill -9 1 && sleep 0.1")
    assert (await run(machine, "echo alive")).text == "alive\n"


@pytest.mark.slow
async def test_nothing_of_the_host_is_seen(machine: Machine, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("of the host")
    seen = (await run(machine, f"cat {secret}; ls /root /home /mnt /srv /media /work /var/lib; env; ps aux")).text
    assert "of the host" not in seen
    assert str(os.getpid()) not in re.findall(r"\d+", (await run(machine, "ls /proc")).text)
    assert "authorized_keys" not in seen
    names = (await run(machine, "ls /home /root")).text
    assert str(Path.home().name) not in names or "agent" in names


@pytest.mark.slow
async def test_the_environment_holds_no_secret_of_the_bot(
    backend: Backend, spec_for: SpecFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-test-not-real")
    machine = await backend.start(spec_for("s9"))
    seen = await run(machine, "env; cat /proc/*/environ /proc/*/cmdline | tr '\\0' '\\n'")
    assert "xoxb-test" not in seen.text
    assert "token" not in seen.text.lower()


async def test_the_network_is_not_there(machine: Machine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        attempts = (
            f"(echo > /dev/tcp/127.0.0.1/{port})",
            "(echo > /dev/tcp/1.1.1.1/53)",
            "(echo > /dev/udp/1.1.1.1/53)",
            "(echo > /dev/tcp/169.254.169.254/80)",
            "getent hosts example.com",
            "curl -s -m 5 http://example.com",
        )
        for attempt in attempts:
            assert (await run(machine, f"{attempt} 2>/dev/null", 20)).exit_code != 0, attempt
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert (await run(machine, "cat /proc/net/dev | tail -n +3 | grep -v lo:")).text == ""


async def test_a_file_operation_does_not_follow_a_link_out_of_the_home(machine: Machine) -> None:
    await run(
        machine,
        "ln -s /etc/passwd abs; ln -s ../../etc/passwd rel; ln -s /proc/1/root proc; ln -s / root; "
        "mkdir d; ln -s d inner; ln -s /home/agent/d absinner; echo in > d/f; mkfifo pipe; ln -s loop loop; "
        "ln -s /proc/self/environ env; mkdir sub; ln -s /tmp sub/out",
    )
    for path in ("abs", "rel", "proc/etc/passwd", "root/etc/passwd", "env", "pipe", "loop", "sub/out/x"):
        with pytest.raises(PathRefused):
            await machine.read(path)
    for path in ("root/tmp/x", "sub/out/x", "proc/tmp/x"):
        with pytest.raises(PathRefused):
            await machine.write(path, b"x")
    with pytest.raises(PathRefused):
        await machine.list("root")
    assert await machine.read("inner/f") == await machine.read("absinner/f") == b"in\n"
    assert (await machine.stat("abs")).kind == "link"
    await machine.write("abs", b"replaced")
    assert (await machine.stat("abs")).kind == "file"
    assert (await run(machine, "grep -c replaced /etc/passwd; ls /tmp")).text == "0\n"


@pytest.mark.slow
async def test_a_link_swapped_in_while_files_are_read_leads_nowhere(machine: Machine) -> None:
    swapping = asyncio.create_task(
        run(
            machine,
            "mkdir good bad; echo mine > good/passwd; ln -s good now; "
            "while :; do ln -sfn /etc now; ln -sfn good now; done",
        )
    )
    read: set[bytes] = set()
    for _ in range(300):
        with contextlib.suppress(MachineError):
            read.add(await machine.read("now/passwd"))
        await asyncio.sleep(0)
    await machine.interrupt()
    await swapping
    assert all(b"root:" not in content for content in read)


@pytest.mark.slow
async def test_an_archive_that_unpacks_upwards_stays_inside(machine: Machine) -> None:
    buffer = BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in ("../../../../etc/evil", "/usr/evil", "../../escaped"):
            entry = tarfile.TarInfo(name)
            entry.size = 1
            archive.addfile(entry, BytesIO(b"x"))
    await machine.write("evil.tar", buffer.getvalue())
    await run(machine, "tar -xPf evil.tar; true")
    assert (await run(machine, "ls /etc/evil /usr/evil /escaped /home/escaped 2>/dev/null")).text == ""


@pytest.mark.slow
async def test_the_hosts_files_are_not_the_hosts_users(backend: Backend, machine: Machine, tmp_path: Path) -> None:
    await run(machine, "cp /bin/true suid; chmod 6755 suid; touch plain")
    kept = [path for path in (tmp_path / "homes" / "s1").rglob("*") if path.is_file()]
    assert kept
    for path in kept:
        status = path.stat()
        assert status.st_uid != 0
        assert status.st_uid != os.getuid() or os.getuid() != 0


async def test_one_session_cannot_see_or_touch_another(backend: Backend, spec_for: SpecFor) -> None:
    first, second = await asyncio.gather(backend.start(spec_for("s1")), backend.start(spec_for("s2")))
    await first.write("private.txt", b"of the first")
    await run(first, "echo shared > /tmp/x; echo shared > /dev/shm/x; python3 -m http.server 8765 >/dev/null 2>&1 &")
    server = await run(first, "until (echo > /dev/tcp/127.0.0.1/8765) 2>/dev/null; do sleep 0.05; done")
    assert server.exit_code == 0
    seen = await run(
        second,
        "ls /home/agent /tmp /dev/shm; ps aux; (echo > /dev/tcp/127.0.0.1/8765) 2>&1; ipcs -a; pkill -9 python3; true",
    )
    assert "private.txt" not in seen.text
    assert "http.server" not in seen.text
    assert "refused" in seen.text
    assert (await run(first, "(echo > /dev/tcp/127.0.0.1/8765)")).exit_code == 0
    assert (await run(first, "cat /tmp/x private.txt")).text == "shared\nof the first"


@pytest.mark.slow
async def test_a_fork_bomb_ends_with_its_command(backend: Backend, spec_for: SpecFor) -> None:
    machine, neighbour = await asyncio.gather(backend.start(spec_for("s1")), backend.start(spec_for("s2")))
    bomb = asyncio.create_task(run(machine, "f() { f | f & }; f; sleep 100", 3))
    assert (await run(neighbour, "echo fine")).text == "fine\n"
    result = await bomb
    assert result.timed_out or result.exit_code != 0
    await machine.interrupt()
    assert (await run(machine, "echo recovered")).text.endswith("recovered\n")


@pytest.mark.slow
async def test_a_memory_hog_hurts_only_itself(backend: Backend, spec_for: SpecFor) -> None:
    machine, neighbour = await asyncio.gather(backend.start(spec_for("s1")), backend.start(spec_for("s2")))
    hog = "import sys\nkept = []\nwhile True: kept.append(bytearray(b'x' * 8_000_000))"
    await machine.write("hog.py", hog.encode())
    result = await run(machine, "python3 hog.py")
    assert result.exit_code != 0
    assert not result.timed_out
    assert (await run(neighbour, "echo fine")).text == "fine\n"
    assert (await run(machine, "echo still here")).text == "still here\n"
    if result.exit_code == 137:
        assert "memory" in result.note


@pytest.mark.slow
async def test_filling_the_disk_is_stopped_and_said(backend: Backend, spec_for: SpecFor, tmp_path: Path) -> None:
    machine = await backend.start(spec_for("s1"))
    result = await run(machine, "i=0; while :; do head -c 1000000 /dev/zero > f$i || exit 1; i=$((i+1)); done")
    assert result.exit_code != 0
    assert "Delete files" in result.note
    used = sum(path.stat().st_blocks * 512 for path in (tmp_path / "homes" / "s1").rglob("*"))
    assert used < 2 * 1024**3
    with pytest.raises(LimitReached):
        await machine.write("more.bin", b"x" * 100)
    assert (await run(machine, "head -c 60000000 /dev/zero > one-file")).exit_code != 0
    await run(machine, "rm -f f* one-file")
    await machine.write("more.bin", b"x" * 100)


@pytest.mark.slow
async def test_a_program_left_in_the_background_cannot_fill_the_disk(machine: Machine) -> None:
    filler = "i=0; while :; do head -c 1000000 /dev/zero > f$i; i=$((i+1)); done"
    await run(machine, f"(trap '' TERM; {filler}) >/dev/null 2>&1 & echo $! > pid")
    await run(machine, "while kill -0 $(cat pid) 2>/dev/null; do sleep 0.05; done", 100)
    tidied = await run(machine, "sleep 1; rm -f f*; echo tidied")
    assert tidied.text == "tidied\n", tidied
    assert (await run(machine, "kill -0 $(cat pid) 2>/dev/null || echo gone")).text == "gone\n"


@pytest.mark.slow
async def test_masses_of_empty_files_count_too(machine: Machine) -> None:
    result = await run(machine, "mkdir many; cd many; seq 16000 | xargs touch; sleep 100", 90)
    assert "Delete files" in result.note, result


@pytest.mark.slow
async def test_scratch_space_is_bounded(machine: Machine) -> None:
    for place in ("/tmp", "/dev/shm", "/run"):
        assert (await run(machine, f"head -c 100000000 /dev/zero > {place}/x")).exit_code != 0
        await run(machine, f"rm -f {place}/x")
