"""HTTP delivery: signed requests to the app's address, as the real service signs them."""

import hashlib
import hmac
import json
import secrets
import time
from urllib.parse import urlencode

import aiohttp

from bot.playground.people import SIGNING_SECRET
from bot.playground.shapes import Obj, as_obj


class Refused(Exception):
    """The app's address did not answer with 2xx in time. The message says what came instead."""


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """The X-Slack-Signature of a body."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


class Webhooks:
    """Posts to `url`, the app's request address for events and interactions alike; empty means Socket Mode."""

    def __init__(self) -> None:
        self.url = ""
        self._session: aiohttp.ClientSession | None = None

    async def aim(self, url: str) -> None:
        """Sets the address after the challenge was answered. Raises Refused."""
        self.url = url
        if url:
            challenge = secrets.token_hex(16)
            body = json.dumps({"type": "url_verification", "challenge": challenge, "token": "playground"})
            answer = await self._post(body.encode(), "application/json", {}, 3.0)
            if challenge.encode() not in answer:
                raise Refused("the address did not return the challenge")

    async def event(self, body: Obj, seconds: float, attempt: int) -> None:
        """Delivers an event; `attempt` counts earlier ones. Raises Refused."""
        retry = {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": "http_timeout"} if attempt else {}
        await self._post(json.dumps(body).encode(), "application/json", retry, seconds)

    async def interaction(self, payload: Obj, seconds: float) -> Obj:
        """Delivers an interaction and returns the JSON object it was answered with. Raises Refused."""
        body = urlencode({"payload": json.dumps(payload)}).encode()
        answer = await self._post(body, "application/x-www-form-urlencoded", {}, seconds)
        try:
            return as_obj(json.loads(answer))
        except ValueError:
            return {}

    async def _post(self, body: bytes, kind: str, extra: dict[str, str], seconds: float) -> bytes:
        self._session = self._session or aiohttp.ClientSession()
        now = str(int(time.time()))
        headers = {
            "Content-Type": kind,
            "X-Slack-Request-Timestamp": now,
            "X-Slack-Signature": signature(SIGNING_SECRET, now, body),
        }
        timeout = aiohttp.ClientTimeout(total=seconds)
        try:
            async with self._session.post(self.url, data=body, headers=headers | extra, timeout=timeout) as answer:
                if answer.status >= 300:
                    raise Refused(f"HTTP {answer.status}")
                return await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Refused(str(error) or "no answer in time") from error

    async def close(self) -> None:
        if self._session:
            await self._session.close()
