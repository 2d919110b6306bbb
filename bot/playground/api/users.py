"""users.info, users.list and auth.test: who people are, seen from the caller's team."""

from bot.playground.api.call import Call, page_of, paged
from bot.playground.people import Person
from bot.playground.shapes import Obj, SlackError


def _visible(call: Call, person: Person) -> bool:
    """Colleagues, and strangers who share a channel with the caller's team."""
    if person.team == call.bot.team:
        return True
    rooms = call.workspace.channels.values()
    return any(person.id in room.members and room.team == call.bot.team for room in rooms)


async def info(call: Call) -> Obj:
    """Raises `user_not_found`."""
    person = call.workspace.person(call.need("user"))
    if not _visible(call, person):
        raise SlackError("user_not_found")
    return {"user": person.as_slack(call.bot.team)}


async def list_(call: Call) -> Obj:
    people = [person for person in call.workspace.people.values() if _visible(call, person)]
    page, cursor = page_of(people, lambda person: person.id, call.text("cursor"), call.number("limit", 100, 1000))
    return paged({"members": [person.as_slack(call.bot.team) for person in page]}, cursor)


async def auth_test(call: Call) -> Obj:
    team, bot = call.workspace.teams[call.bot.team], call.bot
    return {
        "url": f"{call.workspace.base_url}/",
        "team": team.name,
        "user": call.workspace.person(bot.bot_user).handle,
        "team_id": team.id,
        "user_id": bot.bot_user,
        "bot_id": bot.bot_id,
        "is_enterprise_install": False,
    }
