"""The ways people write a setting's value, and what they mean to the rest of the program.

Each type here takes the text of a variable and gives the value; ValueError says no more than that it is wrong,
for the variable's own words say what is expected.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr


def _http(value: str) -> str:
    parts = urlsplit(value)
    if value and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError
    return value.rstrip("/")


def _folder(value: Path) -> Path:
    return value.expanduser().absolute()


def _commas(value: object) -> object:
    """`a, b` as a tuple of its parts."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _host(value: str) -> str:
    """A host, or host:port, in lower case; IPv6 addresses stand in brackets when they have a port."""
    match = re.fullmatch(
        r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?|[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*", value.lower()
    )
    if not match or (match[2] and not 0 < int(match[2]) < 65536):
        raise ValueError
    return value.lower()


def _price(value: object) -> object:
    """`in,cached,out` as three amounts."""
    if not isinstance(value, str):
        return value
    amounts = tuple(float(part) for part in value.split(","))
    if not all(0 <= amount < 1e6 for amount in amounts):
        raise ValueError
    return amounts


def _database(value: SecretStr | None) -> SecretStr | None:
    """The URL with an asynchronous driver, from any of the ways people write it."""
    if value is None:
        return None
    parts = urlsplit(value.get_secret_value())
    match parts.scheme.split("+")[0]:
        case "sqlite" if not parts.netloc and parts.path.strip("/"):
            return SecretStr(f"sqlite+aiosqlite://{parts.path}")
        case "postgres" | "postgresql" if parts.path.strip("/"):
            # libpq's word is sslmode, asyncpg's is ssl; the values are the same
            query = urlencode([("ssl" if key == "sslmode" else key, text) for key, text in parse_qsl(parts.query)])
            return SecretStr(urlunsplit(("postgresql+asyncpg", parts.netloc, parts.path, query, "")))
        case _:
            raise ValueError


def _redis(value: SecretStr) -> SecretStr:
    if urlsplit(value.get_secret_value()).scheme not in ("memory", "redis", "rediss", "unix"):
        raise ValueError
    return value


def _keys(value: SecretStr | None) -> SecretStr | None:
    parts = value.get_secret_value().split(",") if value else ()
    if any(len(part.strip()) < 32 for part in parts):
        raise ValueError
    return value


def _none(value: object) -> object:
    return None if value == "none" else value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


Url = Annotated[str, AfterValidator(_http)]
Secret = SecretStr | None
Hosts = Annotated[tuple[Annotated[str, AfterValidator(_host)], ...], BeforeValidator(_commas)]
Price = Annotated[tuple[float, float, float] | None, BeforeValidator(_price)]
Folder = Annotated[Path, AfterValidator(_folder)]
OptionalFolder = Annotated[Folder | None, BeforeValidator(_none)]
DatabaseUrl = Annotated[SecretStr | None, AfterValidator(_database)]
RedisUrl = Annotated[SecretStr, AfterValidator(_redis)]
Keys = Annotated[SecretStr | None, AfterValidator(_keys)]
Level = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)]
