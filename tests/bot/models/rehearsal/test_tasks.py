"""What people ask, told apart."""

from __future__ import annotations

import pytest

from bot.models.rehearsal.tasks import (
    AskMe,
    Note,
    Page,
    Post,
    Read,
    Recap,
    Run,
    Search,
    Table,
    Task,
    Unknown,
    steers,
    tasks,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("run ls -la", [Run("ls -la")]),
        ("Hi! Could you please run: `df -h`, please", [Run("df -h")]),
        ("$ whoami", [Run("whoami")]),
        ("`uptime`", [Run("uptime")]),
        ("execute echo a; echo b; pwd", [Run("echo a; echo b; pwd")]),
        ("run echo a; run echo b", [Run("echo a"), Run("echo b")]),
        ("```\nls\n```", [Run("ls")]),
        ("execute the following\n```sh\nls\npwd\n```\nthanks", [Run("ls\npwd")]),
        ("summarize https://example.com/a?b=1.", [Page("https://example.com/a?b=1")]),
        ("https://example.com", [Page("https://example.com")]),
        ("open example.org", [Page("https://example.org")]),
        ("Summarise this thread", [Recap()]),
        ("tl;dr of the discussion?", [Recap()]),
        ("catch me up", [Recap()]),
        ("post hello world to the notice board", [Post("hello world")]),
        ("Announce to the notice board: the “lift” is broken", [Post("the “lift” is broken")]),
        ("search the web for herons?", [Search("herons")]),
        ("show notes.txt", [Read("notes.txt")]),
        ("remember that Ada is away", [Note("Ada is away")]),
        ("ask me whether to use EUR or USD", [AskMe("Whether to use EUR or USD?", ("to use EUR", "USD"))]),
        ("ask me something", [AskMe("Something?", ("Yes", "No"))]),
        ("make a chart", [Table("", "make a chart")]),
        ("- run ls\n- summarise this thread\n- sing", [Run("ls"), Recap(), Unknown("sing")]),
        ("Hello team,\nrun ls\nMany thanks to you all!", [Run("ls")]),
        ("sing a song", [Unknown("sing a song")]),
        ("", []),
    ],
)
def test_requests_are_told_apart(text: str, expected: list[Task]) -> None:
    assert tasks(text, ()) == expected


@pytest.mark.parametrize(
    ("text", "files", "earlier", "expected"),
    [
        ("a workbook please", ("a.csv",), (), [Table("a.csv", "a workbook")]),
        ("summary by region", (), ("old.csv", "new.csv"), [Table("new.csv", "summary by region")]),
        ("have a look", ("a.csv",), (), [Table("a.csv", "have a look")]),
        ("run ls", ("a.csv",), (), [Run("ls")]),
        ("chart this\nonly blue ones", ("a.csv",), (), [Table("a.csv", "chart this"), Unknown("only blue ones")]),
        ("chart; run ls", ("a.csv", "b.csv"), (), [Table("a.csv", "chart"), Table("b.csv", "chart"), Run("ls")]),
    ],
)
def test_tables_are_those_attached(
    text: str, files: tuple[str, ...], earlier: tuple[str, ...], expected: list[Task]
) -> None:
    assert tasks(text, files, earlier) == expected


@pytest.mark.parametrize(
    "text", ["only blue ones", "use the EMEA rows only", "in EUR", "no, by product", "without red"]
)
def test_a_change_of_course_is_recognised(text: str) -> None:
    assert steers(text)


@pytest.mark.parametrize("text", ["thanks", "what is this?", "in the morning", "great work"])
def test_other_words_change_nothing(text: str) -> None:
    assert not steers(text)
