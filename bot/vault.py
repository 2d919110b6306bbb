"""Credentials at rest: encrypted, authenticated, and bound to whom they belong to.

A token sealed for one workspace cannot be opened for another, even by whoever can move rows in the database. Keys
rotate: the first key seals, all of them open.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MINIMUM = 32


class VaultError(Exception):
    """A key that is too short, or a text that was not sealed here for this context."""


class Vault:
    """`secret_key` seals and opens; `older` keys, the newest first, only open what was sealed before a rotation."""

    def __init__(self, secret_key: bytes, older: Sequence[bytes] = ()) -> None:
        self._fernets = MultiFernet([_fernet(key) for key in (secret_key, *older)])

    def __repr__(self) -> str:
        return "Vault(...)"

    def seal(self, text: str, context: str) -> str:
        """Encrypt `text` for `context` (surface, workspace and purpose). The result is ASCII, safe to store."""
        inside = json.dumps([context, text])
        return self._fernets.encrypt(inside.encode()).decode()

    def open(self, sealed: str, context: str) -> str:
        """Decrypt. Raises VaultError unless it was sealed by one of our keys for this very context."""
        try:
            found, text = json.loads(self._fernets.decrypt(sealed.encode()))
        except (InvalidToken, ValueError) as error:
            raise VaultError(
                "The stored credentials cannot be opened: THREADHAND_SECRET_KEY is not the one they were sealed with, "
                "or they were changed. Restore the key, or install the app into the workspace again."
            ) from error
        if found != context:
            raise VaultError(f"The stored credentials do not belong to {context}. Install the app there again.")
        return text

    def renew(self, sealed: str, context: str) -> str:
        """Seal again under the newest key."""
        return self.seal(self.open(sealed, context), context)


def _fernet(key: bytes) -> Fernet:
    if len(key) < MINIMUM:
        raise VaultError(
            f"THREADHAND_SECRET_KEY is too short: it needs {MINIMUM} bytes or more of randomness. "
            "'openssl rand -base64 48' makes a good one."
        )
    # A passphrase of any length becomes a key of the right one; the info text keeps other uses of it apart.
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"threadhand vault 1").derive(key)
    return Fernet(base64.urlsafe_b64encode(derived))
