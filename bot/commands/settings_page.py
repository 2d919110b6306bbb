"""docs/settings.md, made from the settings themselves: `python -m bot.commands.settings_page > docs/settings.md`."""

from __future__ import annotations

import sys

from bot.config import GROUPS, VARIABLES
from bot.settings import Variable

HEAD = """\
# Settings

Everything is set by environment variables, read once at start. A wrong value stops the start with a line that names
the variable and says what is expected; `threadhand check` looks at the whole deployment. Blank means not set.
Secrets are marked; they are hidden wherever they would show up in logs, traces and reports.

This page is made from the program (`python -m bot.commands.settings_page`); do not edit it by hand.
"""


def page() -> str:
    """The whole page, Markdown."""
    parts = [HEAD]
    for name, group in GROUPS.items():
        rows = [_row(variable) for variable in VARIABLES if variable.group == name]
        what = (group.__doc__ or "").strip()
        table = ["| variable | default | what for | expects |", "|---|---|---|---|", *rows]
        parts.append(f"## {name.capitalize()}\n\n{what}\n\n" + "\n".join(table) + "\n")
    return "\n".join(parts)


def _row(variable: Variable) -> str:
    mark = " (secret)" if variable.secret else ""
    default = f"`{variable.default}`" if variable.default and " " not in variable.default else variable.default
    cells = (f"`{variable.name}`{mark}", default, variable.what, variable.expects)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    sys.stdout.write(page())
