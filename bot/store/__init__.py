"""Everything that must survive: see bot.store.store."""

from bot.store.blobs import BlobError, Blobs
from bot.store.errors import Conflict, Fenced, SchemaNewer, StoreDown, StoreError
from bot.store.homes import HomeRow, Homes, SaveRow
from bot.store.installs import Installs
from bot.store.lease import Lease
from bot.store.rows import (
    Busy,
    DocumentRow,
    EgressRow,
    InboxRow,
    InstallationRow,
    Projection,
    Receipt,
    Row,
    SessionRow,
    Spend,
)
from bot.store.store import Store

JournalRow = Row

__all__ = [
    "BlobError",
    "Blobs",
    "Busy",
    "Conflict",
    "DocumentRow",
    "EgressRow",
    "Fenced",
    "HomeRow",
    "Homes",
    "InboxRow",
    "InstallationRow",
    "Installs",
    "JournalRow",
    "Lease",
    "Projection",
    "Receipt",
    "Row",
    "SaveRow",
    "SchemaNewer",
    "SessionRow",
    "Spend",
    "Store",
    "StoreDown",
    "StoreError",
]
