"""Is this an acceptable set of blocks? Answers as the real service does: `invalid_blocks` and what is wrong where.

A new block type is one function and one line in `BLOCKS`; a type not in the table is refused.
"""

from collections.abc import Callable
from typing import Any

from bot.playground.checks import ID_LIMIT, PLAIN, Check
from bot.playground.elements import TASK_STATES, check_elements, check_one, image, rich_text, source
from bot.playground.shapes import Obj, SlackError, as_list, as_obj, as_objs, as_text, decoded

BlockCheck = Callable[[Check, Obj, str], None]

MESSAGE_BLOCKS, VIEW_BLOCKS, PLAN_TASKS = 50, 100, 50
MARKDOWN_LIMIT = 12_000

BUTTONS = {"button"}
MENUS = {"static_select", "users_select", "conversations_select", "channels_select", "overflow", "datepicker"}
PICKS = {"checkboxes", "radio_buttons", "timepicker", "datetimepicker"}
MULTI = {"multi_static_select", "multi_users_select"}
ACTION_ELEMENTS = BUTTONS | MENUS | PICKS
ACCESSORIES = ACTION_ELEMENTS | MULTI | {"image"}
TEXT_INPUTS = {"plain_text_input", "email_text_input", "url_text_input", "number_input"}
INPUT_ELEMENTS = (MENUS - {"overflow"}) | PICKS | MULTI | TEXT_INPUTS


def check_blocks(value: Any, surface: str = "message") -> list[Obj]:
    """The blocks, decoded, with block and action ids filled in where left out.

    Raises SlackError `invalid_blocks_format` (not an array of objects) or `invalid_blocks` with messages.
    """
    try:
        given = decoded(value)
    except ValueError:
        raise SlackError("invalid_blocks_format") from None
    if given is None:
        return []
    if not isinstance(given, list):
        raise SlackError("invalid_blocks_format")
    check = Check(surface)
    most = MESSAGE_BLOCKS if surface == "message" else VIEW_BLOCKS
    for block, at in check.items({"blocks": given}, "blocks", "", most, 0):
        check_block(check, block, at)
    if sum(len(as_text(block.get("text"))) for block in as_objs(as_list(given)) if block.get("type") == "markdown") > (
        MARKDOWN_LIMIT
    ):
        check.fault(f"markdown blocks together must be less than {MARKDOWN_LIMIT + 1} characters", "/blocks")
    if check.faults:
        raise SlackError("invalid_blocks", errors=_plain(check.faults), response_metadata={"messages": check.faults})
    return [_numbered(block, index) for index, block in enumerate(as_objs(as_list(given)))]


def check_block(check: Check, block: Obj, at: str) -> None:
    """Checks one block, whatever its type."""
    check.block_id(block, at)
    found = BLOCKS.get(as_text(block.get("type")))
    if found is None:
        check.fault(f"unsupported type: {block.get('type')}", f"{at}/type")
        return
    found(check, block, at)


def section(check: Check, block: Obj, at: str) -> None:
    check.fields(block, at, {"type", "block_id", "text", "fields", "accessory", "expand"})
    if block.get("text") is None and block.get("fields") is None:
        check.fault("missing required field: text", at)
    check.text(block, "text", at, 3000)
    for field, place in check.items(block, "fields", at, 10, 0):
        check.text_object(field, place, 2000)
    if block.get("accessory") is not None:
        check_one(check, block["accessory"], f"{at}/accessory", ACCESSORIES)


def header(check: Check, block: Obj, at: str) -> None:
    check.need_text(block, "text", at, 150, PLAIN)


def divider(check: Check, block: Obj, at: str) -> None:
    check.fields(block, at, {"type", "block_id"})


def context(check: Check, block: Obj, at: str) -> None:
    for element, place in check.items(block, "elements", at, 10):
        if element.get("type") == "image":
            image(check, element, place)
        else:
            check.text_object(element, place, 3000)


def actions(check: Check, block: Obj, at: str) -> None:
    check_elements(check, check.items(block, "elements", at, 25), ACTION_ELEMENTS)


def context_actions(check: Check, block: Obj, at: str) -> None:
    check_elements(check, check.items(block, "elements", at, 5), {"feedback_buttons", "icon_button"})


def input_block(check: Check, block: Obj, at: str) -> None:
    check.need_text(block, "label", at, 2000, PLAIN)
    check.text(block, "hint", at, 2000, PLAIN)
    check_one(check, block.get("element"), f"{at}/element", INPUT_ELEMENTS)


