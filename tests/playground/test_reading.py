"""Reading back: threads in pages, history, people, private files."""

from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from tests.support.playground import bolt_app, playground

Page = dict[str, Any]


async def test_a_long_thread_is_read_page_by_page_without_gaps_or_repeats() -> None:
    async with playground() as opened:
        client = bolt_app(opened).client
        root = await opened.driver.say("maria", "#general", "start")
        said = [root] + [await opened.driver.say("ben", "#general", f"{n}", root) for n in range(23)]
        seen: list[str] = []
        cursor = ""
        while True:
            page = await client.conversations_replies(channel="CGENERAL", ts=root, limit=5, cursor=cursor)
            seen += [message["ts"] for message in page["messages"]]
            cursor = page["response_metadata"]["next_cursor"]
            assert page["has_more"] == bool(cursor)
            if not cursor:
                break
        with pytest.raises(SlackApiError, match="invalid_cursor"):
            await client.conversations_replies(channel="CGENERAL", ts=root, cursor="bogus")
    assert seen == said


async def test_history_is_newest_first_and_counts_replies() -> None:
    async with playground() as opened:
        client = bolt_app(opened).client
        first = await opened.driver.say("maria", "#general", "first")
        await opened.driver.say("ben", "#general", "reply", first)
        second = await opened.driver.say("maria", "#general", "second")
        found = (await client.conversations_history(channel="CGENERAL"))["messages"]
        newer = (await client.conversations_history(channel="CGENERAL", oldest=first))["messages"]
    assert [message["ts"] for message in found] == [second, first]
    assert found[1]["reply_count"] == 1
    assert found[1]["reply_users"] == ["UBEN"]
    assert [message["ts"] for message in newer] == [second]


async def test_metadata_comes_back_only_when_asked_for() -> None:
    async with playground() as opened:
        client = bolt_app(opened).client
        root = await opened.driver.say("maria", "#general", "start")
        key: Page = {"event_type": "post", "event_payload": {"key": "k"}}
        await client.chat_postMessage(channel="CGENERAL", thread_ts=root, text="x", metadata=key)
        plain = await client.conversations_replies(channel="CGENERAL", ts=root)
        full = await client.conversations_replies(channel="CGENERAL", ts=root, include_all_metadata=True)
    assert "metadata" not in plain["messages"][1]
    assert full["messages"][1]["metadata"] == key


async def test_people_are_what_they_are() -> None:
    async with playground() as opened:
        client = bolt_app(opened).client
        people = {name: (await client.users_info(user=f"U{name}"))["user"] for name in ("MARIA", "ADA", "GUS", "OLGA")}
        shared = (await client.conversations_info(channel="CSHARED"))["channel"]
        members = (await client.conversations_members(channel="CSHARED"))["members"]
    assert people["ADA"]["is_admin"]
    assert not people["MARIA"]["is_admin"]
    assert people["GUS"]["is_restricted"]
    assert people["GUS"]["is_ultra_restricted"]
    assert people["OLGA"]["is_stranger"]
    assert people["OLGA"]["team_id"] == "TPARTNER"
    assert shared["is_ext_shared"]
    assert "UOLGA" in members


async def test_a_private_file_needs_the_bots_token_and_strangers_get_a_login_page() -> None:
    async with playground() as opened, aiohttp.ClientSession() as session:
        await opened.driver.say("maria", "#general", "numbers", files=[("a.csv", b"a,b\n")])
        file = (await opened.driver.messages("#general"))[-1]["files"][0]
        for token, expected in ((opened.bot_token, b"a,b\n"), ("xoxb-wrong", None)):
            headers = {"Authorization": f"Bearer {token}"}
            async with session.get(file["url_private_download"], headers=headers) as answer:
                body = await answer.read()
                assert answer.status == 200
                assert (body == expected) if expected else (b"<html" in body and answer.content_type == "text/html")


async def test_a_reaction_is_added_once_and_taken_back_once() -> None:
    async with playground() as opened:
        client = bolt_app(opened).client
        ts = await opened.driver.say("maria", "#general", "hello")
        await client.reactions_add(channel="CGENERAL", name="eyes", timestamp=ts)
        with pytest.raises(SlackApiError, match="already_reacted"):
            await client.reactions_add(channel="CGENERAL", name="eyes", timestamp=ts)
        await client.reactions_remove(channel="CGENERAL", name="eyes", timestamp=ts)
        with pytest.raises(SlackApiError, match="no_reaction"):
            await client.reactions_remove(channel="CGENERAL", name="eyes", timestamp=ts)
        found = (await opened.driver.messages("#general"))[-1]
    assert "reactions" not in found
