"""What a person can do in the workspace. The page and the tests' driver both come through these doors.

Hides nothing from the app: each act ends in the same workspace change, event or interaction as on the page.
Every door checks that the person may be where they act, as the real client does.
"""

import secrets
import time
from dataclasses import dataclass

from bot.playground import changes
from bot.playground.blocks import check_blocks
from bot.playground.delivery import Unanswered
from bot.playground.interactions import (
    Values,
    action_of,
    apply_response,
    find_element,
    message_press,
    submission,
    typed_state,
    view_press,
)
from bot.playground.limits import check_text
from bot.playground.messages import Message, StoredFile, View
from bot.playground.people import Channel, Person
from bot.playground.shapes import Obj, SlackError, as_objs
from bot.playground.site import Site

FILE_MOST = 1 << 30


@dataclass(frozen=True, slots=True)
class Press:
    """A press on an element: of message `place` in `channel`, or of view `place` when channel is empty.

    `wanted` is an action_id, block_id/action_id or the words on the button; `values` are typed values by
    action_id.
    """

    place: str
    wanted: str
    channel: str = ""
    values: Values | None = None


class Doors:
    """One playground's doors. Names of people and channels are ids, handles or #names."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.workspace = site.workspace

    def who(self, name: str) -> Person:
        """A person by id or handle. Raises `user_not_found`."""
        by_handle = next((item for item in self.workspace.people.values() if item.handle == name), None)
        return self.workspace.people.get(name) or by_handle or self.workspace.person(name)

    def where(self, person: Person, name: str) -> Channel:
        """A conversation the person is in; 'dm' is theirs with the bot. Raises `not_in_channel`."""
        channel = self.workspace.direct(person.id) if name == "dm" else self.workspace.channel(name)
        if person.id not in channel.members:
            raise SlackError("not_in_channel")
        return channel

    def upload(self, person: Person, name: str, content: bytes) -> str:
        """Keeps a file of the person's; returns its id."""
        if len(content) > FILE_MOST:
            raise SlackError("file_too_large")
        made = StoredFile(
            id=self.workspace.new_id("F"),
            name=name,
            title=name,
            user=person.id,
            team=person.team,
            created=int(time.time()),
            secret=secrets.token_urlsafe(16),
            content=content,
        )
        self.workspace.files[made.id] = made
        return made.id

    def uploaded(self, person: Person, ids: list[str]) -> list[str]:
        """The ids again, when all are files of this person. Raises `file_not_found`."""
        for id in ids:
            if id not in self.workspace.files or self.workspace.files[id].user != person.id:
                raise SlackError("file_not_found")
        return ids

    def say(self, person: Person, channel: Channel, text: str, thread_ts: str, files: list[str]) -> Message:
        """Posts as a person. Raises `no_text`, `msg_too_long`, `thread_not_found`."""
        check_text(text, [], bool(files))
        if thread_ts and not self.workspace.thread(channel.id, thread_ts):
            raise SlackError("thread_not_found")
        message = Message("", channel.id, person.id, person.team, text, thread_ts, files=files)
        message.client_id = f"{secrets.token_hex(4)}-{secrets.token_hex(2)}-playground"
        message.subtype = "file_share" if files else ""
        return self.workspace.post(message)

    def edit(self, person: Person, channel: Channel, ts: str, text: str) -> None:
        """Changes an own message. Raises `cant_update_message`."""
        message = self._own(person, channel, ts, "cant_update_message")
        check_text(text, [], bool(message.files))
        self.workspace.edit(message, text, [], person.id)

    def delete(self, person: Person, channel: Channel, ts: str) -> None:
        """Removes an own message. Raises `cant_delete_message`."""
        self.workspace.delete(self._own(person, channel, ts, "cant_delete_message"))

    def react(self, person: Person, channel: Channel, ts: str, name: str) -> None:
        """Adds the reaction, or takes it back when it is there."""
        message = self._seen(person, channel, ts)
        users = message.reactions.setdefault(name, [])
        if person.id in users:
            users.remove(person.id)
            if not users:
                del message.reactions[name]
        else:
            users.append(person.id)
        self.workspace.redraw(message)

    async def press(self, person: Person, press: Press) -> Obj:
        """Presses a button or makes a choice. Returns {} or {error} when the app does not answer."""
        if press.channel:
            channel = self.where(person, press.channel)
            message = self._seen(person, channel, press.place)
            blocks, payload = message.blocks, message_press(self.site, person, channel, message)
            state = {"values": typed_state(blocks, press.values or {})}
            if any(state["values"].values()):
                payload["state"] = state
        else:
            view = self._view(person, press.place)
            blocks = as_objs(view.body.get("blocks"))
            view.body["state"] = {"values": typed_state(blocks, press.values or {})}
            payload = view_press(self.site, person, view)
        block_id, element, part = find_element(blocks, press.wanted, person.id)
        given = (press.values or {}).get(f"{block_id}/{element['action_id']}", (press.values or {}).get(press.wanted))
        payload["actions"] = [action_of(block_id, element, part, given)]
        return await self._sent(payload)

    async def forge(self, payload: Obj) -> Obj:
        """Delivers any interaction payload, for tests of forged and replayed presses."""
        return await self._sent(payload)

    async def submit(self, person: Person, view_id: str, values: Values) -> Obj:
        """Submits a modal. Returns {}, {errors: {block_id: why}} or {error} when the app does not answer."""
        view = self._view(person, view_id)
        blocks = as_objs(view.body.get("blocks"))
        state = typed_state(blocks, values)
        missing = {
            block["block_id"]: "Please fill in this field."
            for block in blocks
            if block.get("type") == "input" and not block.get("optional") and _empty(state.get(block["block_id"], {}))
        }
        if missing:
            return {"errors": missing}
        view.body["state"] = {"values": state}
        try:
            answer = await self.site.delivery.interact(submission(self.site, person, view, "view_submission"))
        except Unanswered as error:
            return {"error": str(error)}
        return apply_response(self.site, view, answer)

    async def close_view(self, person: Person, view_id: str) -> Obj:
        """Closes a modal; the app hears of it when it asked to."""
        view = self._view(person, view_id)
        self.workspace.modals[person.id].remove(view_id)
        self.workspace.tell(changes.ViewsChanged(person.id))
        if view.body.get("notify_on_close"):
            return await self._sent(submission(self.site, person, view, "view_closed"))
        return {}

    def open_app(self, person: Person, tab: str) -> None:
        """Opens the app on its tab home or messages."""
        channel = self.workspace.direct(person.id)
        self.workspace.tell(changes.HomeOpened(person.id, channel.id, tab))

    def stop(self, person: Person, channel: Channel, thread_ts: str) -> None:
        """Presses the client's own Stop on a thread that is being worked on. Raises `session_not_processing`."""
        session = self.workspace.sessions.get((channel.id, thread_ts))
        streams = tuple(item.ts for item in self.workspace.thread(channel.id, thread_ts) if item.stream)
        if not streams and (session is None or session.status != "processing"):
            raise SlackError("session_not_processing")
        self.workspace.tell(changes.Stopped(channel.id, thread_ts, person.id, streams))

    def rename(self, person: Person, channel: Channel, thread_ts: str, title: str) -> None:
        """Gives an agent session another title. Raises `session_not_found`."""
        session = self.workspace.sessions.get((channel.id, thread_ts))
        if session is None:
            raise SlackError("session_not_found")
        session.title = title
        self.workspace.tell(changes.SessionRenamed(session, person.id))

    def respond(self, secret: str, body: Obj) -> None:
        """What an app sends to a response_url: an answer for the presser, or a change to the pressed message."""
        right = self.site.triggers.use(secret)
        message = self.workspace.find(right.channel, right.message_ts)
        if body.get("delete_original") and message:
            self.workspace.delete(message)
            return
        text, blocks = str(body.get("text") or ""), check_blocks(body.get("blocks"))
        check_text(text, blocks)
        if body.get("replace_original") and message:
            self.workspace.edit(message, text, blocks, message.user)
            return
        channel = self.workspace.channel(right.channel)
        installed = self.workspace.installed(channel.team)
        if installed is None:
            raise SlackError("app_not_installed")
        root = (message.thread_ts or "") if message else ""
        made = Message("", channel.id, installed.bot_user, channel.team, text, root, blocks, bot_id=installed.bot_id)
        made.visible_to = "" if body.get("response_type") == "in_channel" else right.user
        self.workspace.post(made)

    async def _sent(self, payload: Obj) -> Obj:
        try:
            await self.site.delivery.interact(payload)
        except Unanswered as error:
            return {"error": str(error)}
        return {}

    def _seen(self, person: Person, channel: Channel, ts: str) -> Message:
        message = self.workspace.find(channel.id, ts)
        if message is None or message.visible_to not in {"", person.id}:
            raise SlackError("message_not_found")
        return message

    def _own(self, person: Person, channel: Channel, ts: str, refusal: str) -> Message:
        message = self._seen(person, channel, ts)
        if message.user != person.id:
            raise SlackError(refusal)
        return message

    def _view(self, person: Person, view_id: str) -> View:
        view = self.workspace.views.get(view_id)
        if view is None or view.user != person.id:
            raise SlackError("view_not_found")
        return view


def _empty(actions: Obj) -> bool:
    """Nothing was typed or chosen in any of a block's elements."""
    filled = [value for given in actions.values() for key, value in given.items() if key != "type"]
    return not any(value not in (None, "", []) for value in filled)
