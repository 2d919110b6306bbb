"""views.*: modals and App Home."""

from bot.playground import changes
from bot.playground.api.call import Call
from bot.playground.blocks import check_blocks
from bot.playground.checks import PLAIN, Check
from bot.playground.messages import View
from bot.playground.shapes import Obj, SlackError, as_obj, as_objs, decoded

PRIVATE_METADATA, TITLE, STACK = 3000, 24, 3


def checked_view(value: object, kind: str) -> Obj:
    """A view of `kind` (modal or home), its blocks numbered.

    Raises `invalid_arguments` with what is wrong, or `invalid_blocks`.
    """
    try:
        view = as_obj(decoded(value))
    except ValueError:
        raise SlackError("invalid_arguments") from None
    blocks = check_blocks(view.get("blocks"), kind)
    check = Check(kind)
    check.choice(view, "type", "/view", {kind}, required=True)
    check.string(view, "private_metadata", "/view", PRIVATE_METADATA)
    check.string(view, "callback_id", "/view", 255)
    if view.get("blocks") is None:
        check.fault("missing required field: blocks", "/view")
    if kind == "modal":
        check.need_text(view, "title", "/view", TITLE, PLAIN)
        check.text(view, "submit", "/view", TITLE, PLAIN)
        check.text(view, "close", "/view", TITLE, PLAIN)
        if any(block.get("type") == "input" for block in blocks) and not view.get("submit"):
            check.fault("`submit` is required when an input block is within blocks", "/view")
    if check.faults:
        raise SlackError("invalid_arguments", response_metadata={"messages": check.faults})
    return view | {"blocks": blocks}


def made_view(call: Call, user: str, body: Obj, previous: View | None = None) -> View:
    """A new view of `user`, kept in the workspace."""
    id = call.workspace.new_id("V")
    view = View(id, call.bot.team, user, body, call.workspace.new_id("h"), previous.root if previous else id)
    view.previous = previous.id if previous else ""
    call.workspace.views[id] = view
    return view


async def open_(call: Call) -> Obj:
    """Opens a modal for who owns the trigger. Raises `expired_trigger_id`, `invalid_trigger_id`."""
    body = checked_view(call.args.get("view"), "modal")
    user = call.site.triggers.spend(call.need("trigger_id"), call.limits.trigger_seconds)
    view = made_view(call, user, body)
    call.workspace.modals[user] = [view.id]
    return _told(call, view)


async def push(call: Call) -> Obj:
    """Puts a modal on top of the open one. Raises `push_limit_reached`, `not_found`."""
    body = checked_view(call.args.get("view"), "modal")
    user = call.site.triggers.spend(call.need("trigger_id"), call.limits.trigger_seconds)
    stack = call.workspace.modals[user]
    if not stack:
        raise SlackError("not_found")
    if len(stack) >= STACK:
        raise SlackError("push_limit_reached")
    view = made_view(call, user, body, call.workspace.views[stack[-1]])
    stack.append(view.id)
    return _told(call, view)


async def update(call: Call) -> Obj:
    """Replaces an open view, by view_id or external_id. Raises `not_found`, `hash_conflict`."""
    external = call.text("external_id")
    views = call.workspace.views
    view = views.get(call.text("view_id"))
    if external:
        view = next((item for item in views.values() if item.body.get("external_id") == external), None)
    if view is None or view.team != call.bot.team:
        raise SlackError("not_found")
    _check_hash(call, view)
    replace_body(call, view, checked_view(call.args.get("view"), str(view.body.get("type", "modal"))))
    return _told(call, view)


async def publish(call: Call) -> Obj:
    """Sets a person's App Home. Raises `user_not_found`, `hash_conflict`."""
    user = call.workspace.person(call.need("user_id"))
    if user.team != call.bot.team:
        raise SlackError("user_not_found")
    body = checked_view(call.args.get("view"), "home")
    known = call.workspace.homes.get((call.bot.team, user.id))
    if known:
        view = call.workspace.views[known]
        _check_hash(call, view)
        replace_body(call, view, body)
    else:
        view = made_view(call, user.id, body)
        call.workspace.homes[(call.bot.team, user.id)] = view.id
    return _told(call, view)


def replace_body(call: Call, view: View, body: Obj) -> None:
    """New content; what people typed into blocks that stay is kept."""
    typed = as_obj(as_obj(view.body.get("state")).get("values"))
    kept = {block["block_id"] for block in as_objs(body.get("blocks"))}
    values = {block: given for block, given in typed.items() if block in kept}
    view.body = body | {"state": {"values": values}}
    view.hash = call.workspace.new_id("h")


def _check_hash(call: Call, view: View) -> None:
    if call.text("hash") and call.text("hash") != view.hash:
        raise SlackError("hash_conflict")


def _told(call: Call, view: View) -> Obj:
    call.workspace.tell(changes.ViewsChanged(view.user))
    return {"view": view.as_slack(call.bot.bot_id)}
