"""Slack's word on who somebody is and whether they are in a thread's channel, for pages outside Slack."""

from __future__ import annotations

from bot.heard import Person, Thread
from bot.surfaces.slack.calls import SlackCalls
from bot.surfaces.slack.people import People
from bot.surfaces.slack.wire import Obj, at
from bot.surfaces.slack.workspaces import Workspaces

PAGE = 1000
_MOST_PAGES = 20


class SlackDirectory:
    """Asks with the bot's own token."""

    def __init__(self, workspaces: Workspaces, calls: SlackCalls, people: People) -> None:
        self._workspaces, self._calls, self._people = workspaces, calls, people

    async def look(self, thread: Thread, person: str) -> Person | None:
        """The person, who must be of the thread's own workspace. Raises SurfaceError."""
        workspace = await self._workspaces.get(thread.workspace)
        home, _, user = person.rpartition("/")
        if not user or not workspace.is_home(home):
            return None
        found = await self._people.get(workspace, user)
        return found if found.id == f"{workspace.home}/{user}" else None

    async def inside(self, thread: Thread, person: str) -> bool:
        """Whether they are a member of the channel. Raises SurfaceError."""
        workspace = await self._workspaces.get(thread.workspace)
        user = person.rpartition("/")[2]
        cursor = ""
        for _ in range(_MOST_PAGES):
            wanted: Obj = {"channel": thread.channel, "limit": PAGE, "cursor": cursor}
            answer = await self._calls.call(workspace, "conversations.members", wanted)
            members = answer.get("members")
            if isinstance(members, list) and user in members:
                return True
            cursor = at(answer, "response_metadata", "next_cursor")
            if not cursor:
                return False
        return False
