"""Blocks as safe HTML: what the page puts into the document as it is.

Only this file and `mrkdwn` make HTML out of what people and the app wrote, and both escape all of it. Elements
carry `data-` attributes; the page's script gives them life. One function a block type, one line in `BLOCKS`.
"""

from collections.abc import Callable

from bot.playground.controls import controls, element
from bot.playground.mrkdwn import Markdown, link, mrkdwn, rich_text
from bot.playground.shapes import Obj, as_obj, as_objs, as_text, inner
from bot.playground.wording import shown
from bot.playground.workspace import Workspace

MARKS = {"pending": "○", "in_progress": "▸", "complete": "✓", "error": "✗"}
WORDS = {"pending": "to do", "in_progress": "under way", "complete": "done", "error": "failed"}


class Renderer:
    """Draws for one viewer: hidden buttons stay hidden, their inputs keep what they typed."""

    def __init__(self, workspace: Workspace, markdown: Markdown, viewer: str) -> None:
        self.workspace = workspace
        self.markdown = markdown
        self.viewer = viewer

    def blocks(self, blocks: list[Obj], state: Obj | None = None) -> str:
        """All blocks in order; `state` are values typed so far, by block_id and action_id."""
        return "".join(self.block(block, state or {}) for block in blocks)

    def block(self, block: Obj, state: Obj) -> str:
        kind = as_text(block.get("type"))
        drawn = BLOCKS[kind](self, block, state) if kind in BLOCKS else ""
        return f'<div class="block {kind if kind in BLOCKS else "unknown"}">{drawn}</div>'

    def text(self, value: object) -> str:
        """A text object."""
        item = as_obj(value)
        if item.get("type") == "mrkdwn":
            return mrkdwn(self.workspace, as_text(item.get("text")))
        return shown(as_text(item.get("text"))).replace("\n", "<br>")

    def picture(self, item: Obj) -> str:
        """A picture stored here; one from elsewhere is a link and never loaded."""
        file = self.workspace.files.get(as_text(inner(item, "slack_file").get("id")))
        alt = as_text(item.get("alt_text"))
        if file and file.is_picture:
            return f'<img src="/page/files/{file.id}?as={shown(self.viewer)}" alt="{shown(alt)}" loading="lazy">'
        elsewhere = link(as_text(item.get("image_url")), alt or "without a description")
        return f'<span class="picture">Picture: {elsewhere}</span>'


def _section(draw: Renderer, block: Obj, state: Obj) -> str:
    text = f"<div>{draw.text(block['text'])}</div>" if block.get("text") else ""
    fields = "".join(f"<div>{draw.text(field)}</div>" for field in as_objs(block.get("fields")))
    text += f'<div class="fields">{fields}</div>' if fields else ""
    aside = as_obj(block.get("accessory"))
    if not aside:
        return text
    drawn = draw.picture(aside) if aside.get("type") == "image" else element(draw, block, aside, state)
    return f'<div class="with-aside"><div>{text}</div><div class="aside">{drawn}</div></div>'


def _header(draw: Renderer, block: Obj, state: Obj) -> str:
    return f"<h3>{draw.text(block.get('text'))}</h3>"


def _divider(draw: Renderer, block: Obj, state: Obj) -> str:
    return "<hr>"


def _context(draw: Renderer, block: Obj, state: Obj) -> str:
    parts = [
        draw.picture(item) if item.get("type") == "image" else f"<span>{draw.text(item)}</span>"
        for item in as_objs(block.get("elements"))
    ]
    return "".join(parts)


def _actions(draw: Renderer, block: Obj, state: Obj) -> str:
    return controls(draw, block, as_objs(block.get("elements")), state)


def _input(draw: Renderer, block: Obj, state: Obj) -> str:
    optional = ' <span class="optional">(optional)</span>' if block.get("optional") else ""
    hint = f'<p class="hint">{draw.text(block["hint"])}</p>' if block.get("hint") else ""
    drawn = element(draw, block, as_obj(block.get("element")), state)
    fault = f'<p class="fault" role="alert" data-fault="{shown(as_text(block.get("block_id")))}" hidden></p>'
    return f"<label><span>{draw.text(block.get('label'))}{optional}</span>{drawn}</label>{hint}{fault}"


