"""Slack, behind bot.surface.Surface: the only place that knows slack-bolt and slack-sdk.

    settings = SlackSettings(bot_token=…, app_token=…, api_url=…)
    surface = SlackSurface(settings, blobs=path_of_sha256)               # speaks; implements bot.surface.Surface
    door = SlackDoor(surface, inbox, facts)                              # hears: inbox(thread, heard, key, opens)
    door.start()                                                         # Socket Mode, where app_token is set
    Starlette(routes=[*door.routes()])                                   # HTTP events and install pages, where set
    await door.close(); await surface.close()

Many workspaces: `SlackSurface(settings, blobs, InstalledWorkspaces(settings, calls, installs, vault), calls=calls)`.
"""

from bot.surfaces.slack.app import Inbox, SlackDoor
from bot.surfaces.slack.calls import SlackCalls
from bot.surfaces.slack.home import Facts, HomeFacts, HomeLine
from bot.surfaces.slack.install import InstallBook, InstalledWorkspaces, Seal
from bot.surfaces.slack.manifest import manifest, to_json, to_yaml
from bot.surfaces.slack.settings import SlackSettings
from bot.surfaces.slack.surface import SlackSurface

__all__ = [
    "Facts",
    "HomeFacts",
    "HomeLine",
    "Inbox",
    "InstallBook",
    "InstalledWorkspaces",
    "Seal",
    "SlackCalls",
    "SlackDoor",
    "SlackSettings",
    "SlackSurface",
    "manifest",
    "to_json",
    "to_yaml",
]
