"""Slack's payloads become what a session hears: every kind of message, mention, edit, deletion and stranger."""

from __future__ import annotations

from typing import Any

import pytest

from bot.heard import Delete, Edit, Message, Person, Standing, Thread
from bot.surfaces.slack.people import person_of
from bot.surfaces.slack.translate import Admission, Ignored, Incoming, Ours, translate, workspace_of
from bot.surfaces.slack.workspaces import Workspace

OURS = Ours("T1", "UBOT", "BBOT")
MARIA = Person("T1/U1", "Maria")
NAMES = {"U1": "Maria", "U2": "Ben"}


def event(text: str = "<@UBOT> hi", **more: Any) -> dict[str, Any]:
    plain = {"type": "message", "channel": "C1", "channel_type": "channel", "user": "U1", "ts": "10.1", "text": text}
    return plain | more


def heard(
    inner: dict[str, Any], author: Person = MARIA, *, shared: bool = False, rules: Admission | None = None
) -> Any:
    body: dict[str, Any] = {"type": "event_callback", "team_id": "T1", "event": inner, "is_ext_shared_channel": shared}
    return translate(body, OURS, author, NAMES, rules or Admission())


def text_of(words: str, **more: Any) -> str:
    found = heard(event(words, **more))
    assert isinstance(found, Incoming)
    assert isinstance(found.heard, Message)
    return found.heard.text


def test_both_events_of_a_mention_are_the_same() -> None:
    assert heard(event()) == heard({**event(), "type": "app_mention", "channel_type": None, "event_ts": "10.1"})


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("<@UBOT> chart it", "chart it"),
        ("<@UBOT>, chart it", "chart it"),
        ("<@UBOT|threadhand>: chart it", "chart it"),
        ("hey <@UBOT> chart it", "hey chart it"),
        ("chart it <@UBOT>", "chart it"),
        ("<@UBOT>", ""),
        ("ask <@U2> and <@U9>", "ask @Ben and @U9"),
        ("in <#C2|sales> and <#C3>", "in #sales and #C3"),
        ("<!here> <!subteam^S1|@team> <!channel>", "@here @team @channel"),
        ("<!date^1392734382^{date}|Feb 18>", "Feb 18"),
        ("see <https://a.example/x?a=1&amp;b=2>", "see https://a.example/x?a=1&b=2"),
        ("see <https://evil.example|paypal.com>", "see paypal.com (https://evil.example)"),
        ("<https://a.example|a.example>", "https://a.example"),
        ("<mailto:b@c.example|b@c.example>", "b@c.example"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2 &amp;lt;", "1 < 2 && 3 > 2 &lt;"),
        ("st\u200bop \u202eabc", "st⟨U+200B⟩op ⟨U+202E⟩abc"),
        ("👨\u200d👩\u200d👧 می\u200cخواهم", "👨\u200d👩\u200d👧 می\u200cخواهم"),
        ("a\U000e0041b", "a⟨U+E0041⟩b"),
    ],
)
def test_text_is_read_as_a_person_reads_it(sent: str, read: str) -> None:
    assert text_of(sent) == read


def test_a_message_of_forty_thousand_characters_survives() -> None:
    words = "<@UBOT> " + "lorem <ipsum " * 3000 + "END"
    assert text_of(words).endswith("END")
    assert len(text_of(words)) > 38_000


def test_blocks_speak_where_there_is_no_text() -> None:
    leaves = [{"type": "user", "user_id": "UBOT"}, {"type": "text", "text": " a < b "}]
    block = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": leaves}]}
    found = heard(event("", blocks=[block]))
    assert found.heard == Message(MARIA, "10.1", "a < b", addressed=True)


def test_a_forwarded_message_is_quoted_with_its_author_and_files() -> None:
    shared = {
        "is_share": True,
        "author_name": "Ben",
        "from_url": "https://acme.example/p1",
        "text": "the <@U2> numbers",
    }
    file = {"id": "F1", "name": "q3.csv", "mimetype": "text/csv", "size": 9, "url_private_download": "https://x/y"}
    found = heard(event("<@UBOT> use this", attachments=[{**shared, "files": [file]}]))
    assert found.heard.text == "use this\n[Forwarded from Ben https://acme.example/p1]\n> the @Ben numbers"
    assert [(f.id, f.name, f.size) for f in found.heard.files] == [("F1", "q3.csv", 9)]


def test_files_have_safe_names_and_need_asking_where_slack_says_so() -> None:
    odd = {"id": "F1", "name": "a\u202efdp.\nexe", "size": 1, "url_private": "https://x/1"}
    asked = {"id": "F2", "name": "b", "file_access": "check_file_info", "url_private": "https://x/2"}
    gone = {"id": "F3", "mode": "tombstone"}
    found = heard(event("hi", subtype="file_share", files=[odd, asked, gone, odd]))
    assert [(f.name, f.locator) for f in found.heard.files] == [("a⟨U+202E⟩fdp. exe", "https://x/1"), ("b", "")]


@pytest.mark.parametrize(
    "inner",
    [
        event(user="UBOT", bot_id="BBOT"),
        event(bot_id="BOTHER"),
        event(subtype="bot_message", bot_id="BOTHER"),
        event(subtype="channel_join"),
        event(subtype="channel_topic"),
        event(ts=""),
        event(channel=""),
        {},
        {"type": "message", "subtype": "message_changed"},
        {"type": "message", "subtype": "message_deleted"},
    ],
)
def test_what_is_not_said_by_a_person_is_dropped(inner: dict[str, Any]) -> None:
    assert isinstance(heard(inner), Ignored)


