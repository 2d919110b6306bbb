"""The page: what it answers, to whom, and how it feels in a real browser."""

import json
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Page, expect

from bot.playground import Playground
from tests.support.live_page import browser
from tests.support.playground import bolt_app, playground, socket_mode

Body = dict[str, Any]
PATIENCE = 30_000
OK: Body = {"type": "button", "action_id": "ok", "text": {"type": "plain_text", "text": "Go ahead"}}


async def fetched(url: str, **headers: str) -> tuple[int, str, Any]:
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        return answer.status, await answer.text(), answer.headers


async def test_the_page_runs_no_script_but_its_own() -> None:
    async with playground() as opened:
        status, html, headers = await fetched(f"{opened.url}/")
        _, script, _ = await fetched(f"{opened.url}/static/main.js")
        missing, _, _ = await fetched(f"{opened.url}/static/..%2f__init__.py")
    assert status == 200
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "http://" not in html
    assert "https://" not in html
    assert "import" in script
    assert missing == 404


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}])
async def test_another_web_page_cannot_act_through_it(headers: dict[str, str]) -> None:
    async with playground() as opened:
        assert (await fetched(f"{opened.url}/page/state?as=UMARIA", **headers))[0] == 403


async def test_people_see_only_what_is_theirs() -> None:
    async with playground() as opened:
        client = bolt_app(opened).client
        ts = await opened.driver.say("maria", "#sales", "numbers", files=[("a.html", b"<script>1</script>")])
        await client.chat_postEphemeral(channel="CSALES", user="UMARIA", thread_ts=ts, text="just for Maria")
        file = (await opened.driver.messages("#sales"))[0]["files"][0]["id"]
        seen = {who: await fetched(f"{opened.url}/page/thread/CSALES/{ts}?as={who}") for who in ("maria", "ben", "gus")}
        fetch = {who: await fetched(f"{opened.url}/page/files/{file}?as={who}") for who in ("maria", "gus")}
    assert "just for Maria" in seen["maria"][1]
    assert "just for Maria" not in seen["ben"][1]
    assert json.loads(seen["gus"][1]) == {"ok": False, "error": "not_in_channel"}
    assert fetch["gus"][0] == 404
    assert fetch["maria"][2]["Content-Disposition"].startswith("attachment")
    assert "sandbox" in fetch["maria"][2]["Content-Security-Policy"]


async def test_a_permalink_leads_to_the_message() -> None:
    async with playground() as opened:
        ts = await opened.driver.say("maria", "#general", "hello")
        link = (await bolt_app(opened).client.chat_getPermalink(channel="CGENERAL", message_ts=ts))["permalink"]
        async with aiohttp.ClientSession() as session, session.get(link, allow_redirects=False) as answer:
            assert answer.headers["Location"] == f"/#CGENERAL/{ts}"


@pytest.mark.parametrize(
    ("body", "kind"), [("Cake at four", "text/plain"), ('{"text": "Cake at four"}', "application/json")]
)
async def test_the_notice_board_takes_words_from_anyone(body: str, kind: str) -> None:
    async with playground() as opened, aiohttp.ClientSession() as session:
        async with session.post(f"{opened.url}/notices", data=body, headers={"Content-Type": kind}) as answer:
            assert answer.status == 201
        async with session.post(f"{opened.url}/notices", data="") as answer:
            assert answer.status == 400
        _, listed, _ = await fetched(f"{opened.url}/notices")
    assert [entry["text"] for entry in json.loads(listed)["notices"]] == ["Cake at four"]


def helper(opened: Playground) -> Any:
    """A Bolt app that offers a button at a mention and streams its answer when it is pressed."""
    app = bolt_app(opened)

    async def offer(event: Body, say: Any, client: Any) -> None:
        await client.agents_sessions_setStatus(channel_id=event["channel"], thread_ts=event["ts"], status="processing")
        await say(text="Shall I?", thread_ts=event["ts"], blocks=[{"type": "actions", "elements": [OK]}])

    async def go(ack: Any, body: Body, client: Any) -> None:
        await ack()
        place: Body = {"channel": body["channel"]["id"], "thread_ts": body["container"]["thread_ts"]}
        stream = await client.chat_stream(
            **place, recipient_team_id="TACME", recipient_user_id=body["user"]["id"], buffer_size=1
        )
        await stream.append(markdown_text="Here it **is**")
        await stream.stop(session_status="active")
        await client.chat_postEphemeral(**place, user=body["user"]["id"], text="Psst")

    async def quiet() -> None:
        pass

    app.event("app_mention")(offer)
    app.event("message")(quiet)
    app.action("ok")(go)
    return app


async def converse(page: Page, url: str) -> None:
    """Mentions the app, opens the thread, presses the button, edits and deletes; expects it all on the page."""
    await page.goto(url)
    field = page.get_by_label("Message #general", exact=True)
    await field.click()
    await field.press_sequentially("hello @thre")
    await page.get_by_role("option", name="Threadhand").wait_for(timeout=PATIENCE)
    await field.press("Enter")
    await field.press_sequentially("<b>please</b>")
    await field.press("Enter")
    said = page.locator("#messages article").last
    await expect(said).to_contain_text("hello @Threadhand <b>please</b>", timeout=PATIENCE)
    await page.get_by_role("button", name="1 reply").click(timeout=PATIENCE)
    thread = page.locator("#thread-messages")
    await expect(page.locator("#thread-status")).to_contain_text("Threadhand is working", timeout=PATIENCE)
    await thread.get_by_role("button", name="Go ahead").click(timeout=PATIENCE)
    await expect(thread.locator("strong")).to_have_text("is", timeout=PATIENCE)
    await expect(thread).to_contain_text("Only visible to you", timeout=PATIENCE)
    await expect(page.locator("#thread-status")).to_be_hidden(timeout=PATIENCE)
    await said.hover()
    await said.get_by_role("button", name="Edit").click()
    await page.get_by_label("Edit message").fill("never mind @ben")
    await page.get_by_label("Edit message").press("Enter")
    await expect(said).to_contain_text("never mind @ben", timeout=PATIENCE)
    await expect(said).to_contain_text("(edited)", timeout=PATIENCE)
    await said.hover()
    await said.get_by_role("button", name="Delete").click()
    await page.locator("#confirm-yes").click()
    await expect(said).to_contain_text("This message was deleted", timeout=PATIENCE)


@pytest.mark.slow
async def test_a_person_mentions_the_app_in_the_browser_and_sees_it_answer_live() -> None:
    async with playground() as opened, socket_mode(helper(opened), opened), browser() as chromium:
        page = await chromium.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        await converse(page, opened.url)
    assert faults == []


@pytest.mark.slow
async def test_a_message_from_someone_else_appears_by_itself_and_a_phone_can_show_it() -> None:
    async with playground() as opened, browser() as chromium:
        page = await chromium.new_page(viewport={"width": 390, "height": 800})
        await page.goto(opened.url)
        await expect(page.locator("#place-name")).to_have_text("# general", timeout=PATIENCE)
        await opened.driver.say("ben", "#general", "<script>document.title='owned'</script> hello")
        await expect(page.locator("#messages")).to_contain_text("hello", timeout=PATIENCE)
        await page.locator("#open-sidebar").click()
        await page.get_by_role("button", name="Notice board").click()
        async with aiohttp.ClientSession() as session:
            await session.post(f"{opened.url}/notices", data="Cake at four")
        await expect(page.locator("#notices li")).to_contain_text("Cake at four", timeout=PATIENCE)
        assert await page.title() == "Threadhand playground"
        assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
