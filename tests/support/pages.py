"""Real pages that nobody here wrote: Debian's documentation, as deploy/setup.sh unpacks it for the tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parents[2] / ".setup" / "pages"
SITE = "https://docs.test/"


def documentation() -> list[Path]:
    """Every HTML page."""
    found = sorted(path for path in FOLDER.rglob("*.html") if path.is_file() and not path.is_symlink())
    assert len(found) >= 1000, "The pages are not there: run deploy/setup.sh test"
    return found


def url_of(path: Path) -> str:
    """Where a page would stand if the folder were a site."""
    return f"{SITE}{path.relative_to(FOLDER)}"


def each(pages: list[Path]) -> Iterator[tuple[str, bytes]]:
    """URL and content."""
    for path in pages:
        yield url_of(path), path.read_bytes()
