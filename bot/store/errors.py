"""What can go wrong with the store, in words for a person."""

from __future__ import annotations


class StoreError(Exception):
    """The store did not do it.

    StoreError
    ├── Fenced       the session belongs to another worker now: stop at once, write nothing, do nothing outside
    ├── Conflict     somebody changed the same document or installation meanwhile: read it again
    ├── SchemaNewer  the database was made by a newer version of the program
    └── StoreDown    the database cannot be reached after all retries: try later
    """


class Fenced(StoreError):
    """Another worker took the session over, or its lease may have lapsed."""

    def __init__(self, session: str, fence: int, why: str = "another worker has taken it over") -> None:
        super().__init__(f"Session {session} is no longer ours under fence {fence}: {why}. This worker stops.")
        self.session = session
        self.fence = fence


class Conflict(StoreError):
    """The version that the change was based on is not the newest one."""


class SchemaNewer(StoreError):
    """The database's schema is unknown to this version of the program."""

    def __init__(self, found: str, known: str) -> None:
        super().__init__(
            f"The database has schema {found}, but this version only knows schemas up to {known}. "
            "Install the newer version of threadhand that made it, or restore the backup from before its upgrade."
        )


class StoreDown(StoreError):
    """The database did not answer."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            f"The database cannot be reached or did not finish in time ({detail}). "
            "Check that it is running and that THREADHAND_DATABASE_URL is right; "
            "work goes on by itself once it is back."
        )


class Uncertain(Exception):
    """A commit failed: what was written may stand or not. `cause` is what the database said. Never leaves the store."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause
