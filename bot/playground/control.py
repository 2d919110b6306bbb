"""The table of operations behind the driver: the same whether called in the process or over /_control.

People's acts go through the doors; the rest are switches no person has (trouble, limits, installs) and looking.
Arguments and answers are JSON objects, so both ways carry the same values.
"""

import base64
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeAlias, cast

from bot.playground.chaos import Fault
from bot.playground.doors import Doors, Press
from bot.playground.people import Channel, Person
from bot.playground.shapes import Obj, SlackError, as_list, as_obj, as_objs, as_text
from bot.playground.webhooks import Refused
from bot.playground.wording import sent_form

Operation: TypeAlias = Callable[[Doors, Obj], Awaitable[Obj]]


def _at(doors: Doors, args: Obj) -> tuple[Person, Channel]:
    person = doors.who(as_text(args.get("person")))
    return person, doors.where(person, as_text(args.get("channel")))


def _words(doors: Doors, channel: Channel, args: Obj) -> str:
    """The text as it travels; `typed` is text as a person typed it, `text` is in that form already."""
    if args.get("typed") is not None:
        return sent_form(doors.workspace, as_text(args["typed"]), channel.team)
    return as_text(args.get("text"))


async def say(doors: Doors, args: Obj) -> Obj:
    person, channel = _at(doors, args)
    files = [
        doors.upload(person, as_text(item.get("name")), base64.b64decode(as_text(item.get("content"))))
        for item in as_objs(args.get("files"))
    ]
    files += doors.uploaded(person, [str(item) for item in as_list(args.get("file_ids"))])
    text, thread_ts = _words(doors, channel, args), as_text(args.get("thread_ts"))
    posted = doors.say(person, channel, text, thread_ts, files)
    return {"ts": posted.ts, "channel": channel.id}


async def edit(doors: Doors, args: Obj) -> Obj:
    person, channel = _at(doors, args)
    doors.edit(person, channel, as_text(args.get("ts")), _words(doors, channel, args))
    return {}


async def delete(doors: Doors, args: Obj) -> Obj:
    person, channel = _at(doors, args)
    doors.delete(person, channel, as_text(args.get("ts")))
    return {}


async def react(doors: Doors, args: Obj) -> Obj:
    person, channel = _at(doors, args)
    doors.react(person, channel, as_text(args.get("ts")), as_text(args.get("name")))
    return {}


async def press(doors: Doors, args: Obj) -> Obj:
    person = doors.who(as_text(args.get("person")))
    channel = doors.where(person, args["channel"]).id if args.get("channel") else ""
    wanted = Press(as_text(args.get("place")), as_text(args.get("wanted")), channel, as_obj(args.get("values")))
    return await doors.press(person, wanted)


async def forge(doors: Doors, args: Obj) -> Obj:
    return await doors.forge(as_obj(args.get("payload")))


async def submit(doors: Doors, args: Obj) -> Obj:
    person = doors.who(as_text(args.get("person")))
    return await doors.submit(person, as_text(args.get("view_id")), as_obj(args.get("values")))


async def close_view(doors: Doors, args: Obj) -> Obj:
    return await doors.close_view(doors.who(as_text(args.get("person"))), as_text(args.get("view_id")))


async def open_app(doors: Doors, args: Obj) -> Obj:
    doors.open_app(doors.who(as_text(args.get("person"))), as_text(args.get("tab")) or "home")
    return {}


async def stop(doors: Doors, args: Obj) -> Obj:
    person, channel = _at(doors, args)
    doors.stop(person, channel, as_text(args.get("thread_ts")))
    return {}


async def rename(doors: Doors, args: Obj) -> Obj:
    person, channel = _at(doors, args)
    doors.rename(person, channel, as_text(args.get("thread_ts")), as_text(args.get("title")))
    return {}


async def messages(doors: Doors, args: Obj) -> Obj:
    """Messages with metadata, blocks and files, oldest first; `visible_to` marks ephemeral ones."""
    name, root = as_text(args.get("channel")), as_text(args.get("thread_ts"))
    channel = doors.workspace.channel(name)
    found = doors.workspace.thread(channel.id, root) if root else doors.workspace.everything(channel.id)
    shown: list[Obj] = []
    for message in found:
        item = doors.workspace.as_slack(message, with_metadata=True)
        shown.append(item | {"visible_to": message.visible_to, "thread_ts": message.thread_ts})
    return {"messages": shown}


async def views(doors: Doors, args: Obj) -> Obj:
    """A person's modals, the top one last, and their App Home (null before the first publish)."""
    person = doors.who(as_text(args.get("person")))
    space = doors.workspace
    home = space.homes.get((person.team, person.id))
    return {
        "modals": [view.as_slack("") for view in space.modals_of(person.id)],
        "home": space.views[home].as_slack("") if home else None,
    }