def _image(draw: Renderer, block: Obj, state: Obj) -> str:
    title = f"<p>{draw.text(block['title'])}</p>" if block.get("title") else ""
    return title + draw.picture(block)


def _markdown(draw: Renderer, block: Obj, state: Obj) -> str:
    return draw.markdown.render(as_text(block.get("text")))


def _rich_text(draw: Renderer, block: Obj, state: Obj) -> str:
    return rich_text(draw.workspace, block)


def _task(draw: Renderer, block: Obj, state: Obj) -> str:
    status = as_text(block.get("status"))
    mark = f'<span class="mark" title="{WORDS.get(status, "")}">{MARKS.get(status, "○")}</span>'
    title = f"{mark}<span>{shown(as_text(block.get('title')))}</span>"
    body = "".join(rich_text(draw.workspace, as_obj(block[key])) for key in ("details", "output") if block.get(key))
    sources = "".join(
        f"<li>{link(as_text(item.get('url')), as_text(item.get('text')))}</li>"
        for item in as_objs(block.get("sources"))
    )
    body += f'<ul class="sources">{sources}</ul>' if sources else ""
    state_class = status if status in MARKS else "pending"
    if not body:
        return f'<div class="task {state_class}">{title}</div>'
    return f'<details class="task {state_class}"><summary>{title}</summary><div class="more">{body}</div></details>'


def _plan(draw: Renderer, block: Obj, state: Obj) -> str:
    tasks = "".join(f"<li>{_task(draw, task, state)}</li>" for task in as_objs(block.get("tasks")))
    return f'<p class="plan-title">{shown(as_text(block.get("title")))}</p><ul class="tasks">{tasks}</ul>'


def _alert(draw: Renderer, block: Obj, state: Obj) -> str:
    level = as_text(block.get("level")) or "default"
    known = level if level in {"default", "info", "warning", "error", "success"} else "default"
    return f'<div class="alert-text {known}" role="note">{draw.text(block.get("text"))}</div>'


def _card(draw: Renderer, block: Obj, state: Obj) -> str:
    hero = draw.picture(as_obj(block["hero_image"])) if block.get("hero_image") else ""
    icon = draw.picture(as_obj(block["icon"])) if block.get("icon") else ""
    title = f"<strong>{draw.text(block['title'])}</strong>" if block.get("title") else ""
    under = f'<span class="under">{draw.text(block["subtitle"])}</span>' if block.get("subtitle") else ""
    body = f"<p>{draw.text(block['body'])}</p>" if block.get("body") else ""
    return f"{hero}{icon}{title}{under}{body}" + controls(draw, block, as_objs(block.get("actions")), state)


def _container(draw: Renderer, block: Obj, state: Obj) -> str:
    rich = block.get("rich_text_title")
    title = rich_text(draw.workspace, as_obj(rich)) if rich else draw.text(block.get("title"))
    under = f'<span class="under">{draw.text(block["subtitle"])}</span>' if block.get("subtitle") else ""
    inside = draw.blocks(as_objs(block.get("child_blocks")), state)
    if block.get("is_collapsible"):
        opened = "" if block.get("default_collapsed") else " open"
        return f"<details{opened}><summary>{title}{under}</summary>{inside}</details>"
    return f'<div class="container-title">{title}{under}</div>{inside}'


def _file(draw: Renderer, block: Obj, state: Obj) -> str:
    return f"Remote file {shown(as_text(block.get('external_id')))}"


BLOCKS: dict[str, Callable[[Renderer, Obj, Obj], str]] = {
    "actions": _actions,
    "alert": _alert,
    "card": _card,
    "container": _container,
    "context": _context,
    "context_actions": _actions,
    "divider": _divider,
    "file": _file,
    "header": _header,
    "image": _image,
    "input": _input,
    "markdown": _markdown,
    "plan": _plan,
    "rich_text": _rich_text,
    "section": _section,
    "task_card": _task,
}
