"""The deployment's own secret: given by the administrator, or made once and kept in the data folder.

Hides the file and the race of two processes that start together for the first time.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from bot.config import SettingsError, StorageSettings

FILE = "secret.key"


def load_keys(storage: StorageSettings) -> tuple[bytes, ...]:
    """The keys, the newest first: THREADHAND_SECRET_KEY, else the file's, which is made when there is none.

    Raises SettingsError when the file cannot be made or read.
    """
    if storage.secret_key:
        return _split(storage.secret_key.get_secret_value())
    path = storage.data_dir / FILE
    try:
        storage.data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        keys = _split(path.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"The key file {path} cannot be used: {error}. Set THREADHAND_SECRET_KEY instead."
        ) from None
    if not keys or any(len(key) < 32 for key in keys):
        raise SettingsError(f"The key file {path} is damaged. Restore it from a backup, or set THREADHAND_SECRET_KEY.")
    return keys


def _split(text: str) -> tuple[bytes, ...]:
    return tuple(part.strip().encode() for part in text.split(",") if part.strip())


def _make(path: Path) -> None:
    """Write a new key under a name of its own, then give it the final one unless somebody was faster."""
    draft = path.with_name(f"{FILE}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink()
