"""`threadhand serve` as an outsider starts it: nothing but environment variables, a Slack, and a model server."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.playground import Driver
from tests.support.deployment import Deployment, deployment
from tests.support.playground import playground
from tests.support.replies import Reply, calls, says
from tests.support.responses import ResponsesServer

pytestmark = pytest.mark.slow

BOT = "<@UTHREADHAND>"


World = tuple[Driver, Deployment, ResponsesServer]


@asynccontextmanager
async def running(
    folder: Path, script: Sequence[Reply], **more: str
) -> AsyncGenerator[tuple[Driver, Deployment, ResponsesServer]]:
    """A playground, a model and a started `serve`."""
    async with playground() as slack, ResponsesServer(script) as model:
        environment = {
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_API_URL": slack.api_url,
            "OPENAI_BASE_URL": model.url,
            "OPENAI_API_KEY": "sk-test-not-real",
            **more,
        }
        async with deployment(folder, environment) as deployed:
            server = deployed.add()
            await server.start()
            await server.healthy()
            await slack.driver.wait_for_app()
            yield slack.driver, deployed, model


def said_by_bot(message: dict[str, Any], text: str) -> bool:
    return text in str(message) and bool(message.get("bot_id"))


def file_of_bot(message: dict[str, Any]) -> bool:
    return bool(message.get("files")) and bool(message.get("bot_id"))


async def test_a_mention_is_worked_on_and_answered_with_a_file(tmp_path: Path) -> None:
    script = [
        calls("shell", command="printf 'a,b\\n1,2\\n' > table.csv && wc -l < inbox/data.csv"),
        calls("deliver_file", path="table.csv"),
        says("Your data has 3 lines; the table is attached."),
    ]
    async with running(tmp_path, script) as (driver, deployed, model):
        ts = await driver.say("maria", "#general", f"{BOT} count my lines", files=[("data.csv", b"x\ny\nz\n")])
        await driver.wait_for_message("#general", lambda m: said_by_bot(m, "Your data has 3 lines"), ts, 60)
        with_file = await driver.wait_for_message("#general", file_of_bot, ts, 60)
        assert [file["name"] for file in with_file["files"]] == ["table.csv"]
        first = model.requests[0].said[-1]
        assert "count my lines" in first
        assert "/home/agent/inbox/data.csv" in first
        assert "3" in str(list(model.requests[1].outputs.values())[-1])
        assert "sk-test-not-real" not in deployed.logs()
        async with aiohttp.ClientSession() as http, http.get(f"{deployed.processes[0].url}/metrics") as answer:
            assert "threadhand_model_calls_total" in await answer.text()


async def test_a_follow_up_after_a_restart_finds_the_files_of_before(tmp_path: Path) -> None:
    script = [
        calls("write_file", path="notes.txt", content="remember the blue one"),
        says("Noted."),
        calls("read_file", path="notes.txt"),
        says("It was the blue one."),
    ]
    async with running(tmp_path, script) as (driver, deployed, model):
        ts = await driver.say("maria", "#general", f"{BOT} remember the blue one")
        await driver.wait_for_message("#general", lambda m: said_by_bot(m, "Noted."), ts, 60)
        server = deployed.processes[0]
        assert await server.end() == 0
        await server.start()
        await server.healthy()
        await driver.wait_for_app()
        await driver.say("maria", "#general", "which one was it?", ts)
        await driver.wait_for_message("#general", lambda m: said_by_bot(m, "It was the blue one."), ts, 60)
        assert "remember the blue one" in str(list(model.requests[-1].outputs.values()))
