"""What may stand inside a block: buttons, menus, inputs, pictures, rich text; each checked field by field.

A new element is one function and one line in `ELEMENTS`.
"""

from collections.abc import Callable
from typing import Any

from bot.playground.checks import ID_LIMIT, PLAIN, Check
from bot.playground.shapes import Obj, as_obj

ElementCheck = Callable[[Check, Obj, str], None]
STYLES = {"primary", "danger"}
TASK_STATES = {"pending", "in_progress", "complete", "error"}


def check_elements(check: Check, found: list[tuple[Obj, str]], allowed: set[str]) -> None:
    """Checks a block's elements: the kind is among `allowed`, the fields are right, action_ids differ."""
    seen: set[str] = set()
    for element, at in found:
        kind = element.get("type")
        if kind not in allowed or kind not in ELEMENTS:
            check.fault(f"unsupported type: {kind}", f"{at}/type")
            continue
        check.string(element, "action_id", at, ID_LIMIT)
        action = element.get("action_id")
        if action is not None and action in seen:
            check.fault(f"`action_id` {action} already exists", f"{at}/action_id")
        seen.add(str(action))
        ELEMENTS[kind](check, element, at)


def check_one(check: Check, element: Any, at: str, allowed: set[str]) -> None:
    """Checks a single element, such as a section's accessory."""
    if not isinstance(element, dict):
        check.fault("must be an object", at)
        return
    check_elements(check, [(as_obj(element), at)], allowed)


def _confirm(check: Check, element: Obj, at: str) -> None:
    if element.get("confirm") is None:
        return
    at = f"{at}/confirm"
    confirm = as_obj(element["confirm"])
    check.fields(confirm, at, {"title", "text", "confirm", "deny", "style"})
    check.need_text(confirm, "title", at, 100, PLAIN)
    check.need_text(confirm, "text", at, 300)
    check.text(confirm, "confirm", at, 30, PLAIN)
    check.text(confirm, "deny", at, 30, PLAIN)
    check.choice(confirm, "style", at, STYLES)


BUTTON = {"type", "text", "action_id", "url", "value", "style", "confirm", "accessibility_label"}


def button(check: Check, element: Obj, at: str) -> None:
    check.fields(element, at, BUTTON | {"visible_to_user_ids"})
    check.need_text(element, "text", at, 75, PLAIN)
    check.string(element, "value", at, 2000)
    if element.get("url"):
        check.address(element, "url", at)
    check.choice(element, "style", at, STYLES)
    check.string(element, "accessibility_label", at, 75)
    _confirm(check, element, at)


def image(check: Check, element: Obj, at: str) -> None:
    check.string(element, "alt_text", at, 2000, required=True)
    if element.get("slack_file") is None:
        check.address(element, "image_url", at, required=True)


def _options(check: Check, element: Obj, at: str, most: int) -> None:
    values: set[str] = set()
    for option, place in check.items(element, "options", at, most):
        check.fields(option, place, {"text", "value", "description", "url"})
        check.need_text(option, "text", place, 75)
        check.string(option, "value", place, 150, required=True)
        check.text(option, "description", place, 75)
        if option.get("value") in values:
            check.fault("`value` already exists", f"{place}/value")
        values.add(str(option.get("value")))


def select(check: Check, element: Obj, at: str) -> None:
    check.text(element, "placeholder", at, 150, PLAIN)
    if element.get("option_groups") is not None:
        for group, place in check.items(element, "option_groups", at, 100):
            check.need_text(group, "label", place, 75, PLAIN)
            _options(check, group, place, 100)
    else:
        _options(check, element, at, 100)
    _confirm(check, element, at)


def picks(check: Check, element: Obj, at: str) -> None:
    _options(check, element, at, 10)
    _confirm(check, element, at)


def overflow(check: Check, element: Obj, at: str) -> None:
    _options(check, element, at, 5)
    _confirm(check, element, at)


def person_select(check: Check, element: Obj, at: str) -> None:
    check.text(element, "placeholder", at, 150, PLAIN)
    _confirm(check, element, at)


def text_input(check: Check, element: Obj, at: str) -> None:
    check.text(element, "placeholder", at, 150, PLAIN)
    check.string(element, "initial_value", at, 3000)
    for key in ("min_length", "max_length"):
        value = element.get(key)
        if value is not None and (not isinstance(value, int) or not 0 <= value <= 3000):
            check.fault("must be between 0 and 3000", f"{at}/{key}")


def number_input(check: Check, element: Obj, at: str) -> None:
    check.text(element, "placeholder", at, 150, PLAIN)
    if not isinstance(element.get("is_decimal_allowed"), bool):
        check.fault("missing required field: is_decimal_allowed", at)


def feedback(check: Check, element: Obj, at: str) -> None:
    check.fields(element, at, {"type", "action_id", "positive_button", "negative_button"})
    for key in ("positive_button", "negative_button"):
        part, place = as_obj(element.get(key)), f"{at}/{key}"
        check.fields(part, place, {"text", "value", "accessibility_label"})
        check.need_text(part, "text", place, 75, PLAIN)
        check.string(part, "value", place, 2000, required=True)


def icon_button(check: Check, element: Obj, at: str) -> None:
    check.choice(element, "icon", at, {"trash"}, required=True)
    check.need_text(element, "text", at, 75, PLAIN)
    check.string(element, "value", at, 2000)


def source(check: Check, element: Obj, at: str) -> None:
    """A task card's source: an address with its title."""
    check.choice(element, "type", at, {"url"}, required=True)
    check.address(element, "url", at, required=True)
    check.string(element, "text", at, 3000, required=True)


RICH_LEAVES = {"text", "link", "user", "channel", "emoji", "date", "broadcast", "color", "usergroup", "team"}


def rich_text(check: Check, block: Obj, at: str) -> None:
    """Every node of a rich_text block is of a known kind and carries what its kind needs."""
    for node, place in check.items(block, "elements", at, 500, 0):
        kind = node.get("type")
        if kind == "rich_text_list":
            check.choice(node, "style", place, {"bullet", "ordered"}, required=True)
            rich_text(check, node, place)
        elif kind in {"rich_text_section", "rich_text_quote", "rich_text_preformatted"}:
            for leaf, spot in check.items(node, "elements", place, 3000, 0):
                _rich_leaf(check, leaf, spot)
        else:
            check.fault(f"unsupported type: {kind}", f"{place}/type")


def _rich_leaf(check: Check, leaf: Obj, at: str) -> None:
    kind = leaf.get("type")
    if kind not in RICH_LEAVES:
        check.fault(f"unsupported type: {kind}", f"{at}/type")
    elif kind == "text":
        check.string(leaf, "text", at, 40_000, required=True)
    elif kind == "link":
        check.address(leaf, "url", at, required=True)
    elif kind == "user":
        check.string(leaf, "user_id", at, ID_LIMIT, required=True)


ELEMENTS: dict[str, ElementCheck] = {
    "button": button,
    "channels_select": person_select,
    "checkboxes": picks,
    "conversations_select": person_select,
    "datepicker": person_select,
    "datetimepicker": person_select,
    "email_text_input": text_input,
    "feedback_buttons": feedback,
    "icon_button": icon_button,
    "image": image,
    "multi_static_select": select,
    "multi_users_select": person_select,
    "number_input": number_input,
    "overflow": overflow,
    "plain_text_input": text_input,
    "radio_buttons": picks,
    "static_select": select,
    "timepicker": person_select,
    "url_text_input": text_input,
    "users_select": person_select,
}
