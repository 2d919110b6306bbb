"""What `threadhand check` finds, against real local servers that are right or wrong in one way each."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from bot.config import Settings
from bot.doctor import PARTS, Finding, examine
from bot.store import Store
from tests.support.playground import playground
from tests.support.servers import free_port, redis_server

Handler = Callable[[web.Request], Awaitable[web.Response]]


async def one(part: str, environ: dict[str, str]) -> Finding:
    """The first finding of a part."""
    return (await examine(Settings.load(environ), (part,)))[0]


@asynccontextmanager
async def api(**answers: dict[str, object] | int) -> AsyncGenerator[str]:
    """A server that answers `/models` and the like with a JSON object or a status; gives its address."""

    def handler(answer: dict[str, object] | int) -> Handler:
        async def handle(_: web.Request) -> web.Response:
            if isinstance(answer, int):
                return web.json_response({"error": {"message": "not here"}}, status=answer)
            return web.json_response(answer)

        return handle

    app = web.Application()
    for path, answer in answers.items():
        app.router.add_route("*", f"/{path}", handler(answer))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_nothing_set_names_slack_as_missing_and_the_rest_as_usable(tmp_path: Path) -> None:
    parts = tuple(part for part in PARTS if part != "sandbox")
    findings = await examine(Settings.load({"THREADHAND_DATA_DIR": str(tmp_path)}), parts)
    assert [finding.part for finding in findings if finding.state == "MISSING"] == ["slack"]
    assert {finding.part for finding in findings} == set(parts)
    assert all(finding.fix for finding in findings if finding.state != "OK")


async def test_a_workspace_that_knows_our_tokens_is_connected() -> None:
    async with playground() as opened:
        environ = {
            "SLACK_API_URL": opened.api_url,
            "SLACK_BOT_TOKEN": opened.bot_token,
            "SLACK_APP_TOKEN": opened.app_token,
        }
        findings = await examine(Settings.load(environ), ("slack",))
    assert [finding.state for finding in findings] == ["OK", "OK"]
    assert "connected as @" in findings[0].text


async def test_a_workspace_that_does_not_know_the_token_says_which_is_wrong() -> None:
    async with playground() as opened:
        environ = {
            "SLACK_API_URL": opened.api_url,
            "SLACK_BOT_TOKEN": "xoxb-test-not-real",
            "SLACK_APP_TOKEN": "xapp-test-not-real",
        }
        bot, app = await examine(Settings.load(environ), ("slack",))
    assert (bot.state, app.state) == ("MISSING", "MISSING")
    assert "auth.test" in bot.text
    assert "invalid_auth" in bot.text
    assert "xapp" not in app.text


async def test_tokens_in_each_others_place_are_noticed_without_asking_anybody() -> None:
    environ = {
        "SLACK_BOT_TOKEN": "xapp-test-not-real",
        "SLACK_APP_TOKEN": "xoxb-test-not-real",
        "SLACK_API_URL": "http://127.0.0.1:9",
    }
    bot, app = await examine(Settings.load(environ), ("slack",))
    assert "those begin with xoxb-" in bot.text
    assert "those begin with xapp-" in app.text


async def test_a_slack_that_does_not_answer_is_missing() -> None:
    environ = {
        "SLACK_BOT_TOKEN": "xoxb-test-not-real",
        "SLACK_SIGNING_SECRET": "s" * 32,
        "SLACK_API_URL": f"http://127.0.0.1:{free_port()}",
    }
    found = await one("slack", environ)
    assert found.state == "MISSING"
    assert "xoxb-test-not-real" not in found.lines()


async def test_a_model_that_its_server_lists_is_there() -> None:
    async with api(models={"data": [{"id": "local-model"}]}) as url:
        found = await one("model", {"OPENAI_BASE_URL": url, "THREADHAND_MODEL": "local-model"})
    assert found.state == "OK"


async def test_a_model_that_is_not_listed_is_tried() -> None:
    async with api(models=404, responses={"id": "resp_1", "status": "completed"}) as url:
        assert (await one("model", {"OPENAI_BASE_URL": url})).state == "OK"
    async with api(models={"data": []}, responses=404) as url:
        found = await one("model", {"OPENAI_BASE_URL": url, "THREADHAND_MODEL": "no-such"})
    assert found.state == "MISSING"
    assert "no-such" in found.text


async def test_a_key_that_is_refused_is_named() -> None:
    async with api(models=401) as url:
        found = await one("model", {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "sk-test-not-real"})
    assert found.state == "MISSING"
    assert "OPENAI_API_KEY" in found.fix


async def test_a_database_says_whether_it_has_the_schema(tmp_path: Path) -> None:
    environ = {"THREADHAND_DATA_DIR": str(tmp_path)}
    assert "will be made" in (await one("database", environ)).text
    assert not (tmp_path / "threadhand.db").exists()
    (tmp_path / "threadhand.db").touch()
    empty = await one("database", environ)
    assert (empty.state, empty.fix) == ("MISSING", "Run 'threadhand db upgrade'.")
    await (await Store.open(Settings.load(environ).storage.database)).close()
    assert "current schema" in (await one("database", environ)).text


async def test_a_database_that_is_not_there_is_missing_and_its_password_is_not_shown() -> None:
    found = await one("database", {"THREADHAND_DATABASE_URL": f"postgres://u:fake-password@127.0.0.1:{free_port()}/x"})
    assert found.state == "MISSING"
    assert "fake-password" not in found.lines()


async def test_redis_is_asked_whether_it_is_there() -> None:
    gone = await one("redis", {"THREADHAND_REDIS_URL": f"redis://:fake-password@127.0.0.1:{free_port()}/0"})
    assert gone.state == "MISSING"
    assert "fake-password" not in gone.lines()
    async with redis_server() as server:
        found = await examine(Settings.load({"THREADHAND_REDIS_URL": server.url}), ("redis",))
    assert [finding.state for finding in found] == ["OK", "WARN"]


async def test_a_data_folder_that_cannot_be_written_is_missing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = await one("data", {"THREADHAND_DATA_DIR": str(tmp_path / "file")})
    assert found.state == "MISSING"
    assert "THREADHAND_DATA_DIR" in found.fix


async def test_a_key_that_others_can_read_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("k" * 40)
    (tmp_path / "secret.key").chmod(0o644)
    findings = await examine(Settings.load({"THREADHAND_DATA_DIR": str(tmp_path)}), ("data",))
    assert "chmod 600" in findings[-1].fix


async def test_slack_by_http_needs_a_public_address() -> None:
    environ = {"SLACK_BOT_TOKEN": "xoxb-test-not-real", "SLACK_SIGNING_SECRET": "s", "THREADHAND_PORT": "0"}
    assert (await one("public-url", environ)).state == "MISSING"
    assert (await one("public-url", {**environ, "THREADHAND_PUBLIC_URL": "https://bot.example.com"})).state == "OK"
    assert (await one("public-url", {**environ, "THREADHAND_PUBLIC_URL": "http://bot.example.com"})).state == "WARN"


async def test_search_and_egress_are_said_as_they_are() -> None:
    assert (await one("search", {"THREADHAND_SEARCH": "brave"})).state == "MISSING"
    assert (await one("search", {"THREADHAND_SEARCH": "searxng", "THREADHAND_SEARCH_URL": "http://s"})).state == "OK"
    assert "wiki.corp:443" in (await one("egress", {"THREADHAND_EGRESS_ALLOW": "wiki.corp:443"})).text


async def test_a_machine_environment_without_libraries_is_noticed(tmp_path: Path) -> None:
    assert (await one("machine-env", {"THREADHAND_MACHINE_ENV": "none"})).state == "WARN"
    assert (await one("machine-env", {"THREADHAND_MACHINE_ENV": str(tmp_path)})).state == "MISSING"


async def test_this_host_can_start_a_machine(tmp_path: Path) -> None:
    findings = await examine(Settings.load({"THREADHAND_DATA_DIR": str(tmp_path)}), ("sandbox",))
    assert [finding.lines() for finding in findings if finding.state == "MISSING"] == []
    assert findings[0].text == "a bubblewrap machine started"
