"""Who somebody is: the directory's word on a user id, kept for ten minutes.

Standing decides what a person may do, so it is never guessed: where Slack does not answer, the error goes up and the
event is delivered again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

import structlog

from bot.heard import Person, Standing
from bot.surface import SurfaceError
from bot.surfaces.slack.calls import Code, SlackCalls
from bot.surfaces.slack.escape import visible
from bot.surfaces.slack.wire import Obj, at, obj, text
from bot.surfaces.slack.workspaces import Workspace

KEEP = 600.0
_MOST = 20_000
_UNSEEN = {"user_not_found", "user_not_visible", "users_not_found"}

log = structlog.get_logger(__name__)


class People:
    """Looks people up by workspace and user id. Safe for concurrent use; one question a person at a time."""

    def __init__(self, calls: SlackCalls, clock: Callable[[], float] = time.monotonic) -> None:
        self._calls, self._clock = calls, clock
        self._known: dict[tuple[str, str], tuple[float, Person]] = {}
        self._asking: dict[tuple[str, str], asyncio.Task[Person]] = {}

    async def get(self, workspace: Workspace, user: str) -> Person:
        """The person. Raises SurfaceError when Slack does not say."""
        key = (workspace.id, user)
        found = self._known.get(key)
        if found is not None and self._clock() - found[0] < KEEP:
            return found[1]
        task = self._asking.get(key)
        if task is None:
            task = asyncio.create_task(self._ask(workspace, user))
            self._asking[key] = task
            task.add_done_callback(lambda done: self._told(key, done))
        return await asyncio.shield(task)

    def unknown(self, workspace: Workspace, user: str) -> Person:
        """Somebody whom Slack would not describe: taken for a guest, who may do nothing by default."""
        return Person(f"{workspace.home}/{user}", user, "guest")

    async def names(self, workspace: Workspace, users: Iterable[str], seconds: float = 2.0) -> dict[str, str]:
        """Names by user id, as many as can be had in that time."""
        wanted = list(dict.fromkeys(users))[:50]
        tasks = {user: asyncio.create_task(self.get(workspace, user)) for user in wanted}
        if tasks:
            await asyncio.wait(tasks.values(), timeout=seconds)
        names: dict[str, str] = {}
        for user, task in tasks.items():
            if not task.done():
                task.cancel()
            elif not task.cancelled() and task.exception() is None:
                names[user] = task.result().name
        return names

    def _told(self, key: tuple[str, str], task: asyncio.Task[Person]) -> None:
        self._asking.pop(key, None)
        if task.cancelled() or task.exception() is not None:
            return
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[key] = (self._clock(), task.result())

    async def _ask(self, workspace: Workspace, user: str) -> Person:
        try:
            answer = await self._calls.call(workspace, "users.info", {"user": user})
        except Code as error:
            if error.code not in _UNSEEN:
                raise
            return Person(f"?/{user}", user, "outsider")
        except SurfaceError as error:
            log.warning("slack did not say who somebody is", user=user, why=str(error))
            raise
        return person_of(obj(answer.get("user")), workspace)


def person_of(user: Obj, workspace: Workspace) -> Person:
    """The person a user object of users.info describes, seen from our workspace."""
    team, enterprise = text(user.get("team_id")), at(user, "enterprise_user", "enterprise_id")
    ours = workspace.is_home(team) or workspace.is_home(enterprise)
    home = workspace.home if ours else enterprise or team or "?"
    name = at(user, "profile", "display_name") or at(user, "profile", "real_name") or text(user.get("real_name"))
    shown = " ".join(visible(name or text(user.get("name")) or text(user.get("id"))).split())[:80]
    return Person(f"{home}/{text(user.get('id'))}", shown, _standing(user, ours))


def _standing(user: Obj, ours: bool) -> Standing:
    if user.get("is_bot") or user.get("is_workflow_bot") or user.get("id") == "USLACKBOT":
        return "bot"
    if not ours or user.get("is_stranger") or user.get("deleted"):
        return "outsider"
    if user.get("is_restricted") or user.get("is_ultra_restricted"):
        return "guest"
    admin = user.get("is_admin") or user.get("is_owner") or user.get("is_primary_owner")
    return "admin" if admin else "member"
