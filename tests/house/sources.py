"""The project's own files, for tests about all of them."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = ("bot", "connectors", "policies", "sandbox")
ALL = (*CODE, "tests", "bench")


def python_files(*folders: str) -> Iterator[Path]:
    """The Python files below these folders, in order."""
    for folder in folders:
        yield from sorted(path for path in (ROOT / folder).rglob("*.py") if "__pycache__" not in path.parts)


def name(path: Path) -> str:
    """A path as messages show it."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    """A file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


def calls(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every attribute and name used in a file, imports included."""
    for node in ast.walk(tree(path)):
        match node:
            case ast.Attribute():
                yield node.lineno, dotted(node)
            case ast.Name(id=found):
                yield node.lineno, found
            case ast.ImportFrom(module=str(module)):
                yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)
            case _:
                continue


def dotted(node: ast.expr) -> str:
    """`a.b.c` for an attribute; what it hangs on is a dot when it is no plain name."""
    match node:
        case ast.Attribute(value=value, attr=attr):
            return f"{dotted(value)}.{attr}"
        case ast.Name(id=found):
            return found
        case _:
            return ""


def tracked() -> list[Path]:
    """Every file that is committed or is about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    paths = (ROOT / part.decode() for part in listed.stdout.split(b"\0") if part)
    return sorted(path for path in paths if path.is_file())
