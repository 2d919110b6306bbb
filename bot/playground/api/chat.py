"""chat.*: posting, changing and removing messages."""

from typing import Any

from bot.playground import changes
from bot.playground.api.call import Call
from bot.playground.blocks import MARKDOWN_LIMIT, check_blocks
from bot.playground.limits import check_metadata, check_text
from bot.playground.messages import Message
from bot.playground.people import Channel
from bot.playground.shapes import Obj, SlackError


def content(call: Call) -> tuple[str, list[Obj]]:
    """Text and blocks of a post; `markdown_text` becomes a markdown block.

    Raises `markdown_text_conflict`, `msg_too_long` and whatever the blocks are refused for.
    """
    text, blocks, markdown = call.text("text"), check_blocks(call.args.get("blocks")), call.text("markdown_text")
    if not markdown:
        return text, blocks
    if text or blocks:
        raise SlackError("markdown_text_conflict")
    if len(markdown) > MARKDOWN_LIMIT:
        raise SlackError("msg_too_long")
    return markdown, check_blocks([{"type": "markdown", "text": markdown}])


def drafted(call: Call, channel: Channel) -> Message:
    """A message of the calling bot, checked but not posted yet."""
    text, blocks = content(call)
    check_text(text, blocks)
    return Message(
        ts="",
        channel=channel.id,
        user=call.bot.bot_user,
        team=call.bot.team,
        text=text,
        thread_ts=call.root(channel),
        blocks=blocks,
        metadata=check_metadata(call.args.get("metadata")),
        bot_id=call.bot.bot_id,
    )


async def post_message(call: Call) -> Obj:
    """Posts; with reply_broadcast the reply also shows in the channel."""
    channel = call.channel()
    message = drafted(call, channel)
    if message.thread_ts and call.flag("reply_broadcast"):
        message.subtype = "thread_broadcast"
    posted = call.workspace.post(message)
    session = call.workspace.sessions.get((channel.id, posted.thread_ts))
    if session and session.note:
        session.note = ""
        call.workspace.tell(changes.SessionChanged(session))
    shown = call.workspace.as_slack(posted, with_metadata=True)
    return {"channel": channel.id, "ts": posted.ts, "message": shown}


async def post_ephemeral(call: Call) -> Obj:
    """Posts for one person's eyes. Raises `user_not_in_channel`."""
    channel, user = call.channel(), call.need("user")
    if user not in channel.members:
        raise SlackError("user_not_in_channel")
    message = drafted(call, channel)
    message.visible_to = user
    return {"message_ts": call.workspace.post(message).ts}


async def update(call: Call) -> Obj:
    """Replaces text and blocks of an own message. Raises `cant_update_message`, `streaming_state_conflict`."""
    channel = call.channel()
    message = call.own(channel, "cant_update_message")
    if message.stream:
        raise SlackError("streaming_state_conflict")
    text, blocks = content(call)
    check_text(text, blocks, bool(message.files))
    replaced: Any = call.args.get("metadata")
    if replaced is not None:
        message.metadata = check_metadata(replaced)
    call.workspace.edit(message, text, blocks, call.bot.bot_user)
    shown = call.workspace.as_slack(message, with_metadata=True)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": shown}


async def delete(call: Call) -> Obj:
    """Removes an own message. Raises `cant_delete_message`."""
    channel = call.channel()
    message = call.own(channel, "cant_delete_message")
    if message.stream:
        raise SlackError("streaming_state_conflict")
    call.workspace.delete(message)
    return {"channel": channel.id, "ts": message.ts}


async def get_permalink(call: Call) -> Obj:
    """A link that opens the message on the page."""
    channel = call.visible_channel()
    message = call.message(channel, "message_ts")
    link = f"{call.workspace.base_url}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.thread_ts and message.thread_ts != message.ts:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}
