"""The measuring stick for Block Kit: collects what is wrong with a structure, each fault with a JSON pointer.

Hides how faults are worded and where limits stand. The wording follows the real service's closely enough that
a person who reads it here will understand it there.
"""

from collections.abc import Collection
from typing import Any

from bot.playground.shapes import Obj, as_list, as_obj, as_text

ID_LIMIT = 255
PLAIN = ("plain_text",)
TEXTS = ("plain_text", "mrkdwn")


class Check:
    """Faults found so far. `surface` is message, modal or home; some blocks are at home in one only."""

    def __init__(self, surface: str) -> None:
        self.surface = surface
        self.faults: list[str] = []
        self._block_ids: set[str] = set()

    def fault(self, what: str, at: str) -> None:
        self.faults.append(f"[ERROR] {what} [json-pointer:{at}]")

    def block_id(self, block: Obj, at: str) -> None:
        """A block_id, when given, is a string of 1 to 255 characters, once a message."""
        if block.get("block_id") is None:
            return
        self.string(block, "block_id", at, ID_LIMIT)
        value = as_text(block.get("block_id"))
        if value and value in self._block_ids:
            self.fault("`block_id` already exists", f"{at}/block_id")
        self._block_ids.add(value)

    def string(self, holder: Obj, key: str, at: str, limit: int, required: bool = False) -> None:
        """A plain JSON string of at most `limit` characters."""
        value = holder.get(key)
        if value is None:
            if required:
                self.fault(f"missing required field: {key}", at)
            return
        if not isinstance(value, str):
            self.fault("must be a string", f"{at}/{key}")
            return
        self._length(value, limit, f"{at}/{key}", required or key in {"block_id", "action_id"})

    def text(self, holder: Obj, key: str, at: str, limit: int, kinds: Collection[str] = TEXTS) -> None:
        """A text object of one of `kinds` with 1 to `limit` characters, if there is one."""
        if holder.get(key) is not None:
            self.text_object(holder[key], f"{at}/{key}", limit, kinds)

    def need_text(self, holder: Obj, key: str, at: str, limit: int, kinds: Collection[str] = TEXTS) -> None:
        """Like `text`, and it must be there."""
        if holder.get(key) is None:
            self.fault(f"missing required field: {key}", at)
        self.text(holder, key, at, limit, kinds)

    def text_object(self, value: Any, at: str, limit: int, kinds: Collection[str] = TEXTS) -> None:
        if not isinstance(value, dict):
            self.fault("must be a valid text object", at)
            return
        item = as_obj(value)
        if item.get("type") not in kinds:
            self.fault(f"unsupported type: {item.get('type')}", f"{at}/type")
        if not isinstance(item.get("text"), str):
            self.fault("missing required field: text", at)
            return
        self._length(as_text(item["text"]), limit, f"{at}/text", True)

    def items(self, holder: Obj, key: str, at: str, most: int, least: int = 1) -> list[tuple[Obj, str]]:
        """The objects of an array with `least` to `most` of them, each with its pointer."""
        value = holder.get(key)
        if value is None and least == 0:
            return []
        if not isinstance(value, list):
            self.fault(f"missing required field: {key}", at)
            return []
        found = as_list(value)
        if len(found) < least:
            self.fault(f"no fewer than {least} items allowed", f"{at}/{key}")
        if len(found) > most:
            self.fault(f"no more than {most} items allowed", f"{at}/{key}")
        pairs: list[tuple[Obj, str]] = []
        for index, item in enumerate(found):
            pointer = f"{at}/{key}/{index}"
            if isinstance(item, dict):
                pairs.append((as_obj(item), pointer))
            else:
                self.fault("must be an object", pointer)
        return pairs

    def choice(self, holder: Obj, key: str, at: str, allowed: Collection[str], required: bool = False) -> None:
        value = holder.get(key)
        if value is None and not required:
            return
        if value not in allowed:
            self.fault(f"must be one of {', '.join(sorted(allowed))}", f"{at}/{key}")

    def fields(self, holder: Obj, at: str, allowed: Collection[str]) -> None:
        """Fields nobody knows are an error in the real service, so they are one here."""
        for key in holder:
            if key not in allowed:
                self.fault(f"invalid additional property: {key}", at)

    def address(self, holder: Obj, key: str, at: str, limit: int = 3000, required: bool = False) -> None:
        """An http(s) address."""
        self.string(holder, key, at, limit, required)
        value = holder.get(key)
        if isinstance(value, str) and not value.startswith(("http://", "https://", "mailto:")):
            self.fault("must be a valid URL", f"{at}/{key}")

    def _length(self, value: str, limit: int, at: str, required: bool) -> None:
        if required and not value:
            self.fault("must be more than 0 characters", at)
        if len(value) > limit:
            self.fault(f"must be less than {limit + 1} characters", at)
