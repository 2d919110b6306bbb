"""Buttons, menus and inputs as safe HTML. They name themselves `block_id/action_id`; a script does the rest."""

import json
from typing import Protocol

from bot.playground.shapes import Obj, as_list, as_obj, as_objs, as_text, inner
from bot.playground.wording import shown
from bot.playground.workspace import Workspace

INPUT_KINDS = {
    "plain_text_input": "text",
    "email_text_input": "email",
    "url_text_input": "url",
    "number_input": "number",
    "datepicker": "date",
    "timepicker": "time",
    "datetimepicker": "datetime-local",
}
INITIAL = ("value", "selected_date", "selected_time", "initial_value", "initial_date", "initial_time")


class Draw(Protocol):
    """What drawing a control needs to know of the renderer."""

    workspace: Workspace
    viewer: str

    def text(self, value: object) -> str: ...


def controls(draw: Draw, block: Obj, elements: list[Obj], state: Obj) -> str:
    """A row of controls."""
    drawn = "".join(element(draw, block, item, state) for item in elements)
    return f'<div class="controls">{drawn}</div>' if drawn else ""


def element(draw: Draw, block: Obj, item: Obj, state: Obj) -> str:
    """One control, or nothing when it is hidden from the viewer."""
    seen_by = as_list(item.get("visible_to_user_ids"))
    if seen_by and draw.viewer not in seen_by:
        return ""
    name = f"{as_text(block.get('block_id'))}/{as_text(item.get('action_id'))}"
    typed = inner(state, as_text(block.get("block_id")), as_text(item.get("action_id")))
    match as_text(item.get("type")):
        case "button" | "icon_button":
            return _button(draw, item, name)
        case "feedback_buttons":
            return _feedback(draw, item, name)
        case "static_select" | "multi_static_select" | "overflow" as kind:
            return _select(draw, item, name, typed, kind)
        case "users_select" | "multi_users_select" | "conversations_select" | "channels_select" as kind:
            return _directory(draw, name, typed, kind)
        case "checkboxes" | "radio_buttons" as kind:
            return _picks(draw, item, name, typed, kind)
        case kind:
            return _input(item, name, typed, kind)


def _confirmation(item: Obj) -> str:
    confirm = as_obj(item.get("confirm"))
    if not confirm:
        return ""
    words = {key: as_text(inner(confirm, key).get("text")) for key in ("title", "text", "confirm", "deny")}
    return f' data-confirm="{shown(json.dumps(words))}"'


def _button(draw: Draw, item: Obj, name: str) -> str:
    style = as_text(item.get("style"))
    kind = f"press {style}" if style in {"primary", "danger"} else "press"
    label = item.get("accessibility_label")
    said = f' aria-label="{shown(as_text(label))}"' if label else ""
    words, address = draw.text(item.get("text")), as_text(item.get("url"))
    if address.startswith(("http://", "https://")):
        where = f'href="{shown(address)}" title="{shown(address)}" target="_blank" rel="noopener noreferrer"'
        return f'<a class="{kind}" data-action="{shown(name)}" {where}{said}>{words}</a>'
    return (
        f'<button type="button" class="{kind}" data-action="{shown(name)}"{_confirmation(item)}{said}>{words}</button>'
    )


def _feedback(draw: Draw, item: Obj, name: str) -> str:
    out = ""
    for key, sign in (("positive_button", "👍"), ("negative_button", "👎")):
        part = as_obj(item.get(key))
        words = as_text(inner(part, "text").get("text"))
        out += (
            f'<button type="button" class="press feedback" data-action="{shown(name)}#{key}" title="{shown(words)}" '
            f'aria-label="{shown(words)}">{sign}</button>'
        )
    return out


def _options(draw: Draw, item: Obj, chosen: set[str]) -> str:
    groups = as_objs(item.get("option_groups"))
    if groups:
        return "".join(
            f'<optgroup label="{draw.text(group.get("label"))}">{_options(draw, group, chosen)}</optgroup>'
            for group in groups
        )
    out = ""
    for option in as_objs(item.get("options")):
        value = as_text(option.get("value"))
        picked = " selected" if value in chosen else ""
        words = shown(as_text(inner(option, "text").get("text")))
        out += f'<option value="{shown(value)}"{picked}>{words}</option>'
    return out


def _chosen(item: Obj, typed: Obj) -> set[str]:
    one = as_obj(typed.get("selected_option")) or as_obj(item.get("initial_option"))
    many = as_objs(typed.get("selected_options")) or as_objs(item.get("initial_options"))
    return {as_text(option.get("value")) for option in [one, *many] if option}


def _select(draw: Draw, item: Obj, name: str, typed: Obj, kind: str) -> str:
    empty = "…" if kind == "overflow" else as_text(inner(item, "placeholder").get("text")) or "Choose"
    multiple = kind.startswith("multi_")
    first = "" if multiple else f'<option value="">{shown(empty)}</option>'
    many = " multiple" if multiple else ""
    chosen = _chosen(item, typed)
    return (
        f'<select data-input="{shown(name)}" aria-label="{shown(empty)}"{many}{_confirmation(item)}>'
        f"{first}{_options(draw, item, chosen)}</select>"
    )


def _directory(draw: Draw, name: str, typed: Obj, kind: str) -> str:
    people = kind in {"users_select", "multi_users_select"}
    pairs = (
        [(person.id, person.name) for person in draw.workspace.people.values()]
        if people
        else [(room.id, f"#{room.name}") for room in draw.workspace.channels.values() if room.name]
    )
    now = [typed.get(key) for key in ("selected_user", "selected_channel", "selected_conversation")]
    options = "".join(
        f'<option value="{id}"{" selected" if id in now else ""}>{shown(words)}</option>' for id, words in pairs
    )
    many = " multiple" if kind.startswith("multi_") else ""
    first = '<option value="">Choose</option>'
    return f'<select data-input="{shown(name)}" aria-label="Choose"{many}>{first}{options}</select>'


def _picks(draw: Draw, item: Obj, name: str, typed: Obj, kind: str) -> str:
    chosen, box = _chosen(item, typed), "checkbox" if kind == "checkboxes" else "radio"
    out = ""
    for option in as_objs(item.get("options")):
        value = as_text(option.get("value"))
        on = " checked" if value in chosen else ""
        more = f'<span class="under">{draw.text(option["description"])}</span>' if option.get("description") else ""
        out += (
            f'<label class="pick"><input type="{box}" name="{shown(name)}" value="{shown(value)}"{on}> '
            f"<span>{draw.text(option.get('text'))}{more}</span></label>"
        )
    return f'<span class="picks" role="group" data-picks="{shown(name)}">{out}</span>'


def _input(item: Obj, name: str, typed: Obj, kind: str) -> str:
    now = next((value for value in [*map(typed.get, INITIAL[:3]), *map(item.get, INITIAL[3:])] if value), "")
    hint = shown(as_text(inner(item, "placeholder").get("text")))
    longest = item.get("max_length")
    most = f' maxlength="{longest}"' if isinstance(longest, int) else ""
    common = f'data-input="{shown(name)}" placeholder="{hint}"{most}'
    if item.get("multiline"):
        return f'<textarea rows="4" {common}>{shown(str(now))}</textarea>'
    shape = INPUT_KINDS.get(kind, "text")
    step = ' step="any"' if kind == "number_input" and item.get("is_decimal_allowed") else ""
    return f'<input type="{shape}" {common}{step} value="{shown(str(now))}">'
