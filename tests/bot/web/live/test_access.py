"""Who gets to see a session's live page, and who does not."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import aiohttp
import pytest

from bot.heard import Person
from bot.web.live.links import COOKIE, LINK, Invitations, Seals, Visitor
from tests.support.live import KEY, watched
from tests.support.office import BEN, GUS, MARIA, OLGA
from tests.support.replies import says


async def test_a_page_is_for_members_who_are_in_the_channel_or_whom_it_works_for(tmp_path: Path) -> None:
    async with watched(tmp_path, [says("Hello.")]) as world:
        thread, _ = await world.here.say(MARIA, "hi")
        await world.here.settled(thread)
        page = f"/live/{thread.session}"
        assert (await world.signed_in(MARIA).get(page))[0] == 200
        for person in (BEN, GUS, OLGA, Person("fake/nobody", "Nobody")):
            assert (await world.signed_in(person).get(page))[0] == 403
            assert (await world.signed_in(person).get(f"{page}/state"))[0] == 403
        world.people.members.add(BEN.id)
        assert (await world.signed_in(BEN).get(page))[0] == 200
        _, state = await world.signed_in(BEN).get(f"{page}/state")
        assert (state["may"], state["title"]) == (False, "hi")
        assert (await world.signed_in(MARIA).get("/live/nosuchsession"))[0] == 404


async def test_who_is_not_signed_in_is_told_how_and_sees_nothing(tmp_path: Path) -> None:
    async with watched(tmp_path, [says("Hello.")]) as world:
        thread, _ = await world.here.say(MARIA, "a secret plan")
        await world.here.settled(thread)
        stranger = world.stranger()
        assert (await stranger.get(f"/live/{thread.session}"))[0] == 303
        status, text = await stranger.get(f"/live/sign-in?session={thread.session}")
        assert status == 401
        assert "show me your screen" in text
        for path in ("state", "files", "file?path=x", "shell", "picture/" + "0" * 64):
            status, said = await stranger.get(f"/live/{thread.session}/{path}")
            assert (status, said) == (401, {"error": "Sign in first."})


async def test_a_personal_link_signs_in_after_a_word_from_the_person_and_for_one_session(tmp_path: Path) -> None:
    async with watched(tmp_path, [says("Hello."), says("Hello again.")]) as world:
        thread, _ = await world.here.say(MARIA, "hi")
        other, _ = await world.here.say(MARIA, "something else")
        await world.here.settled(thread)
        await world.here.settled(other)
        await world.here.say(MARIA, "show me your screen", thread, addressed=False)
        await world.here.surface.until(lambda: world.here.surface.whispers or None)
        link = re.findall(r"http\S+", world.here.surface.whispers[0].text)[0]
        browser = world.stranger()
        status, asked = await browser.get(link.removeprefix(world.address))
        assert (status, "Open as Maria?" in asked) == (200, True)
        given = link.partition("link=")[2]
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        async with world.http.post(
            f"{world.address}/live/enter",
            data=f"link={given}",
            headers=browser.headers(**form),
            allow_redirects=False,
        ) as answer:
            assert answer.headers["Location"] == f"/live/{thread.session}"
            cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        text = re.findall(r"threadhand_live_\w+=([^;]+)", cookie)[0]
        browser.cookie = text
        assert (await browser.get(f"/live/{thread.session}"))[0] == 200
        assert (await browser.get(f"/live/{other.session}"))[0] == 403


async def test_expired_changed_and_foreign_links_are_refused(tmp_path: Path) -> None:
    now = [1_000_000.0]
    seals = Seals([KEY], lambda: now[0])
    visitor = Visitor(MARIA.id, MARIA.name, "")
    link = seals.invite(LINK, visitor)
    assert seals.visitor(LINK, link) == visitor
    assert seals.visitor(COOKIE, link) is None
    now[0] += 12 * 3600
    assert seals.visitor(LINK, link) is None
    async with watched(tmp_path, [says("Hello.")]) as world:
        stranger = world.stranger()
        foreign = Seals([b"the-key-of-another-deployment-here"]).invite(LINK, visitor)
        for text in ("", "x", "é.ü", "a.b", foreign, world.seals.invite(COOKIE, visitor), link):
            async with world.http.get(
                f"{world.address}/live/enter", params={"link": text}, headers=stranger.headers()
            ) as answer:
                assert answer.status == 403


def test_no_byte_of_a_link_can_be_changed() -> None:
    seals = Seals([KEY])
    link = seals.invite(LINK, Visitor(BEN.id, BEN.name, ""))
    body, _, mark = link.partition(".")
    value = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    value["value"]["id"] = MARIA.id
    forged = base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
    assert seals.visitor(LINK, f"{forged}.{mark}") is None
    assert seals.visitor(LINK, f"{forged}.") is None


def test_an_older_key_still_opens_and_the_newest_signs() -> None:
    old, new = b"the-older-key-of-this-deployment--", b"the-newest-key-of-this-deployment-"
    link = Seals([old]).invite(LINK, Visitor(BEN.id, BEN.name, ""))
    assert Seals([new, old]).visitor(LINK, link) is not None
    assert Seals([old]).visitor(LINK, Seals([new, old]).invite(LINK, Visitor(BEN.id, BEN.name, ""))) is None


def test_there_is_no_link_where_nobody_could_open_it() -> None:
    assert Invitations("", Seals([KEY])).invite(None, MARIA) == ""  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", ""])
async def test_another_web_page_can_neither_take_over_nor_look(tmp_path: Path, origin: str) -> None:
    async with watched(tmp_path, [says("Hello.")]) as world:
        thread, _ = await world.here.say(MARIA, "hi")
        await world.here.settled(thread)
        maria = world.signed_in(MARIA)
        assert (await maria.post(f"/live/{thread.session}/take", Origin=origin))[0] == 403
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await maria.socket(f"/live/{thread.session}/screen", Origin=origin)
        assert (await world.here.state(thread)).hold is None


async def test_a_page_runs_no_script_but_ours_and_is_framed_by_nobody(tmp_path: Path) -> None:
    async with watched(tmp_path, [says("Hello.")]) as world:
        thread, _ = await world.here.say(MARIA, "<script>alert(1)</script>")
        await world.here.settled(thread)
        caller = world.signed_in(MARIA)
        async with world.http.get(f"{world.address}/live/{thread.session}", headers=caller.headers()) as answer:
            policy, text = answer.headers["Content-Security-Policy"], await answer.text()
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "<script>alert" not in text
        for path in ("/live/static/..%2fsite.py", "/live/vendor/novnc/..%2f..%2f..%2fpackage.json", "/live/vendor/x/y"):
            assert (await caller.get(path))[0] == 404
