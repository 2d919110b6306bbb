"""What pressing, choosing and submitting sends to the app, and what its answers do.

Hides where in a message or view an element stands, and how typed values become the `state` an app reads.
"""

import time
from collections.abc import Iterator

from bot.playground import changes
from bot.playground.api.call import Call
from bot.playground.api.views import checked_view, made_view, replace_body
from bot.playground.messages import Installation, Message, View
from bot.playground.people import APP_ID, Channel, Person
from bot.playground.shapes import Obj, SlackError, as_list, as_obj, as_objs, as_text, inner
from bot.playground.site import Site

Values = dict[str, object]
OPTION_KINDS = {"static_select", "radio_buttons", "overflow"}
MANY_KINDS = {"checkboxes", "multi_static_select"}
VALUE_KEYS = {
    "users_select": "selected_user",
    "channels_select": "selected_channel",
    "conversations_select": "selected_conversation",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "multi_users_select": "selected_users",
}


def elements_of(blocks: list[Obj]) -> Iterator[tuple[str, Obj]]:
    """Every interactive element with its block_id, in reading order; feedback buttons as one element."""
    for block in blocks:
        id = as_text(block.get("block_id"))
        children = [*as_objs(block.get("elements")), *as_objs(block.get("actions"))]
        for key in ("accessory", "element"):
            children += [as_obj(block[key])] if block.get(key) else []
        yield from ((id, child) for child in children if child.get("action_id"))
        yield from elements_of(as_objs(block.get("child_blocks")))


def find_element(blocks: list[Obj], wanted: str, user: str) -> tuple[str, Obj, Obj]:
    """(block_id, element, pressed part) for an action_id, a block_id/action_id, a button's words or its value.

    Names win over words, words over values. Raises SlackError `no_such_button` when there is none, or none this
    person may see.
    """
    for rank in range(3):
        for block_id, element in elements_of(blocks):
            seen_by = as_list(element.get("visible_to_user_ids"))
            if seen_by and user not in seen_by:
                continue
            for part, names in _parts(block_id, element):
                words = as_text(inner(part, "text").get("text"))
                if wanted in (names, {words}, {as_text(part.get("value"))})[rank]:
                    return block_id, element, part
    raise SlackError("no_such_button", wanted=wanted)


def _parts(block_id: str, element: Obj) -> list[tuple[Obj, set[str]]]:
    """What can be pressed in an element, each with its names; feedback buttons are two."""
    action = as_text(element.get("action_id"))
    if element.get("type") != "feedback_buttons":
        return [(element, {action, f"{block_id}/{action}"})]
    keys = ("positive_button", "negative_button")
    return [(as_obj(element.get(key)), {f"{block_id}/{action}#{key}", f"{action}#{key}"}) for key in keys]


def typed_state(blocks: list[Obj], values: Values) -> Obj:
    """The `state.values` of blocks, from values keyed by action_id or block_id/action_id."""
    state: Obj = {}
    for block_id, element in elements_of(blocks):
        if element.get("type") in {"button", "feedback_buttons", "icon_button", "overflow", "image"}:
            continue
        action = element["action_id"]
        given = values.get(f"{block_id}/{action}", values.get(action))
        state.setdefault(block_id, {})[action] = chosen(element, given)
    return state


def chosen(element: Obj, given: object) -> Obj:
    """One element's value as the app reads it; without one, the element's initial value."""
    kind = as_text(element.get("type"))
    if kind in OPTION_KINDS:
        return {"type": kind, "selected_option": _option(element, given) or element.get("initial_option")}
    if kind in MANY_KINDS:
        wanted = [str(item) for item in as_list(given)]
        picked = [option for option in (_option(element, item) for item in wanted) if option]
        return {"type": kind, "selected_options": picked if given is not None else element.get("initial_options", [])}
    if kind in VALUE_KEYS:
        key = VALUE_KEYS[kind]
        return {"type": kind, key: given or element.get(key.replace("selected", "initial"))}
    return {"type": kind, "value": given if given not in {None, ""} else element.get("initial_value")}


