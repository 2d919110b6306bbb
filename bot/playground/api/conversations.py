"""conversations.*: reading what was said, and who is where."""

from bot.playground.api.call import Call, page_of, paged
from bot.playground.messages import Message
from bot.playground.people import Channel
from bot.playground.shapes import Obj, SlackError


def _within(call: Call, message: Message) -> bool:
    oldest, latest, inclusive = call.text("oldest"), call.text("latest"), call.flag("inclusive")
    at = float(message.ts)
    if oldest and (at < float(oldest) or (at == float(oldest) and not inclusive)):
        return False
    return not (latest and (at > float(latest) or (at == float(latest) and not inclusive)))


def _ranged(call: Call, messages: list[Message]) -> list[Message]:
    try:
        return [message for message in messages if _within(call, message)]
    except ValueError:
        raise SlackError("invalid_arguments") from None


def _answer(call: Call, messages: list[Message], limit: int) -> Obj:
    found, cursor = page_of(messages, lambda message: message.ts, call.text("cursor"), limit)
    metadata = call.flag("include_all_metadata")
    return paged({"messages": [call.workspace.as_slack(item, metadata) for item in found]}, cursor)


async def replies(call: Call) -> Obj:
    """A thread, root first, oldest first. Raises `thread_not_found`."""
    channel, ts = call.channel(), call.need("ts")
    found = [message for message in call.workspace.thread(channel.id, ts) if not message.visible_to]
    if not found:
        raise SlackError("thread_not_found")
    root = found[:1] if found[0].ts == ts else []
    return _answer(call, root + _ranged(call, found[len(root) :]), call.number("limit", 1000, 1000))


async def history(call: Call) -> Obj:
    """Top-level messages, newest first."""
    channel = call.channel()
    found = _ranged(call, call.workspace.history(channel.id))
    return _answer(call, found[::-1], call.number("limit", 100, 999))


async def info(call: Call) -> Obj:
    channel = call.visible_channel()
    shown = channel.as_slack()
    if call.flag("include_num_members"):
        shown["num_members"] = len(channel.members)
    return {"channel": shown}


async def members(call: Call) -> Obj:
    channel = call.visible_channel()
    found, cursor = page_of(channel.members, str, call.text("cursor"), call.number("limit", 100, 1000))
    return paged({"members": found}, cursor)


def _listed(call: Call, channel: Channel) -> bool:
    wanted = (call.text("types") or "public_channel").split(",")
    kinds = {"channel": "public_channel", "group": "private_channel", "im": "im"}
    mine = channel.team == call.bot.team and (channel.kind == "channel" or call.bot.bot_user in channel.members)
    return mine and kinds[channel.kind] in wanted


async def list_(call: Call) -> Obj:
    """The conversations the bot may see, by `types`."""
    found = [channel for channel in call.workspace.channels.values() if _listed(call, channel)]
    page, cursor = page_of(found, lambda channel: channel.id, call.text("cursor"), call.number("limit", 100, 1000))
    return paged({"channels": [channel.as_slack() for channel in page]}, cursor)


async def open_(call: Call) -> Obj:
    """The DM with one person. Raises `user_not_found`; several people are `not_supported` here."""
    users = [user for user in call.text("users").split(",") if user]
    if not users and call.text("channel"):
        return {"channel": {"id": call.channel().id}}
    if len(users) != 1:
        raise SlackError("not_supported" if users else "users_list_not_supplied")
    person = call.workspace.person(users[0])
    if person.is_bot or person.team != call.bot.team:
        raise SlackError("cannot_dm_bot" if person.is_bot else "user_not_found")
    return {"channel": {"id": call.workspace.direct(person.id).id}}
