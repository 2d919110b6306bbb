"""Who and what is in the workspace when it opens: one company, a second one for installing into, a partner.

Hides every invented identifier and credential. All are obviously fake and worth nothing outside this process.
"""

from dataclasses import dataclass

from bot.playground.shapes import Obj

APP_ID = "APLAYGROUND"
CLIENT_ID = "playground.client"
CLIENT_SECRET = "playground-client-secret"
BOT_TOKEN = "xoxb-playground"
APP_TOKEN = "xapp-playground"
SIGNING_SECRET = "playground-signing-secret"

ACME = "TACME"
NORTH = "TNORTH"
PARTNER = "TPARTNER"

MARIA, BEN, ADA, GUS, OLGA, NORA = "UMARIA", "UBEN", "UADA", "UGUS", "UOLGA", "UNORA"
BOT_USER = "UTHREADHAND"
NORTH_BOT_USER = "UTHREADNORTH"

GENERAL, SALES, SHARED, NORTH_GENERAL = "CGENERAL", "CSALES", "CSHARED", "CNORTH"


@dataclass(frozen=True, slots=True)
class Team:
    """A workspace. Apps install into those with `installable`; the partner only shares a channel."""

    id: str
    name: str
    domain: str
    installable: bool = True


@dataclass(frozen=True, slots=True)
class Person:
    """Someone (or the bot) as `users.info` describes them."""

    id: str
    team: str
    handle: str
    name: str
    email: str = ""
    is_admin: bool = False
    is_guest: bool = False
    is_bot: bool = False
    bot_id: str = ""

    def as_slack(self, seen_from: str) -> Obj:
        """The user object as a token of team `seen_from` gets it; outsiders are marked as strangers."""
        stranger = self.team != seen_from
        shown: Obj = {
            "id": self.id,
            "team_id": self.team,
            "name": self.handle,
            "real_name": self.name,
            "deleted": False,
            "is_admin": self.is_admin and not stranger,
            "is_owner": False,
            "is_primary_owner": False,
            "is_restricted": self.is_guest,
            "is_ultra_restricted": self.is_guest,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "tz": "Europe/Berlin",
            "tz_offset": 3600,
            "updated": 1700000000,
            "profile": self._profile(),
        }
        if stranger:
            shown["is_stranger"] = True
        return shown

    def _profile(self) -> Obj:
        profile: Obj = {
            "real_name": self.name,
            "display_name": self.handle,
            "real_name_normalized": self.name,
            "display_name_normalized": self.handle,
            "team": self.team,
        }
        if self.is_bot:
            return profile | {"api_app_id": APP_ID, "bot_id": self.bot_id, "always_active": True}
        return profile | {"email": self.email}


@dataclass(slots=True)
class Channel:
    """A conversation: `kind` is channel, group (private) or im. `members` are user ids."""

    id: str
    team: str
    name: str
    kind: str
    members: list[str]
    connected: tuple[str, ...] = ()
    topic: str = ""

    @property
    def is_shared(self) -> bool:
        return bool(self.connected)

    def as_slack(self) -> Obj:
        """The conversation object of conversations.info and .list."""
        shown: Obj = {
            "id": self.id,
            "created": 1700000000,
            "is_channel": self.kind == "channel",
            "is_group": self.kind == "group",
            "is_im": self.kind == "im",
            "is_mpim": False,
            "is_private": self.kind != "channel",
            "is_archived": False,
            "is_org_shared": False,
            "is_shared": self.is_shared,
            "is_ext_shared": self.is_shared,
            "context_team_id": self.team,
        }
        if self.kind == "im":
            return shown | {"user": self.members[0], "is_open": True}
        return shown | {
            "name": self.name,
            "name_normalized": self.name,
            "is_general": self.id == GENERAL,
            "is_member": any(member in {BOT_USER, NORTH_BOT_USER} for member in self.members),
            "num_members": len(self.members),
            "topic": {"value": self.topic, "creator": "", "last_set": 0},
            "purpose": {"value": "", "creator": "", "last_set": 0},
            "shared_team_ids": [self.team, *self.connected] if self.is_shared else [self.team],
            "connected_team_ids": list(self.connected),
        }


TEAMS = (
    Team(ACME, "Acme", "acme"),
    Team(NORTH, "Northwind", "northwind"),
    Team(PARTNER, "Olive & Partners", "olive", installable=False),
)

PEOPLE = (
    Person(MARIA, ACME, "maria", "Maria Keller", "maria@acme.example"),
    Person(BEN, ACME, "ben", "Ben Okafor", "ben@acme.example"),
    Person(ADA, ACME, "ada", "Ada Lindqvist", "ada@acme.example", is_admin=True),
    Person(GUS, ACME, "gus", "Gus Moreau", "gus@contractor.example", is_guest=True),
    Person(OLGA, PARTNER, "olga", "Olga Petrova", "olga@olive.example"),
    Person(NORA, NORTH, "nora", "Nora Berg", "nora@northwind.example", is_admin=True),
    Person(BOT_USER, ACME, "threadhand", "Threadhand", is_bot=True, bot_id="BTHREADHAND"),
    Person(NORTH_BOT_USER, NORTH, "threadhand", "Threadhand", is_bot=True, bot_id="BTHREADNORTH"),
)


def channels() -> list[Channel]:
    """The conversations at the start; fresh values, since people join and leave."""
    acme = [MARIA, BEN, ADA, GUS]
    shared = [MARIA, BEN, ADA, OLGA, BOT_USER]
    rooms = [
        Channel(GENERAL, ACME, "general", "channel", [*acme, BOT_USER], topic="Everyone at Acme"),
        Channel(SALES, ACME, "sales", "channel", [MARIA, BEN, ADA, BOT_USER], topic="Pipeline and numbers"),
        Channel(SHARED, ACME, "acme-shared", "channel", shared, (PARTNER,), "With Olive & Partners"),
        Channel(NORTH_GENERAL, NORTH, "general", "channel", [NORA], topic="Everyone at Northwind"),
    ]
    talks = [Channel("D" + who[1:], ACME, "", "im", [who, BOT_USER]) for who in acme]
    return [*rooms, *talks, Channel("DNORA", NORTH, "", "im", [NORA, NORTH_BOT_USER])]