def test_another_bot_is_dropped_even_where_only_the_directory_knows_it() -> None:
    assert isinstance(heard(event(), Person("T1/U7", "Helper", "bot")), Ignored)


def changed(text: str, before: str, **more: Any) -> dict[str, Any]:
    message = {"user": "U1", "ts": "10.1", "thread_ts": "9.1", "text": text, "edited": {"user": "U1", "ts": "11.0"}}
    old = {"user": "U1", "ts": "10.1", "text": before}
    outer = {"type": "message", "subtype": "message_changed", "channel": "C1", "ts": "11.1", "event_ts": "11.1"}
    return {**outer, "message": {**message, **more}, "previous_message": old}


def test_an_edit_is_heard_in_its_thread() -> None:
    found = heard(changed("<@UBOT> Q3", "<@UBOT> Q2"))
    assert found == Incoming(Thread("slack", "T1", "C1", "9.1"), Edit(MARIA, "10.1", "Q3", "11.0"), "edit:C1:10.1:11.0")


def test_an_unfurled_link_is_no_edit() -> None:
    assert isinstance(heard(changed("same", "same", attachments=[{"text": "preview"}])), Ignored)


def test_our_own_edits_are_not_heard() -> None:
    assert isinstance(heard(changed("a", "b", user="UBOT", bot_id="BBOT")), Ignored)


def test_a_deletion_is_heard_in_its_thread() -> None:
    old = {"user": "U1", "ts": "10.1", "thread_ts": "9.1", "text": "x"}
    deleted = {"type": "message", "subtype": "message_deleted", "channel": "C1", "deleted_ts": "10.1", "ts": "12.1"}
    found = heard({**deleted, "previous_message": old})
    assert found == Incoming(Thread("slack", "T1", "C1", "9.1"), Delete("10.1"), "del:C1:10.1")


def test_a_deleted_root_with_replies_is_a_deletion() -> None:
    found = heard(changed("This message was deleted.", "<@UBOT> hi", subtype="tombstone", user="USLACKBOT"))
    assert found.heard == Delete("10.1")


@pytest.mark.parametrize(
    ("standing", "shared", "opens"),
    [
        ("member", False, True),
        ("admin", False, True),
        ("guest", False, False),
        ("outsider", False, False),
        ("member", True, False),
    ],
)
def test_who_may_begin(standing: Standing, shared: bool, opens: bool) -> None:
    found = heard(event(), Person("T1/U1", "Maria", standing), shared=shared)
    assert (found.opens, bool(found.denied)) == (opens, not opens)
    loose = Admission(guests=True, shared_channels=True)
    found = heard(event(), Person("T1/U1", "Maria", standing), shared=shared, rules=loose)
    assert found.opens == (standing != "outsider")


def test_an_installation_of_an_organisation_is_known_by_its_id() -> None:
    grant = {"team_id": "T1", "enterprise_id": "E1", "is_enterprise_install": True}
    assert workspace_of({"team_id": "T1", "authorizations": [grant]}) == "E1"
    assert workspace_of({"team_id": "T9", "authorizations": [{**grant, "is_enterprise_install": False}]}) == "T1"
    assert workspace_of({"team": {"id": "T1"}, "user": {"id": "U1", "team_id": "T2"}}) == "T1"


WORKSPACE = Workspace("T1", "T1", "E1", "UBOT", "BBOT", "xoxb-test-not-real")


@pytest.mark.parametrize(
    ("user", "standing", "ident"),
    [
        ({"team_id": "T1"}, "member", "E1/U1"),
        ({"team_id": "T2", "enterprise_user": {"enterprise_id": "E1"}}, "member", "E1/U1"),
        ({"team_id": "T1", "is_admin": True}, "admin", "E1/U1"),
        ({"team_id": "T1", "is_owner": True}, "admin", "E1/U1"),
        ({"team_id": "T1", "is_restricted": True}, "guest", "E1/U1"),
        ({"team_id": "T1", "is_ultra_restricted": True, "is_admin": True}, "guest", "E1/U1"),
        ({"team_id": "T1", "is_stranger": True}, "outsider", "E1/U1"),
        ({"team_id": "T9", "is_admin": True}, "outsider", "T9/U1"),
        ({"team_id": "T9", "enterprise_user": {"enterprise_id": "E9"}}, "outsider", "E9/U1"),
        ({"team_id": "T1", "is_bot": True}, "bot", "E1/U1"),
        ({"team_id": "T1", "deleted": True}, "outsider", "E1/U1"),
        ({}, "outsider", "?/U1"),
    ],
)
def test_standing_is_what_the_directory_says(user: dict[str, Any], standing: str, ident: str) -> None:
    person = person_of({"id": "U1", "profile": {"display_name": "Maria"}, **user}, WORKSPACE)
    assert (person.standing, person.id) == (standing, ident)


def test_a_name_cannot_hide_anything() -> None:
    person = person_of(
        {"id": "U1", "team_id": "T1", "profile": {"display_name": "Ma\nria\u202e" + "x" * 200}}, WORKSPACE
    )
    assert person.name.startswith("Ma ria⟨U+202E⟩")
    assert len(person.name) <= 80


def test_a_token_is_never_shown() -> None:
    assert "xoxb" not in repr(WORKSPACE)
