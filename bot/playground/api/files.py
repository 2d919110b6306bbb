"""files.*: the three-step upload, looking up and deleting.

The bytes themselves arrive at the upload address and leave through the private one; see the site's routes.
"""

import secrets
import time

from bot.playground.api.call import Call
from bot.playground.blocks import check_blocks
from bot.playground.messages import Message, StoredFile
from bot.playground.shapes import Obj, SlackError, as_objs, as_text, decoded

FILE_LIMIT = 1 << 30


async def get_upload_url(call: Call) -> Obj:
    """Where to POST the bytes of one file. Raises `invalid_arguments`."""
    name, length = call.need("filename"), call.need("length")
    if not length.isdecimal() or not 0 < int(length) <= FILE_LIMIT:
        raise SlackError("invalid_arguments")
    made = StoredFile(
        id=call.workspace.new_id("F"),
        name=name,
        title="",
        user=call.bot.bot_user,
        team=call.bot.team,
        created=int(time.time()),
        secret=secrets.token_urlsafe(16),
        expected=int(length),
        alt_text=call.text("alt_txt"),
    )
    call.workspace.files[made.id] = made
    return {"upload_url": f"{call.workspace.base_url}/upload/v1/{made.id}/{made.secret}", "file_id": made.id}


def _uploaded(call: Call) -> list[StoredFile]:
    try:
        given = as_objs(decoded(call.args.get("files")))
    except ValueError:
        raise SlackError("invalid_arguments") from None
    if not given:
        raise SlackError("invalid_arguments")
    found: list[StoredFile] = []
    for item in given:
        file = call.workspace.files.get(as_text(item.get("id")))
        if file is None or file.content is None or file.user != call.bot.bot_user:
            raise SlackError("file_not_found")
        file.title = as_text(item.get("title")) or file.name
        found.append(file)
    return found


async def complete_upload(call: Call) -> Obj:
    """Shares uploaded files, all in one message. Raises `file_not_found`, `channel_not_found`."""
    files = _uploaded(call)
    names = call.text("channel_id") or call.text("channels")
    blocks = check_blocks(call.args.get("blocks"))
    for name in filter(None, names.split(",")):
        there = Call(call.site, call.args | {"channel": name}, call.installed)
        channel = there.channel()
        call.workspace.post(
            Message(
                ts="",
                channel=channel.id,
                user=call.bot.bot_user,
                team=call.bot.team,
                text=call.text("initial_comment"),
                thread_ts=there.root(channel),
                blocks=blocks,
                files=[file.id for file in files],
                bot_id=call.bot.bot_id,
                subtype="file_share",
            )
        )
    return {"files": [file.as_slack(call.workspace.base_url) for file in files]}


def _known(call: Call) -> StoredFile:
    file = call.workspace.files.get(call.need("file"))
    if file is None or file.content is None or not may_fetch(call, file):
        raise SlackError("file_not_found")
    return file


def may_fetch(call: Call, file: StoredFile) -> bool:
    """The bot's own files, and those shared where the bot is."""
    rooms = [call.workspace.channels[room] for room in file.shared_in]
    return file.user == call.bot.bot_user or any(call.bot.bot_user in room.members for room in rooms)


async def info(call: Call) -> Obj:
    """Raises `file_not_found`."""
    return {"file": _known(call).as_slack(call.workspace.base_url), "comments": []}


async def delete(call: Call) -> Obj:
    """Deletes a file of the bot's own. Raises `file_not_found`, `cant_delete_file`."""
    file = _known(call)
    if file.user != call.bot.bot_user:
        raise SlackError("cant_delete_file")
    del call.workspace.files[file.id]
    for room in file.shared_in:
        for message in call.workspace.everything(room):
            if file.id in message.files:
                message.files.remove(file.id)
                call.workspace.redraw(message)
    return {}