def image_block(check: Check, block: Obj, at: str) -> None:
    image(check, block, at)
    check.text(block, "title", at, 2000, PLAIN)


def markdown(check: Check, block: Obj, at: str) -> None:
    check.fields(block, at, {"type", "block_id", "text"})
    check.string(block, "text", at, MARKDOWN_LIMIT, required=True)


def file_block(check: Check, block: Obj, at: str) -> None:
    check.string(block, "external_id", at, ID_LIMIT, required=True)
    check.choice(block, "source", at, {"remote"}, required=True)


def task_card(check: Check, block: Obj, at: str) -> None:
    check.string(block, "task_id", at, ID_LIMIT, required=True)
    check.string(block, "title", at, 3000, required=True)
    check.choice(block, "status", at, TASK_STATES, required=True)
    for key in ("details", "output"):
        if block.get(key) is None:
            continue
        part = as_obj(block[key])
        check.choice(part, "type", f"{at}/{key}", {"rich_text"}, required=True)
        rich_text(check, part, f"{at}/{key}")
    for item, place in check.items(block, "sources", at, 50, 0):
        source(check, item, place)


def plan(check: Check, block: Obj, at: str) -> None:
    """More than 50 tasks are dropped without a word by the real service, so they are no fault here."""
    check.string(block, "title", at, 3000, required=True)
    for task, place in check.items(block, "tasks", at, 10_000, 0):
        task_card(check, task, place)


def alert(check: Check, block: Obj, at: str) -> None:
    check.need_text(block, "text", at, 3000)
    check.choice(block, "level", at, {"default", "info", "warning", "error", "success"})


def card(check: Check, block: Obj, at: str) -> None:
    if not any(block.get(key) is not None for key in ("hero_image", "title", "actions", "body")):
        check.fault("missing required field: title", at)
    check.text(block, "title", at, 150)
    check.text(block, "subtitle", at, 150)
    check.text(block, "body", at, 200)
    for key in ("hero_image", "icon"):
        if block.get(key) is not None:
            image(check, as_obj(block[key]), f"{at}/{key}")
    check_elements(check, check.items(block, "actions", at, 25, 0), BUTTONS)


def container(check: Check, block: Obj, at: str) -> None:
    if block.get("title") is None and block.get("rich_text_title") is None:
        check.fault("missing required field: title", at)
    check.text(block, "title", at, 150, PLAIN)
    check.text(block, "subtitle", at, 150)
    check.choice(block, "width", at, {"narrow", "standard", "wide", "full"})
    if block.get("is_collapsible") is True and block.get("has_header_divider") is True:
        check.fault("has_header_divider cannot be set when is_collapsible is true", at)
    for child, place in check.items(block, "child_blocks", at, 10):
        if child.get("type") == "container":
            check.fault("unsupported type: container", f"{place}/type")
        else:
            check_block(check, child, place)


def _plain(faults: list[str]) -> list[str]:
    return [fault.removeprefix("[ERROR] ") for fault in faults]


def _numbered(block: Obj, index: int) -> Obj:
    """The block with the ids the service makes up when they are left out; they stay the same on a redraw."""
    made = {**block, "block_id": block.get("block_id") or f"b{index}"}
    if as_list(made.get("elements")) and made["type"] in {"actions", "context_actions"}:
        made["elements"] = [_with_action(item, index, place) for place, item in enumerate(as_objs(made["elements"]))]
    for key in ("accessory", "element"):
        if made.get(key):
            made[key] = _with_action(as_obj(made[key]), index, 0)
    if made["type"] == "container":
        children = as_objs(made.get("child_blocks"))
        made["child_blocks"] = [_numbered(child, index * 100 + place + 1000) for place, child in enumerate(children)]
    if made["type"] == "plan":
        made["tasks"] = as_objs(made.get("tasks"))[:PLAN_TASKS]
    return made


def _with_action(element: Obj, block: int, place: int) -> Obj:
    if element.get("type") == "image" or element.get("action_id"):
        return element
    return {**element, "action_id": f"a{block}-{place}"}


BLOCKS: dict[str, BlockCheck] = {
    "actions": actions,
    "alert": alert,
    "card": card,
    "container": container,
    "context": context,
    "context_actions": context_actions,
    "divider": divider,
    "file": file_block,
    "header": header,
    "image": image_block,
    "input": input_block,
    "markdown": markdown,
    "plan": plan,
    "rich_text": rich_text,
    "section": section,
    "task_card": task_card,
}
