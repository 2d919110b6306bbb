"""The live page's HTML. Everything that is not ours goes in escaped; scripts and styles are files of their own."""

from __future__ import annotations

from html import escape

HEAD = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content">'
    '<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex">'
    "<title>{title}</title>{more}"
    '<link rel="stylesheet" href="/live/static/live.css"></head>'
)


def live_page(session: str, title: str, me: str, *, viewer: bool) -> str:
    """The page itself; the script fills it. `viewer`: whether screen and terminal can be shown here."""
    script = '<script type="module" src="/live/static/live.js"></script>'
    return (
        HEAD.format(title=escape(title), more=script)
        + f'<body data-session="{escape(session)}" data-viewer="{"yes" if viewer else "no"}">'
        '<a class="skip" href="#timeline">Skip to what was done</a>'
        f'<header><div><h1 id="title">{escape(title)}</h1><p id="headline" role="status"></p></div>'
        f'<div class="who"><p id="holder" role="status" aria-live="polite"></p><p class="me">You are {escape(me)}</p>'
        "</div></header>"
        '<main><section class="stage" aria-label="The machine">'
        '<div class="tabs" role="tablist" aria-label="Views">'
        '<button role="tab" id="tab-screen" aria-controls="screen" aria-selected="true">Screen</button>'
        '<button role="tab" id="tab-terminal" aria-controls="terminal" aria-selected="false" tabindex="-1">'
        "Terminal</button>"
        '<button role="tab" id="tab-files" aria-controls="files" aria-selected="false" tabindex="-1">Files</button>'
        "</div>"
        '<div id="screen" class="view" role="tabpanel" aria-labelledby="tab-screen"><div id="display"></div>'
        '<p id="curtain" class="curtain"></p></div>'
        '<div id="terminal" class="view" role="tabpanel" aria-labelledby="tab-terminal" hidden></div>'
        '<div id="files" class="view" role="tabpanel" aria-labelledby="tab-files" hidden>'
        '<nav id="crumbs" aria-label="Folder"></nav><ul id="listing"></ul>'
        '<p><label class="upload">Upload a file <input type="file" id="upload" multiple></label></p></div>'
        '<div class="control"><button id="take" class="big" disabled>Take over</button>'
        '<p id="hint" role="status" aria-live="polite"></p></div></section>'
        '<section class="done" aria-label="What was done"><h2 id="timeline">What was done</h2>'
        '<ol id="steps"></ol><p id="none">Nothing yet.</p></section></main></body></html>'
    )


def shell_page(session: str) -> str:
    """The terminal's own frame."""
    more = (
        '<link rel="stylesheet" href="/live/vendor/xterm/css/xterm.css">'
        '<script type="module" src="/live/static/shell.js"></script>'
    )
    return (
        HEAD.format(title="Terminal", more=more)
        + f'<body class="shell" data-session="{escape(session)}"><div id="shell"></div></body></html>'
    )


def enter_page(name: str, link: str) -> str:
    """Asks whether it is really this person before a link signs a browser in."""
    return (
        HEAD.format(title="Threadhand", more="") + f'<body class="notice"><main><h1>Open as {escape(name)}?</h1>'
        f"<p>This link was made for {escape(name)} alone. If that is not you, close this page: what you would do here "
        "would be done in their name.</p>"
        f'<form method="post" action="/live/enter"><input type="hidden" name="link" value="{escape(link)}">'
        f'<button class="big">I am {escape(name)}</button></form></main></body></html>'
    )


def notice_page(title: str, text: str) -> str:
    """A few words and nothing to do."""
    return (
        HEAD.format(title=escape(title), more="")
        + f'<body class="notice"><main><h1>{escape(title)}</h1><p>{escape(text)}</p></main></body></html>'
    )
