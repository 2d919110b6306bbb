"""How long a session stands still after its process was killed -9: until another one asks the model again."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from tests.support.deployment import deployment
from tests.support.playground import playground
from tests.support.replies import says
from tests.support.responses import ResponsesServer
from tests.support.waiting import until


async def main() -> None:
    """One kill while the model streams; the process is started again at once."""
    held = says("never finished, because the process dies").hold(1)
    with tempfile.TemporaryDirectory() as name:
        async with playground() as slack, ResponsesServer([held, says("Done after all.")]) as model:
            environment = {
                "SLACK_BOT_TOKEN": slack.bot_token,
                "SLACK_APP_TOKEN": slack.app_token,
                "SLACK_API_URL": slack.api_url,
                "OPENAI_BASE_URL": model.url,
            }
            async with deployment(Path(name), environment) as deployed:
                server = deployed.add()
                await server.start()
                await server.healthy()
                await slack.driver.wait_for_app()
                await slack.driver.say("maria", "#general", "<@UTHREADHAND> hello")
                await held.held()
                await server.kill()
                began = time.perf_counter()
                await server.start()
                await server.healthy()
                up = time.perf_counter() - began
                await until(lambda: len(model.requests) > 1, 120)
                taken = time.perf_counter() - began
                held.release()
    print(f"kill -9 to the model being asked again: {taken:.1f} s, of which {up:.1f} s starting and the rest the lease")
