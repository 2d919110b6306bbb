"""One reply being read: raw events of the Responses API in, the seam's events out.

Liberal on purpose: OpenAI sends every field in order, local servers leave out indexes, ids, whole events, or the
output of the completed response. Whatever arrived whole counts; whatever is missing is made up or told as trouble.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from bot.entries import Item, Usage
from bot.models import items as shapes
from bot.models import troubles
from bot.models.prices import Price, price_of
from bot.models.types import Broken, CallBegun, Completed, ModelEvent, TextDelta


@dataclass(frozen=True, slots=True)
class Tariff:
    """What the server is known to charge."""

    overrides: Mapping[str, Price]
    official: bool

    def usage(self, model: str, raw: Item) -> Usage:
        """The tokens of a response's `usage` object, and their cost where it is known."""
        details = _dict(raw.get("input_tokens_details"))
        tokens, output = _count(raw.get("input_tokens")), _count(raw.get("output_tokens"))
        cached, written = _count(details.get("cached_tokens")), _count(details.get("cache_write_tokens"))
        price = price_of(model, self.overrides, official=self.official)
        cost = price.cost(tokens, cached, output, written) if price and raw else None
        return Usage(tokens, cached, output, cost)


@dataclass(slots=True)
class Reading:
    """The state of one reply. Feed it `take` until it has yielded Completed or Broken, else `end` it."""

    source: troubles.Source
    tariff: Tariff
    request: Sequence[Item]
    spoke: bool = False
    over: bool = False
    _phases: dict[str, str] = field(default_factory=dict[str, str])
    _begun: set[str] = field(default_factory=set[str])
    _done: list[tuple[int, Item]] = field(default_factory=list[tuple[int, Item]])
    _text: list[TextDelta] = field(default_factory=list[TextDelta])

    def take(self, name: str, data: Item) -> Iterator[ModelEvent]:
        """One server-sent event. `name` is its SSE name, used where the data has no type."""
        kind = str(data.get("type") or name or "")
        self.spoke = self.spoke or kind.startswith("response.") or data.get("object") == "response"
        item = _dict(data.get("item"))
        match kind:
            case "response.output_item.added":
                yield from self._added(_key(data, item), item)
            case "response.output_text.delta" | "response.refusal.delta":
                yield from self._piece(data)
            case "response.output_item.done" if item:
                yield from self._added(_key(data, item), item)
                self._done.append((_index(data, len(self._done)), item))
            case "response.completed" | "response.done" | "response.incomplete" | "response.failed":
                yield from self.whole(_dict(data.get("response")), kind.rpartition(".")[2])
            case "error":
                yield self._failed(data)
            case _ if not kind and data.get("error"):
                yield self._failed(data)
            case _ if data.get("object") == "response":
                yield from self.whole(data)
            case _:
                pass

    def whole(self, response: Item, kind: str = "completed") -> Iterator[ModelEvent]:
        """The finished response: the stream's last event, or a server's JSON answer to a streaming request."""
        status = str(response.get("status") or "")
        if kind == "failed" or status in ("failed", "cancelled") or response.get("error"):
            yield self._failed(response)
        elif kind == "incomplete" or status == "incomplete":
            self.over = True
            reason = _dict(response.get("incomplete_details")).get("reason")
            yield troubles.incomplete(self.source, str(reason or ""))
        else:
            yield from self._complete(response)

    def end(self, *, done: bool) -> Iterator[ModelEvent]:
        """The stream stopped without a last event; `done` when it said so itself with "[DONE]"."""
        if done and (self._done or self._text):
            yield from self._complete({})
        elif self.spoke or done:
            text = f"The reply of {self.source.host} broke off before it was complete."
            yield self._broken(Broken("cut", text, retry=True))
        else:
            text = (
                f"{self.source.host} answered with something that isn't a Responses API stream: check OPENAI_BASE_URL "
                "(it usually ends in /v1) and whether the server offers /responses."
            )
            yield self._broken(Broken("invalid", text, retry=False))

    def _added(self, key: str, item: Item) -> Iterator[ModelEvent]:
        if item.get("type") == "message":
            self._phases[key] = str(item.get("phase") or "")
        elif item.get("type") == "function_call" and key not in self._begun:
            self._begun.add(key)
            yield CallBegun(str(item.get("name") or ""))

    def _piece(self, data: Item) -> Iterator[ModelEvent]:
        text = data.get("delta")
        if isinstance(text, str) and text:
            delta = TextDelta(text, self._phases.get(_key(data, {}), ""))
            self._text.append(delta)
            yield delta

    def _complete(self, response: Item) -> Iterator[ModelEvent]:
        kept = shapes.sendable(self._output(response), self.request)
        spoken = "".join(shapes.texts(kept))
        if not spoken and not any(item["type"] not in ("message", "reasoning") for item in kept):
            yield self._broken(Broken("empty", f"{self.source.model} answered with nothing.", retry=True))
            return
        if spoken and not self._text:
            yield TextDelta(spoken, _phase(kept))
        if not self._begun:
            yield from (CallBegun(item["name"]) for item in kept if item["type"] == "function_call")
        model = str(response.get("model") or self.source.model)
        self.over = True
        yield Completed(kept, self.tariff.usage(model, _dict(response.get("usage"))), model)

    def _output(self, response: Item) -> list[Item]:
        """The items as the response lists them, or as they went by, or as the text that went by."""
        raw: Any = response.get("output")
        listed = [_dict(item) for item in cast("list[Any]", raw)] if isinstance(raw, list) else []
        seen = [item for _, item in sorted(self._done, key=lambda pair: pair[0])]
        found = listed if len(listed) >= len(seen) else seen
        if not found and self._text:
            return [shapes.message("".join(piece.text for piece in self._text), self._text[-1].phase)]
        return found

    def _failed(self, data: Item) -> Broken:
        code, words = troubles.said(data)
        return self._broken(troubles.of_error(self.source, code, words))

    def _broken(self, broken: Broken) -> Broken:
        self.over = True
        return broken


def _key(data: Item, item: Item) -> str:
    """What ties an event to its item: the index where there is one, else the id, else nothing."""
    index = data.get("output_index")
    if index is not None:
        return f"#{index}"
    return str(data.get("item_id") or item.get("id") or item.get("call_id") or "")


def _index(data: Item, otherwise: int) -> int:
    index = data.get("output_index")
    return index if isinstance(index, int) else otherwise


def _phase(kept: Sequence[Item]) -> str:
    phases = [str(item.get("phase") or "") for item in kept if item["type"] == "message"]
    return phases[-1] if phases else ""


def _dict(value: Any) -> Item:
    return cast("Item", value) if isinstance(value, dict) else {}


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0