def _option(element: Obj, given: object) -> Obj | None:
    groups = as_objs(element.get("option_groups"))
    options = as_objs(element.get("options")) + [item for group in groups for item in as_objs(group.get("options"))]
    for option in options:
        if given is not None and given in {option.get("value"), inner(option, "text").get("text")}:
            return option
    return None


def action_of(block_id: str, element: Obj, part: Obj, given: object) -> Obj:
    """The entry of `actions[]` for a press."""
    kind = as_text(element.get("type"))
    action: Obj = {
        "type": kind,
        "action_id": element["action_id"],
        "block_id": block_id,
        "action_ts": f"{time.time():.6f}",
    }
    if kind in {"button", "feedback_buttons", "icon_button"}:
        action["text"] = part.get("text")
        if part.get("value") is not None:
            action["value"] = part["value"]
        if part.get("style"):
            action["style"] = part["style"]
        return action
    return action | chosen(element, given)


def person_part(person: Person) -> Obj:
    return {"id": person.id, "username": person.handle, "name": person.handle, "team_id": person.team}


def base_payload(site: Site, person: Person, installed: Installation, kind: str) -> Obj:
    """What every interaction carries."""
    team = site.workspace.teams[installed.team]
    return {
        "type": kind,
        "user": person_part(person),
        "api_app_id": APP_ID,
        "token": "playground",
        "team": {"id": team.id, "domain": team.domain},
        "enterprise": None,
        "is_enterprise_install": False,
        "trigger_id": site.triggers.issue(person.id),
    }


def message_press(site: Site, person: Person, channel: Channel, message: Message) -> Obj:
    """The payload of a press in a message, without actions and state."""
    installed = site.workspace.installed(channel.team)
    if installed is None:
        raise SlackError("app_not_installed")
    container: Obj = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": bool(message.visible_to),
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    secret = site.triggers.grant(person.id, channel.id, message.ts)
    pressed = base_payload(site, person, installed, "block_actions") | {
        "container": container,
        "channel": {"id": channel.id, "name": "directmessage" if channel.kind == "im" else channel.name},
        "response_url": f"{site.workspace.base_url}/response/{secret}",
    }
    if not message.visible_to:
        pressed["message"] = site.workspace.as_slack(message, with_metadata=True)
    return pressed


def view_press(site: Site, person: Person, view: View) -> Obj:
    """The payload of a press in a view, without actions."""
    installed = site.workspace.installed(view.team)
    if installed is None:
        raise SlackError("app_not_installed")
    shown = view.as_slack(installed.bot_id)
    return base_payload(site, person, installed, "block_actions") | {
        "container": {"type": "view", "view_id": view.id},
        "view": shown,
        "state": shown["state"],
    }


def submission(site: Site, person: Person, view: View, kind: str) -> Obj:
    """The payload of view_submission or view_closed."""
    installed = site.workspace.installed(view.team)
    if installed is None:
        raise SlackError("app_not_installed")
    payload = base_payload(site, person, installed, kind) | {"view": view.as_slack(installed.bot_id)}
    return payload | ({"response_urls": []} if kind == "view_submission" else {"is_cleared": False})


def apply_response(site: Site, view: View, answer: Obj) -> Obj:
    """Does what the app answered to a submission; returns `{errors}` for the person, empty when all is well."""
    stack = site.workspace.modals[view.user]
    match answer.get("response_action"):
        case "errors":
            return {"errors": as_obj(answer.get("errors"))}
        case "clear":
            stack.clear()
        case "update" | "push" as kind:
            body = checked_view(answer.get("view"), "modal")
            call = Call(site, {}, site.workspace.installed(view.team))
            if kind == "update":
                replace_body(call, view, body)
            else:
                stack.append(made_view(call, view.user, body, view).id)
        case _:
            if view.id in stack:
                stack.remove(view.id)
    site.workspace.tell(changes.ViewsChanged(view.user))
    return {}
