"""Whether the database and Redis answer, and whether they fit one another."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.config import Settings
from bot.doctor.finding import Finding, missing, ok, warn
from bot.store import Store, StoreDown, StoreError


async def database(settings: Settings) -> list[Finding]:
    """The database: reachable, with the schema this version knows. Nothing is created or changed."""
    url = settings.storage.database
    where = _shown(url)
    if url.startswith("sqlite") and not Path(url.partition("///")[2]).exists():
        return [ok("database", f"{where} will be made at the first start")]
    try:
        store = await Store.open(url, migrate=False)
    except StoreDown as error:
        return [missing("database", str(error), "Start it, or correct THREADHAND_DATABASE_URL.")]
    except StoreError as error:
        return [missing("database", str(error), "Run 'threadhand db upgrade'.")]
    await store.close()
    return [ok("database", f"{where} has the current schema")]


async def redis(settings: Settings) -> list[Finding]:
    """The engine's Redis, or none."""
    url, sqlite = settings.storage.redis, settings.storage.database.startswith("sqlite")
    if url.startswith("memory"):
        if sqlite:
            return [ok("redis", "not used: one process does everything")]
        fix = "Set THREADHAND_REDIS_URL before you start a second process."
        return [warn("redis", "not used: web and worker must be one process", fix)]
    client = Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5)  # pyright: ignore[reportUnknownMemberType]
    try:
        await client.ping()  # pyright: ignore[reportUnknownMemberType, reportGeneralTypeIssues]
    except (RedisError, OSError) as error:
        fix = "Start it, or correct THREADHAND_REDIS_URL."
        return [missing("redis", f"{_shown(url)} does not answer: {type(error).__name__}: {error}", fix)]
    finally:
        await client.aclose()
    findings = [ok("redis", f"{_shown(url)} answers")]
    if sqlite:
        fix = "Use PostgreSQL (THREADHAND_DATABASE_URL) where there is more than one machine."
        findings.append(warn("redis", "processes on several machines cannot share a SQLite file", fix))
    return findings


def _shown(url: str) -> str:
    """A URL without user, password and driver."""
    parts = urlsplit(url)
    kind = parts.scheme.split("+")[0]
    if kind == "sqlite":
        return f"SQLite {parts.path.removeprefix('/')}"
    return f"{kind}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"
