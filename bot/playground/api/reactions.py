"""reactions.add and reactions.remove."""

import re

from bot.playground.api.call import Call
from bot.playground.messages import Message
from bot.playground.shapes import Obj, SlackError

NAME = re.compile(r"^[a-z0-9_+'-]{1,100}(::skin-tone-[2-6])?$")


def _named(call: Call) -> tuple[Message, str]:
    name = call.need("name").strip(":")
    if not NAME.match(name):
        raise SlackError("invalid_name")
    return call.message(call.channel(), "timestamp"), name


async def add(call: Call) -> Obj:
    """Raises `already_reacted`, `invalid_name`, `message_not_found`."""
    message, name = _named(call)
    users = message.reactions.setdefault(name, [])
    if call.bot.bot_user in users:
        raise SlackError("already_reacted")
    users.append(call.bot.bot_user)
    call.workspace.redraw(message)
    return {}


async def remove(call: Call) -> Obj:
    """Raises `no_reaction`, `invalid_name`, `message_not_found`."""
    message, name = _named(call)
    users = message.reactions.get(name, [])
    if call.bot.bot_user not in users:
        raise SlackError("no_reaction")
    users.remove(call.bot.bot_user)
    if not users:
        del message.reactions[name]
    call.workspace.redraw(message)
    return {}
