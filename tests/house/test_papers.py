"""What the README and the docs say is there: every path, every command, every setting."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from bot.cli import run
from bot.commands.settings_page import page
from bot.config import VARIABLES
from tests.house.sources import ROOT

PAPERS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
THEIRS = {"OTEL_EXPORTER_OTLP_HEADERS"}


def texts() -> Iterator[tuple[Path, str]]:
    yield from ((paper, paper.read_text(encoding="utf-8")) for paper in PAPERS)


def test_every_folder_and_file_of_the_readmes_tree_is_there() -> None:
    [tree] = re.findall(r"```\n(bot/ .*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    gone: list[str] = []
    parent = ""
    for line in tree.splitlines():
        path = line.split()[0]
        parent = parent if line.startswith(" ") else path
        if not (ROOT / (parent if parent == path else parent + path)).exists():
            gone.append(line)
    assert gone == []
    top = {path.name for path in ROOT.iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    assert top <= {line.split("/")[0] for line in tree.splitlines()}


def test_every_link_and_path_leads_somewhere() -> None:
    gone: list[str] = []
    for paper, text in texts():
        links = [link.partition("#")[0] for link in re.findall(r"\]\((?!https?:)([^)]+)\)", text)]
        paths = re.findall(r"(?<![\w/.`-])((?:docs|deploy|bot|tests|sandbox|policies)/[\w./-]*\w)", text)
        gone += [f"{paper.name}: {link}" for link in links if link and not (paper.parent / link).exists()]
        gone += [
            f"{paper.name}: {path}" for path in paths if not ((ROOT / path).exists() or (ROOT / f"{path}.py").exists())
        ]
    assert gone == []


def test_every_command_that_is_named_exists(capsys: pytest.CaptureFixture[str]) -> None:
    named = {
        match[1].strip()
        for _, text in texts()
        for match in re.finditer(
            r"(?:^|`|\s)threadhand ((?:(?!and\b|is\b)[a-z]+ ?){1,2})(?=[`\n]| -| SESSION| +#)", text
        )
    }
    assert {"play", "serve", "check", "slack manifest", "journal show", "db upgrade"} <= named
    wrong = [words for words in sorted(named) if run([*words.split(), "--help"]) != 0]
    assert wrong == [], capsys.readouterr().err


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = {target for _, text in texts() for target in re.findall(r"(?:`|\n)make (\w+)", text)}
    assert {"play", "test"} <= named
    assert {target for target in named if f"\n{target}:" not in makefile} == set()


def test_every_variable_that_is_named_is_a_setting() -> None:
    known = {variable.name for variable in VARIABLES} | THEIRS
    compose = (ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8")
    words = {
        word
        for _, text in [*texts(), (ROOT, compose)]
        for word in re.findall(r"\b(?:THREADHAND|SLACK|OPENAI|OTEL)_\w+", text)
    }
    assert words - known == set()


def test_the_page_of_settings_is_what_the_program_has() -> None:
    """Make it anew: python -m bot.commands.settings_page > docs/settings.md."""
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == page()


def test_the_changelog_has_something_to_tell() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## [Unreleased]" in text
    assert len(re.findall(r"^- \S", text, re.MULTILINE)) >= 3


def test_the_container_example_is_well_formed_and_uses_commands_that_exist() -> None:
    parsed = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
    assert {"postgres", "redis", "web", "worker"} == set(parsed["services"])
    assert [parsed["services"][name]["command"] for name in ("web", "worker")] == [["web"], ["worker"]]


def test_the_licence_is_there() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
