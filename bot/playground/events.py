"""Turns changes of the workspace into the events an app subscribes to, field for field.

Pure apart from asking the workspace who is where; delivery sends what comes out of here.
"""

import secrets
import time
from typing import assert_never

from bot.playground import changes
from bot.playground.changes import Change
from bot.playground.messages import Message
from bot.playground.people import APP_ID, Channel
from bot.playground.shapes import Obj
from bot.playground.workspace import Workspace


def events_of(workspace: Workspace, change: Change) -> list[Obj]:
    """The complete event bodies a change causes; none where the bot is not a member."""
    match change:
        case changes.Posted(message):
            return _posted(workspace, message)
        case changes.Edited(message, before):
            return _message_event(workspace, message, _edited(workspace, message, before))
        case changes.Deleted(message):
            return _message_event(workspace, message, _deleted(workspace, message))
        case changes.Stopped(channel, thread_ts, user, streams):
            return _in(workspace, workspace.channel(channel), _stopped(channel, thread_ts, user, streams))
        case changes.HomeOpened(user, channel, tab):
            return _in(workspace, workspace.channel(channel), _home_opened(workspace, user, channel, tab))
        case changes.SessionRenamed(session, user):
            renamed: Obj = {
                "type": "agent_session_title_changed",
                "channel": session.channel,
                "thread_ts": session.thread_ts,
                "title": session.title,
                "user": user,
            }
            return _in(workspace, workspace.channel(session.channel), renamed)
        case changes.Uninstalled(team, tokens):
            revoked: Obj = {
                "type": "tokens_revoked",
                "tokens": {"oauth": [], "bot": [workspace.bot_of(team)] * len(tokens)},
            }
            return [envelope(workspace, team, revoked), envelope(workspace, team, {"type": "app_uninstalled"})]
        case (
            changes.Redrawn()
            | changes.SessionChanged()
            | changes.ViewsChanged()
            | changes.PromptsChanged()
            | changes.Noticed()
            | changes.AppConnected()
        ):
            return []
        case _:
            assert_never(change)


def envelope(workspace: Workspace, team: str, event: Obj, channel: Channel | None = None) -> Obj:
    """An event_callback body around an event."""
    stamped = {"event_ts": workspace.new_ts()} | event
    return {
        "token": "playground",
        "team_id": team,
        "context_team_id": team,
        "context_enterprise_id": None,
        "api_app_id": APP_ID,
        "event": stamped,
        "type": "event_callback",
        "event_id": "Ev" + secrets.token_hex(6).upper(),
        "event_time": int(time.time()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": team,
                "user_id": workspace.bot_of(team),
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": bool(channel and channel.is_shared),
        "event_context": "4-playground",
    }


def _in(workspace: Workspace, channel: Channel, event: Obj) -> list[Obj]:
    if not workspace.has_bot(channel):
        return []
    return [envelope(workspace, channel.team, event, channel)]


def _posted(workspace: Workspace, message: Message) -> list[Obj]:
    channel = workspace.channel(message.channel)
    said = {
        **message.as_slack(workspace.files_of(message)),
        "channel": channel.id,
        "channel_type": channel.kind,
        "event_ts": message.ts,
    }
    said.pop("streaming_state", None)
    if message.metadata:
        said["metadata"] = message.metadata
    if message.team != channel.team:
        said |= {"user_team": message.team, "source_team": message.team}
    if message.thread_ts and message.thread_ts != message.ts:
        root = workspace.find(channel.id, message.thread_ts)
        said["parent_user_id"] = root.user if root else ""
    events = _message_event(workspace, message, said)
    bot = workspace.bot_of(channel.team)
    if channel.kind != "im" and not message.bot_id and f"<@{bot}>" in message.text:
        mention = {key: value for key, value in said.items() if key not in {"channel_type", "subtype"}}
        events += _message_event(workspace, message, mention | {"type": "app_mention"})
    return events


def _message_event(workspace: Workspace, message: Message, event: Obj) -> list[Obj]:
    if message.visible_to:
        return []
    return _in(workspace, workspace.channel(message.channel), event)


def _hidden(workspace: Workspace, message: Message, subtype: str) -> Obj:
    now = workspace.new_ts()
    return {
        "type": "message",
        "subtype": subtype,
        "hidden": True,
        "channel": message.channel,
        "channel_type": workspace.channel(message.channel).kind,
        "ts": now,
        "event_ts": now,
    }


def _edited(workspace: Workspace, message: Message, before: Obj) -> Obj:
    now = workspace.as_slack(message, with_metadata=True)
    team = _foreign(workspace, message)
    return _hidden(workspace, message, "message_changed") | {"message": now | team, "previous_message": before} | team


def _deleted(workspace: Workspace, message: Message) -> Obj:
    gone: Obj = {"deleted_ts": message.ts, "previous_message": workspace.as_slack(message)}
    return _hidden(workspace, message, "message_deleted") | gone


def _foreign(workspace: Workspace, message: Message) -> Obj:
    if message.team == workspace.channel(message.channel).team:
        return {}
    return {"user_team": message.team, "source_team": message.team}


def _stopped(channel: str, thread_ts: str, user: str, streams: tuple[str, ...]) -> Obj:
    return {
        "type": "agent_session_stopped",
        "channel": channel,
        "thread_ts": thread_ts,
        "user": user,
        "streaming_message_ts": list(streams),
    }


def _home_opened(workspace: Workspace, user: str, channel: str, tab: str) -> Obj:
    opened: Obj = {"type": "app_home_opened", "user": user, "channel": channel, "tab": tab}
    team = workspace.channel(channel).team
    known = workspace.homes.get((team, user))
    installed = workspace.installed(team)
    if tab == "home" and known and installed:
        opened["view"] = workspace.views[known].as_slack(installed.bot_id)
    return opened
