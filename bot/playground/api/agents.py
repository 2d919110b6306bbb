"""agents.sessions.* and assistant.threads.*: what a thread says about the agent working in it."""

import asyncio
import time

from bot.playground import changes
from bot.playground.api.call import Call
from bot.playground.messages import AgentSession
from bot.playground.shapes import Obj, SlackError, as_objs, as_text, decoded
from bot.playground.workspace import Workspace

STATUSES = {"active", "processing", "suspended", "closed"}


def set_session(call: Call, channel: str, thread_ts: str, status: str) -> AgentSession:
    """Sets a thread's session status, making the session when there is none. Raises `invalid_arguments`."""
    if status not in STATUSES:
        raise SlackError("invalid_arguments", response_metadata={"messages": [f"[ERROR] invalid status: {status}"]})
    sessions = call.workspace.sessions
    session = sessions.setdefault((channel, thread_ts), AgentSession(channel, thread_ts, status))
    session.status = status
    if status == "processing":
        session.processing_since = begun = time.monotonic()
        loop = asyncio.get_running_loop()
        loop.call_later(call.limits.processing_seconds, _lapse, call.workspace, session, begun)
    session.title = call.text("title") or session.title
    session.initiator = call.text("initiator_user_id") or session.initiator
    call.workspace.tell(changes.SessionChanged(session))
    return session


def _lapse(workspace: Workspace, session: AgentSession, begun: float) -> None:
    """Nobody renewed 'processing' in time: the thread stops claiming that something works."""
    if session.status == "processing" and session.processing_since == begun:
        session.status = "active"
        workspace.tell(changes.SessionChanged(session))


async def set_status(call: Call) -> Obj:
    """agents.sessions.setStatus: active, processing, suspended or closed; nothing else."""
    channel = call.channel("channel_id")
    session = set_session(call, channel.id, call.root(channel), call.need("status"))
    return {"channel_id": channel.id, "thread_ts": session.thread_ts, "status": session.status}


async def rename(call: Call) -> Obj:
    """agents.sessions.rename. Raises `session_not_found`."""
    channel, title = call.channel("channel_id"), call.need("title")
    session = call.workspace.sessions.get((channel.id, call.text("thread_ts")))
    if session is None:
        raise SlackError("session_not_found")
    session.title = title
    call.workspace.tell(changes.SessionChanged(session))
    return {"channel_id": channel.id, "thread_ts": session.thread_ts, "title": title}


def _thread_session(call: Call) -> AgentSession:
    channel = call.channel("channel_id")
    key = (channel.id, call.need("thread_ts"))
    return call.workspace.sessions.setdefault(key, AgentSession(*key, "active"))


async def thread_status(call: Call) -> Obj:
    """assistant.threads.setStatus: free text shown under the thread until the next post; empty clears it."""
    session = _thread_session(call)
    session.note = call.text("status")
    call.workspace.tell(changes.SessionChanged(session))
    return {}


async def thread_title(call: Call) -> Obj:
    """assistant.threads.setTitle."""
    session = _thread_session(call)
    session.title = call.need("title")
    call.workspace.tell(changes.SessionChanged(session))
    return {}


async def suggested_prompts(call: Call) -> Obj:
    """assistant.threads.setSuggestedPrompts: one to four prompts, each with a title and a message."""
    channel = call.channel("channel_id")
    try:
        prompts = as_objs(decoded(call.args.get("prompts")))
    except ValueError:
        raise SlackError("invalid_arguments") from None
    complete = all(as_text(prompt.get("title")) and as_text(prompt.get("message")) for prompt in prompts)
    if not 1 <= len(prompts) <= 4 or not complete:
        raise SlackError("invalid_arguments")
    call.workspace.prompts[channel.id] = {"title": call.text("title"), "prompts": prompts}
    call.workspace.tell(changes.PromptsChanged(channel.id))
    return {}
