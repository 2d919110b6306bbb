"""Real PostgreSQL and Redis servers for tests: on a free loopback port, killed, paused and restarted at will.

Each lives in a directory of its own that goes when it ends. PostgreSQL refuses to run as root; there it runs as the
user that Debian's package made.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import socket
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

DEADLINE = 30.0


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """A server process. `url` is how to reach it; it listens once `start` has returned."""

    ENDING = signal.SIGQUIT
    """Ends it at once, with its children."""

    def __init__(self, url: str, port: int, command: Sequence[str], log: Path) -> None:
        self.url = url
        self.port = port
        self._command = command
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """The server's process id."""
        assert self._process is not None, "the server was not started"
        return self._process.pid

    async def start(self) -> None:
        """Start it and wait until it answers.

        A first try may fail: what a killed server held (memory, the port) is let go of a little later.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(DEADLINE):
                while not await self._try_start():  # noqa: ASYNC110 (another process is waited for)
                    await asyncio.sleep(0.2)
                return
        raise AssertionError(f"the server did not start: {self._log.read_text(errors='replace')[-2000:]}")

    async def _try_start(self) -> bool:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
            )
        while self._process.returncode is None:
            if await self.answers():
                return True
            await asyncio.sleep(0.05)
        return False

    async def answers(self) -> bool:
        """Whether it does its work."""
        raise NotImplementedError

    async def kill(self) -> None:
        """kill -9, and all of its children end."""
        await self._signal(signal.SIGKILL)

    async def restart(self) -> None:
        """kill -9, then start again on the same port and data."""
        await self.kill()
        await self.start()

    def pause(self) -> None:
        """SIGSTOP: it keeps its connections and says nothing."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)

    async def stop(self) -> None:
        """End it and its children; the data is thrown away, so nothing is written out first."""
        if self._process is not None and self._process.returncode is None:
            self.resume()
            await self._signal(self.ENDING)

    async def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        with suppress(ProcessLookupError):
            self._process.send_signal(number)
        async with asyncio.timeout(DEADLINE):
            await self._process.wait()


class RedisServer(Server):
    """redis-server without persistence: what it knew is gone after a kill."""

    # unlike SIGQUIT, it cannot have been ignored by the shell that started all this in the background
    ENDING = signal.SIGKILL

    async def answers(self) -> bool:
        """Whether it answers a ping."""
        client = Redis.from_url(self.url, socket_timeout=1)  # pyright: ignore[reportUnknownMemberType]
        try:
            return bool(await client.ping())  # pyright: ignore[reportUnknownMemberType]
        except (RedisError, OSError):
            return False
        finally:
            await client.aclose()

    async def forget(self) -> None:
        """Lose everything it knows, and go on."""
        client = Redis.from_url(self.url, socket_timeout=5)  # pyright: ignore[reportUnknownMemberType]
        try:
            await client.flushall()  # pyright: ignore[reportUnknownMemberType]
        finally:
            await client.aclose()


class PostgresServer(Server):
    """One PostgreSQL cluster; make databases with `database`."""

    def __init__(self, url: str, port: int, command: Sequence[str], log: Path) -> None:
        super().__init__(url, port, command, log)
        self._made = 0

    async def answers(self) -> bool:
        """Whether it lets us in."""
        try:
            await self._say("select 1")
        except (OSError, SQLAlchemyError):
            return False
        except Exception as error:
            if type(error).__module__.startswith("asyncpg"):
                return False
            raise
        return True

    async def database(self) -> str:
        """The URL of a new, empty database."""
        self._made += 1
        name = f"test_{os.getpid()}_{self._made}"
        await self._say(f'create database "{name}"')
        return self.url.rpartition("/")[0] + f"/{name}"

    async def emptied(self) -> str:
        """The URL of the one database that is always there, with nothing in it: quicker than a new one."""
        await self._say("drop schema public cascade")
        await self._say("create schema public")
        return self.url

    async def _say(self, statement: str) -> None:
        engine = create_async_engine(
            self.url.replace("postgresql:", "postgresql+asyncpg:"),
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={"timeout": 5},
        )
        async with engine.connect() as connection:
            await connection.execute(text(statement))
        await engine.dispose()


@asynccontextmanager
async def redis_server() -> AsyncGenerator[RedisServer]:
    """A Redis server, empty."""
    program = shutil.which("redis-server")
    assert program, "redis-server is missing: apt-get install redis-server"
    with tempfile.TemporaryDirectory(prefix="redis-", ignore_cleanup_errors=True) as folder:
        port = free_port()
        options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder]
        server = RedisServer(f"redis://127.0.0.1:{port}/0", port, [*_bound(), program, *options], Path(folder) / "log")
        await server.start()
        try:
            yield server
        finally:
            await server.stop()


@asynccontextmanager
async def postgres_server(connections: int = 60) -> AsyncGenerator[PostgresServer]:
    """A PostgreSQL cluster with fsync on, reached over loopback without a password by so many clients at most."""
    programs = _postgres_programs()
    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as folder:
        data, log = Path(folder) / "data", Path(folder) / "log"
        command = _unprivileged(Path(folder))
        make = await asyncio.create_subprocess_exec(
            *command, str(programs / "initdb"), "-D", str(data), "-U", "test", "-A", "trust", "--no-sync", "-E", "UTF8",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await make.communicate()
        assert make.returncode == 0, said.decode(errors="replace")
        port = free_port()
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
            "fsync": "on",
            "max_connections": str(connections),
            "shared_buffers": "32MB",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        url = f"postgresql://test@127.0.0.1:{port}/postgres"
        server = PostgresServer(url, port, [*command, str(programs / "postgres"), "-D", str(data), *options], log)
        await server.start()
        try:
            yield server
        finally:
            await server.stop()


def _postgres_programs() -> Path:
    """Where the newest installed PostgreSQL keeps its programs."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parent.parent.name), reverse=True
    )
    if found:
        return found[0].parent
    program = shutil.which("initdb")
    assert program, "PostgreSQL is missing: apt-get install postgresql"
    return Path(program).resolve().parent


def _bound() -> list[str]:
    """What to put before a command so that it ends with us, even if we are killed."""
    program = shutil.which("setpriv")
    assert program, "setpriv is missing: apt-get install util-linux"
    return [program, "--pdeathsig", "INT"]


def _unprivileged(folder: Path) -> list[str]:
    """The same, and not as root. The process itself is replaced, not wrapped."""
    if os.geteuid() != 0:
        return [*_bound(), "--"]
    user = pwd.getpwnam("postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return [*_bound(), f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--"]
