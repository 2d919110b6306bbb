"""Rules of the house that no linter knows."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.house.sources import CODE, calls, dotted, name, python_files, tracked, tree

READS_ENVIRONMENT = {"bot/config.py"}
INSIDE_THE_MACHINE = "sandbox/guest/"
"""Programs of the guest have an environment of their own, made by us."""
OURS = ("bot", "connectors", "policies", "sandbox")
BINARY = {".png", ".jpg", ".gif", ".ico", ".woff2", ".xlsx", ".docx", ".pptx", ".pdf", ".zip", ".ttf"}


def test_only_the_settings_read_the_environment() -> None:
    found = {
        f"{name(path)}:{line}"
        for path in python_files(*CODE)
        for line, used in calls(path)
        if used in ("os.environ", "os.getenv", "os.environb") and not name(path).startswith(INSIDE_THE_MACHINE)
    }
    assert {where for where in found if where.rpartition(":")[0] not in READS_ENVIRONMENT} == set()


def test_no_test_is_skipped_or_expected_to_fail() -> None:
    words = re.compile(
        r"^(pytest\.)?(mark\.)?(skip|skipif|xfail|importorskip)$|unittest\.skip|mark\.(skip|skipif|xfail)$"
    )
    assert [f"{name(path)}:{line} {used}" for path in suite() for line, used in calls(path) if words.search(used)] == []


def test_no_test_patches_what_it_tests() -> None:
    words = re.compile(r"^(unittest\.mock|mock\.|patch$|monkeypatch\.(setattr|setitem|delattr)$)|^mocker\b")
    assert [f"{name(path)}:{line} {used}" for path in suite() for line, used in calls(path) if words.search(used)] == []


def test_no_test_sleeps() -> None:
    """What a test waits for is a condition: a pause stands only in a loop that asks, or lets others run (0)."""
    assert [where for path in suite() if path.name.startswith("test_") for where in sleeps(path)] == []


def suite() -> Iterator[Path]:
    yield from (path for path in python_files("tests") if not name(path).startswith("tests/house/"))


def sleeps(path: Path) -> Iterator[str]:
    """Calls of sleep in a file that wait for time to pass and for nothing else."""
    asking = {id(inner) for node in ast.walk(tree(path)) if isinstance(node, ast.While) for inner in ast.walk(node)}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and dotted(node.func) in ("time.sleep", "asyncio.sleep", "sleep"):
            zero = node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0
            if not zero and id(node) not in asking:
                yield f"{name(path)}:{node.lineno}"


def test_the_playground_stands_alone() -> None:
    """Like the real service, it knows nothing of us."""
    found = {
        f"{name(path)}:{node.lineno} {node.module}"
        for path in python_files("bot/playground")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(OURS)
        if not node.module.startswith("bot.playground")
    }
    assert found == set()


def test_every_test_folder_and_source_folder_is_a_package() -> None:
    folders = {path.parent for path in python_files(*CODE, "tests")}
    assert sorted(name(folder) for folder in folders if not (folder / "__init__.py").exists()) == []


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    words = re.compile(r"(?<![\w/.}])/(?:work|root)/\w")
    found = {
        f"{name(path)}:{number}: {match[0]}"
        for path in tracked()
        if path.name != "uv.lock" and path.suffix not in BINARY and path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if (match := words.search(line))
    }
    assert found == set()


def test_nothing_that_looks_like_a_real_credential_is_committed() -> None:
    words = re.compile(
        r"xox[bpe]-\d{8,}-\d{8,}-\w{16,}|xapp-\d-A\w{8,}-\d{8,}-\w{20,}|sk-(?:proj-)?[A-Za-z0-9]{32,}|ghp_\w{36}"
    )
    found = {
        f"{name(path)}: {match[0][:10]}…"
        for path in tracked()
        if path.suffix not in BINARY
        for match in words.finditer(path.read_text(encoding="utf-8", errors="replace"))
    }
    assert found == set()
