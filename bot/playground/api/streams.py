"""chat.startStream, appendStream, stopStream: messages that grow while they are read.

Hides the life of a stream: it dies after `Limits.stream_seconds` (five minutes) even while being appended to,
and is then an ordinary message with what it had.
"""

import asyncio
import time
from typing import Any

from bot.playground.api.agents import set_session
from bot.playground.api.call import Call
from bot.playground.blocks import check_blocks
from bot.playground.elements import TASK_STATES
from bot.playground.limits import check_metadata, check_stream_text
from bot.playground.messages import Message, Stream
from bot.playground.shapes import Obj, SlackError, as_list, as_objs, as_text, decoded
from bot.playground.workspace import Workspace

MODES = {"", "timeline", "plan"}


async def start(call: Call) -> Obj:
    """Opens a stream in a thread.

    Raises `missing_recipient_team_id` and `missing_recipient_user_id` outside direct messages.
    """
    channel = call.channel()
    call.need("thread_ts")
    thread_ts = call.root(channel)
    if channel.kind != "im":
        for key in ("recipient_team_id", "recipient_user_id"):
            if not call.text(key):
                raise SlackError(f"missing_{key}")
    mode = call.text("task_display_mode")
    if mode not in MODES:
        raise SlackError("invalid_arguments")
    stream = Stream(started=time.monotonic(), mode=mode or "timeline")
    grow(stream, call)
    message = Message("", channel.id, call.bot.bot_user, call.bot.team, stream.text, thread_ts, bot_id=call.bot.bot_id)
    message.stream = stream
    call.workspace.post(message)
    asyncio.get_running_loop().call_later(call.limits.stream_seconds, settle, call.workspace, message)
    return {"channel": channel.id, "ts": message.ts}


async def append(call: Call) -> Obj:
    """Adds text or chunks. Raises `message_not_in_streaming_state`."""
    message, stream = _live(call)
    grow(stream, call)
    message.text = stream.text
    call.workspace.redraw(message)
    return {"channel": message.channel, "ts": message.ts}


async def stop(call: Call) -> Obj:
    """Ends the stream; the message is an ordinary one from here on."""
    message, stream = _live(call)
    blocks = check_blocks(call.args.get("blocks"))
    metadata = check_metadata(call.args.get("metadata"))
    grow(stream, call)
    stream.blocks.extend(blocks)
    message.metadata = metadata or message.metadata
    settle(call.workspace, message)
    if call.text("session_status"):
        set_session(call, message.channel, message.thread_ts, call.text("session_status"))
    shown = call.workspace.as_slack(message, with_metadata=True)
    return {"channel": message.channel, "ts": message.ts, "message": shown}


def settle(workspace: Workspace, message: Message) -> None:
    """Turns a stream into an ordinary message; does nothing to one that already is."""
    stream = message.stream
    if stream is None:
        return
    message.stream = None
    blocks = [
        {**block, "block_id": block.get("block_id") or f"s{index}"} for index, block in enumerate(stream.as_blocks())
    ]
    workspace.edit(message, stream.text, blocks, message.user)


def grow(stream: Stream, call: Call) -> None:
    """Adds a call's `markdown_text` and `chunks` to the stream; all or nothing."""
    text = call.text("markdown_text")
    try:
        chunks: Any = decoded(call.args.get("chunks"))
    except ValueError:
        raise SlackError("invalid_chunks") from None
    if text and chunks:
        raise SlackError("invalid_arguments")
    check_stream_text(text)
    parts = as_objs(chunks)
    if len(parts) != len(as_list(chunks)):
        raise SlackError("invalid_chunks")
    for part in parts:
        _check_chunk(part)
    stream.text += text
    for part in parts:
        _add_chunk(stream, part)


def _check_chunk(part: Obj) -> None:
    match part.get("type"):
        case "markdown_text" if isinstance(part.get("text"), str):
            check_stream_text(as_text(part["text"]))
        case "plan_update" if as_text(part.get("title")):
            pass
        case "task_update" if as_text(part.get("id")) and as_text(part.get("title")):
            if part.get("status") not in TASK_STATES:
                raise SlackError("invalid_chunks")
        case "blocks":
            check_blocks(part.get("blocks"))
        case _:
            raise SlackError("invalid_chunks")


def _add_chunk(stream: Stream, part: Obj) -> None:
    match part["type"]:
        case "markdown_text":
            stream.text += part["text"]
        case "plan_update":
            stream.plan_title = part["title"]
        case "task_update":
            _add_task(stream, part)
        case _:
            stream.blocks.extend(check_blocks(part.get("blocks")))


def _add_task(stream: Stream, part: Obj) -> None:
    """A task chunk adds to what is known of its task: title and status replace, details and output grow."""
    card = stream.tasks.setdefault(part["id"], {"type": "task_card", "task_id": part["id"]})
    card |= {"title": part["title"], "status": part["status"]}
    for key in ("details", "output"):
        if as_text(part.get(key)):
            card[key] = _rich(as_text(part[key]))
    if part.get("sources"):
        card["sources"] = as_objs(part["sources"])


def _rich(text: str) -> Obj:
    leaf: Obj = {"type": "text", "text": text}
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [leaf]}]}


def _live(call: Call) -> tuple[Message, Stream]:
    channel = call.channel()
    message = call.own(channel, "message_not_owned_by_app")
    if message.stream is None:
        raise SlackError("message_not_in_streaming_state")
    if time.monotonic() - message.stream.started > call.limits.stream_seconds:
        settle(call.workspace, message)
        raise SlackError("message_not_in_streaming_state")
    return message, message.stream
