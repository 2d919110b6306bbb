"""The workspace itself: who is where, what was said, and the changes to it, told to whoever listens.

Hides how things are indexed. Nothing here speaks HTTP or judges limits: the API and the doors do that first.
All of it lives in memory and on one event loop; a change calls its listeners before the mutation returns.
"""

import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Iterable

from bot.playground import changes
from bot.playground.changes import Change
from bot.playground.messages import AgentSession, Installation, Message, StoredFile, View
from bot.playground.people import (
    ACME,
    BOT_TOKEN,
    BOT_USER,
    NORTH,
    NORTH_BOT_USER,
    PEOPLE,
    TEAMS,
    Channel,
    Person,
    Team,
    channels,
)
from bot.playground.shapes import Obj, SlackError

TOMBSTONE = "This message was deleted."
Listener = Callable[[Change], None]
BOT_USERS = {ACME: BOT_USER, NORTH: NORTH_BOT_USER}


class Workspace:
    """State of every team in the playground. `base_url` is set once the server knows its port."""

    def __init__(self) -> None:
        self.base_url = ""
        self.teams: dict[str, Team] = {team.id: team for team in TEAMS}
        self.people: dict[str, Person] = {person.id: person for person in PEOPLE}
        self.channels: dict[str, Channel] = {channel.id: channel for channel in channels()}
        self.files: dict[str, StoredFile] = {}
        self.views: dict[str, View] = {}
        self.modals: dict[str, list[str]] = defaultdict(list)
        self.homes: dict[tuple[str, str], str] = {}
        self.sessions: dict[tuple[str, str], AgentSession] = {}
        self.prompts: dict[str, Obj] = {}
        self.notices: list[Obj] = []
        self.installations: dict[str, Installation] = {}
        self._messages: dict[str, dict[str, Message]] = defaultdict(dict)
        self._threads: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._listeners: list[Listener] = []
        self._last_ts = 0
        self.install(ACME, BOT_TOKEN)

    # Listening

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def tell(self, change: Change) -> None:
        for listener in self._listeners:
            listener(change)

    # Looking

    def channel(self, channel_id: str) -> Channel:
        """The conversation, by its id, a member's user id (their DM with the bot) or its #name in Acme."""
        found = self.channels.get(channel_id)
        if found:
            return found
        name = channel_id.removeprefix("#")
        for channel in self.channels.values():
            if channel.kind == "im" and channel_id == channel.members[0]:
                return channel
            if channel.name == name and channel.team == ACME:
                return channel
        raise SlackError("channel_not_found")

    def person(self, user_id: str) -> Person:
        found = self.people.get(user_id)
        if not found:
            raise SlackError("user_not_found")
        return found

    def find(self, channel_id: str, ts: str) -> Message | None:
        return self._messages[channel_id].get(ts)

    def history(self, channel_id: str) -> list[Message]:
        """Top-level messages and broadcast replies, oldest first, without ephemeral ones."""
        return [
            message
            for message in self._messages[channel_id].values()
            if not message.visible_to
            and (message.thread_ts in {"", message.ts} or message.subtype == "thread_broadcast")
        ]

    def thread(self, channel_id: str, root: str) -> list[Message]:
        """The root and its replies, oldest first, ephemeral ones included."""
        kept = self._messages[channel_id]
        everyone = [root, *self._threads[(channel_id, root)]]
        return [kept[ts] for ts in everyone if ts in kept]

    def everything(self, channel_id: str) -> list[Message]:
        return list(self._messages[channel_id].values())

    def team_for(self, channel: Channel) -> str:
        """The team whose installation sees this channel."""
        return channel.team

    def bot_of(self, team: str) -> str:
        return BOT_USERS.get(team, "")

    def has_bot(self, channel: Channel) -> bool:
        return self.bot_of(channel.team) in channel.members and self.installed(channel.team) is not None

    def installed(self, team: str) -> Installation | None:
        """The newest installation of a team, or None."""
        found = [item for item in self.installations.values() if item.team == team]
        return found[-1] if found else None

    def as_slack(self, message: Message, with_metadata: bool = False) -> Obj:
        """The message object as the Web API returns it, with thread counts on a root."""
        shown = message.as_slack(self.files_of(message))
        if with_metadata and message.metadata:
            shown["metadata"] = message.metadata
        replies = [reply for reply in self.thread(message.channel, message.ts)[1:] if not reply.visible_to]
        if message.thread_ts in {"", message.ts} and replies:
            authors = list(dict.fromkeys(reply.user for reply in replies))
            shown |= {
                "thread_ts": message.ts,
                "reply_count": len(replies),
                "reply_users": authors,
                "reply_users_count": len(authors),
                "latest_reply": replies[-1].ts,
                "subscribed": False,
            }
        elif message.thread_ts:
            root = self.find(message.channel, message.thread_ts)
            shown["parent_user_id"] = root.user if root else ""
        return shown

    def files_of(self, message: Message) -> list[Obj]:
        return [self.files[id].as_slack(self.base_url) for id in message.files if id in self.files]

    # Changing

    def new_ts(self) -> str:
        """A timestamp later than every earlier one, in Slack's seconds.microseconds."""
        self._last_ts = max(self._last_ts + 1, int(time.time() * 1_000_000))
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def new_id(self, prefix: str) -> str:
        return prefix + secrets.token_hex(5).upper()

    def post(self, message: Message) -> Message:
        """Keeps a message (its ts is set here when empty) and tells the listeners."""
        message.ts = message.ts or self.new_ts()
        self._messages[message.channel][message.ts] = message
        if message.thread_ts and message.thread_ts != message.ts:
            self._threads[(message.channel, message.thread_ts)].append(message.ts)
        for file_id in message.files:
            shared = self.files[file_id].shared_in
            if message.channel not in shared:
                shared.append(message.channel)
        self.tell(changes.Posted(message))
        return message

    def edit(self, message: Message, text: str, blocks: list[Obj], by: str) -> None:
        """Replaces text and blocks; `by` a person marks it as edited, by the app leaves no mark."""
        before = self.as_slack(message)
        message.text, message.blocks = text, blocks
        if not message.bot_id:
            message.edited = {"user": by, "ts": self.new_ts()}
        self.tell(changes.Edited(message, before))

    def delete(self, message: Message) -> None:
        """Removes a message. A root with replies stays as a tombstone, as in the real service."""
        if any(not reply.visible_to for reply in self.thread(message.channel, message.ts)[1:]):
            before = self.as_slack(message)
            message.text, message.blocks, message.files, message.metadata = TOMBSTONE, [], [], None
            message.subtype, message.user, message.bot_id = "tombstone", "USLACKBOT", ""
            message.reactions.clear()
            self.tell(changes.Edited(message, before))
            return
        self._messages[message.channel].pop(message.ts, None)
        replies = self._threads.get((message.channel, message.thread_ts), [])
        if message.ts in replies:
            replies.remove(message.ts)
        self.tell(changes.Deleted(message))

    def redraw(self, message: Message) -> None:
        self.tell(changes.Redrawn(message))

    def install(self, team: str, token: str, installer: str = "") -> Installation:
        """Adds the app to a team: its bot joins #general there and gets `token`."""
        bot = self.person(self.bot_of(team))
        made = Installation(team, bot.id, bot.bot_id, token, installer=installer)
        self.installations[token] = made
        for channel in self.channels.values():
            if channel.team == team and channel.name == "general" and bot.id not in channel.members:
                channel.members.append(bot.id)
        return made

    def uninstall(self, team: str) -> None:
        tokens = tuple(token for token, item in self.installations.items() if item.team == team)
        self.tell(changes.Uninstalled(team, tokens))
        for token in tokens:
            del self.installations[token]

    def direct(self, user_id: str) -> Channel:
        """The DM between a person and the bot of their team, made when it is missing."""
        for channel in self.channels.values():
            if channel.kind == "im" and channel.members[0] == user_id:
                return channel
        person = self.person(user_id)
        bot = self.bot_of(person.team) or BOT_USER
        home = person.team if person.team in BOT_USERS else ACME
        made = Channel("D" + user_id[1:], home, "", "im", [user_id, bot])
        self.channels[made.id] = made
        return made

    def notice(self, text: str) -> Obj:
        """Puts text on the notice board; returns what GET /notices lists."""
        entry: Obj = {"id": len(self.notices) + 1, "text": text, "at": int(time.time())}
        self.notices.append(entry)
        self.tell(changes.Noticed(text))
        return entry

    def modals_of(self, user_id: str) -> Iterable[View]:
        return [self.views[id] for id in self.modals[user_id] if id in self.views]