async def file(doors: Doors, args: Obj) -> Obj:
    found = doors.workspace.files.get(as_text(args.get("id")))
    if found is None or found.content is None:
        raise SlackError("file_not_found")
    return found.as_slack(doors.workspace.base_url) | {"content": base64.b64encode(found.content).decode()}


async def status(doors: Doors, args: Obj) -> Obj:
    """Agent sessions, prompts, notices, open connections and events under way."""
    space, delivery = doors.workspace, doors.site.delivery
    sessions = [
        {
            "channel": item.channel,
            "thread_ts": item.thread_ts,
            "status": item.status,
            "title": item.title,
            "note": item.note,
        }
        for item in space.sessions.values()
    ]
    return {
        "sessions": sessions,
        "prompts": space.prompts,
        "notices": space.notices,
        "sockets": delivery.sockets.count,
        "pending": delivery.pending,
        "delivered": delivery.delivered,
        "abandoned": delivery.abandoned,
        "tokens": {item.token: item.team for item in space.installations.values()},
    }


async def limits(doors: Doors, args: Obj) -> Obj:
    """Replaces fields of Limits, such as rates, scale, stream_seconds, ack_seconds, retry_seconds."""
    given = args | ({"retry_seconds": tuple(args["retry_seconds"])} if "retry_seconds" in args else {})
    doors.site.limits = replace(doors.site.limits, **given)
    return {}


async def chaos(doors: Doors, args: Obj) -> Obj:
    """Sets shares and delays: duplicates, delays, longest_delay, calls, seed; with calm, all off first."""
    switches = doors.site.chaos
    if args.get("calm"):
        switches.calm()
    for name in ("duplicates", "delays", "longest_delay", "calls"):
        if name in args:
            setattr(switches, name, float(args[name]))
    if "seed" in args:
        switches.seed(int(args["seed"]))
    return {}


async def fail(doors: Doors, args: Obj) -> Obj:
    """The next `count` calls of `method` answer 429, 500 or are cut, before or after taking effect."""
    kind, when = as_text(args.get("kind")), as_text(args.get("when")) or "before"
    if kind not in {"429", "500", "cut"} or when not in {"before", "after"}:
        raise SlackError("invalid_arguments")
    fault = Fault(cast(Any, kind), cast(Any, when))
    doors.site.chaos.fail(as_text(args.get("method")), fault, int(args.get("count", 1)))
    return {}


async def drop_sockets(doors: Doors, args: Obj) -> Obj:
    return {"count": await doors.site.delivery.sockets.drop()}


async def refresh_sockets(doors: Doors, args: Obj) -> Obj:
    return {"count": await doors.site.delivery.sockets.refresh()}


async def deliver_to(doors: Doors, args: Obj) -> Obj:
    """Events and interactions go to this address by HTTP; an empty one means Socket Mode again."""
    try:
        await doors.site.delivery.webhooks.aim(as_text(args.get("url")))
    except Refused as error:
        doors.site.delivery.webhooks.url = ""
        raise SlackError("url_verification_failed", reason=str(error)) from error
    return {}


async def rotation(doors: Doors, args: Obj) -> Obj:
    """Whether installs from now on rotate their tokens, and how long a token lives (seconds)."""
    doors.site.rotating = bool(args.get("on", True))
    doors.site.token_seconds = int(args.get("seconds", 43_200))
    return {}


async def uninstall(doors: Doors, args: Obj) -> Obj:
    doors.workspace.uninstall(as_text(args.get("team")))
    return {}


async def join(doors: Doors, args: Obj) -> Obj:
    """Puts people into a channel and takes people out of it, by user id."""
    channel = doors.workspace.channel(as_text(args.get("channel")))
    leaving = as_list(args.get("leave"))
    kept = [member for member in channel.members if member not in leaving]
    channel.members = list(dict.fromkeys([*kept, *(str(item) for item in as_list(args.get("add")))]))
    return {}


OPERATIONS: dict[str, Operation] = {
    "chaos": chaos,
    "close_view": close_view,
    "delete": delete,
    "deliver_to": deliver_to,
    "drop_sockets": drop_sockets,
    "edit": edit,
    "fail": fail,
    "file": file,
    "forge": forge,
    "join": join,
    "limits": limits,
    "messages": messages,
    "open_app": open_app,
    "press": press,
    "react": react,
    "refresh_sockets": refresh_sockets,
    "rename": rename,
    "rotation": rotation,
    "say": say,
    "status": status,
    "stop": stop,
    "submit": submit,
    "uninstall": uninstall,
    "views": views,
}
