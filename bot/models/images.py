"""Pictures from the model provider's image API (OpenAI's /images/generations and servers that speak it).

Hides the wire. One request makes one picture; nothing is retried, for a picture costs money whether it arrives or not.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Literal

import aiohttp
from pydantic import BaseModel, SecretStr, ValidationError

from bot.models.prices import Price

PICTURE_MOST = 64 * 1024 * 1024
"""Bytes of an answer."""
TIMEOUT = aiohttp.ClientTimeout(total=240)
PNG = b"\x89PNG\r\n\x1a\n"
PRICES = {"gpt-image-1": Price(5.0, 1.25, 40.0), "gpt-image-1-mini": Price(2.0, 0.2, 8.0)}
"""US dollars per million tokens, by OpenAI's list; prompts are billed as text."""

Size = Literal["1024x1024", "1536x1024", "1024x1536"]


class ImageError(Exception):
    """There is no picture; the message says why. `unknown`: one may have been made and paid for all the same."""

    def __init__(self, message: str, *, unknown: bool = False) -> None:
        super().__init__(message)
        self.unknown = unknown


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG. `cost` in US dollars, None where the price is not known."""

    data: bytes
    cost: float | None


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """Which model at which server (an address that ends in /v1)."""

    model: str
    key: SecretStr = field(repr=False)
    url: str
    price: Price | None = None


class _Usage(BaseModel):
    input_tokens: int = 0
    output_tokens: int = 0


class _Made(BaseModel):
    b64_json: str


class _Answer(BaseModel):
    data: list[_Made]
    usage: _Usage | None = None


class _Problem(BaseModel):
    message: str = ""


class _Failed(BaseModel):
    error: _Problem = _Problem()


class Images:
    """Makes pictures. `close` when done."""

    def __init__(self, settings: ImageSettings) -> None:
        self._settings = settings
        self._http: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close connections."""
        if self._http is not None:
            await self._http.close()

    async def make(self, prompt: str, size: Size, person: str) -> Picture:
        """One picture; `person` is an opaque id by which the provider tells people apart. Raises ImageError."""
        if self._http is None:
            self._http = aiohttp.ClientSession(timeout=TIMEOUT)
        asked = {"model": self._settings.model, "prompt": prompt, "n": 1, "size": size, "user": person}
        headers = {"Authorization": f"Bearer {self._settings.key.get_secret_value()}"}
        url = f"{self._settings.url.rstrip('/')}/images/generations"
        try:
            async with self._http.post(url, json=asked, headers=headers) as answer:
                body = await answer.content.read(PICTURE_MOST + 1)
                while not answer.content.at_eof() and len(body) <= PICTURE_MOST:
                    body += await answer.content.read(PICTURE_MOST + 1 - len(body))
        except aiohttp.ClientConnectorError as error:
            raise ImageError("The image service cannot be reached.") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ImageError("The image service did not answer in time.", unknown=True) from error
        if answer.status != 200:
            raise ImageError(_refusal(answer.status, body), unknown=answer.status >= 500)
        return self._read(body)

    def _read(self, body: bytes) -> Picture:
        try:
            said = _Answer.model_validate_json(body[:PICTURE_MOST])
            data = base64.b64decode(said.data[0].b64_json, validate=True)
        except (ValidationError, IndexError, binascii.Error) as error:
            raise ImageError("The image service answered something else than a picture.", unknown=True) from error
        if not data.startswith(PNG):
            raise ImageError("The image service answered something else than a PNG.", unknown=True)
        price, usage = self._settings.price, said.usage
        cost = price.cost(usage.input_tokens, 0, usage.output_tokens) if price and usage else None
        return Picture(data, cost)


def _refusal(status: int, body: bytes) -> str:
    try:
        why = " ".join(_Failed.model_validate_json(body).error.message.split())[:300]
    except ValidationError:
        why = ""
    return f"The image service refused (HTTP {status}){f': {why}' if why else ''}."
