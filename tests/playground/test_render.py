"""What people and the app write is shown, never obeyed: no tag, no script, no remote picture gets through."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from bot.playground.fragments import Fragments
from bot.playground.messages import Message
from bot.playground.mrkdwn import Markdown, mrkdwn
from bot.playground.render import BLOCKS, Renderer
from bot.playground.wording import sent_form, typed_form
from bot.playground.workspace import Workspace

Obj = dict[str, Any]
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<javascript:alert(1)|click>",
    "<data:text/html,x|click>",
    "[click](javascript:alert(1))",
    "[click](JaVaScRiPt:alert(1) 'x')",
    "![pixel](https://evil.example/p.png)",
    '<https://a.example/" onmouseover="alert(1)|x>',
    '<@U"><svg/onload=alert(1)>>',
    "*<b onclick=x>* _</p>_ ```</pre><script>``` `<i>`",
    "\x00 0\x00 \x001\x00 <http://x.example|\x000\x00>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<a href='x'>y</a>\n> <blink>\n\n<iframe src=//evil.example></iframe>",
    "[x]: javascript:alert(1)\n\n[x]",
    "<https://[bad|x> <http://[::1]:99999/|y>",
)
TAGS = {
    "a", "article", "b", "blockquote", "br", "button", "code", "del", "details", "div", "em", "h1", "h2", "h3",
    "header", "hr", "img", "input", "label", "li", "ol", "optgroup", "option", "p", "pre", "s", "select", "small",
    "span", "strong", "summary", "table", "tbody", "td", "textarea", "th", "thead", "time", "tr", "ul",
}  # fmt: skip


class Seen(HTMLParser):
    """Every tag with its attributes, and the words between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


def check(html: str) -> Seen:
    """Fails on anything that could run, load or lead astray."""
    seen = Seen(html)
    for tag, attributes in seen.tags:
        assert tag in TAGS
        assert not [name for name in attributes if name.startswith("on") or name in {"style", "srcdoc"}]
        assert re.match(r"^(https?:|mailto:|/page/files/)", attributes.get("href") or "https:")
        assert (attributes.get("src") or "/page/files/").startswith("/page/files/")
    return seen


def plain(words: str, kind: str = "plain_text") -> Obj:
    return {"type": kind, "text": words}


def leaves(words: str) -> Obj:
    items: list[Obj] = [
        {"type": "text", "text": words},
        {"type": "link", "url": words, "text": words},
        {"type": "user", "user_id": words},
        {"type": "emoji", "name": words},
    ]
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": items}]}


def controls(words: str) -> list[Obj]:
    option: Obj = {"text": plain(words), "value": words, "description": plain(words)}
    confirm: Obj = {"title": plain(words), "text": plain(words)}
    return [
        {"type": "button", "text": plain(words), "value": words, "action_id": words, "url": words},
        {"type": "button", "text": plain(words), "action_id": words, "confirm": confirm, "style": words},
        {"type": "static_select", "action_id": words, "options": [option], "placeholder": plain(words)},
        {"type": "checkboxes", "action_id": words, "options": [option]},
        {"type": "users_select", "action_id": words},
        {"type": "feedback_buttons", "action_id": words, "positive_button": {"text": plain(words), "value": words}},
    ]


def everywhere(words: str) -> list[Obj]:
    """The words in every place of every block that takes words."""
    rich, buttons = leaves(words), controls(words)
    picture: Obj = {"type": "image", "image_url": words, "alt_text": words}
    task: Obj = {"task_id": "1", "title": words, "status": words, "details": rich, "output": rich}
    task["sources"] = [{"type": "url", "url": words, "text": words}]
    field: Obj = {"type": "plain_text_input", "action_id": words, "initial_value": words, "multiline": True}
    return [
        {"type": "section", "text": plain(words, "mrkdwn"), "fields": [plain(words)], "accessory": picture},
        {"type": "header", "text": plain(words)},
        {"type": "context", "elements": [plain(words, "mrkdwn"), picture]},
        {"type": "actions", "block_id": words, "elements": buttons},
        {"type": "context_actions", "elements": buttons},
        {"type": "markdown", "text": words},
        rich,
        picture | {"title": plain(words)},
        {"type": "plan", "title": words, "tasks": [task]},
        {"type": "task_card"} | task,
        {"type": "alert", "text": plain(words, "mrkdwn"), "level": words},
        {"type": "card", "title": plain(words), "subtitle": plain(words), "body": plain(words), "actions": buttons},
        {"type": "container", "title": plain(words), "is_collapsible": True, "child_blocks": [plain(words)]},
        {"type": "input", "block_id": words, "label": plain(words), "hint": plain(words), "element": field},
        {"type": "input", "label": plain(words), "element": field | {"multiline": False}},
        {"type": "file", "external_id": words},
        {"type": words},
        {"type": "divider"},
    ]


def test_every_block_that_can_be_drawn_is_tried() -> None:
    assert {block["type"] for block in everywhere("x")} >= set(BLOCKS)


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_stay_words_in_every_block(words: str) -> None:
    space = Workspace()
    check(Renderer(space, Markdown(space), "UMARIA").blocks(everywhere(words)))
    check(mrkdwn(space, words))


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_stay_words_in_a_whole_message(words: str) -> None:
    space = Workspace()
    message = space.post(Message("", "CGENERAL", "UMARIA", "TACME", words, reactions={words: ["UBEN"]}))
    check(Fragments(space).message(message, "UMARIA")["html"])


def test_mrkdwn_reads_as_slack_shows_it() -> None:
    html = mrkdwn(
        Workspace(), "*b* _i_ ~s~ `c` <@UBEN> <#CSALES> <https://a.example/x|here> :eyes: a*b*c 2 &lt; 3\n> q"
    )
    assert "<strong>b</strong> <em>i</em> <s>s</s> <code>c</code>" in html
    assert "@ben" in html
    assert "#sales" in html
    assert ">here</a>" in html
    assert "a.example</span>" in html
    assert "👀 a*b*c 2 &lt; 3" in html
    assert html.endswith("<blockquote>q</blockquote>")


def test_a_link_shows_where_it_really_leads() -> None:
    html = Markdown(Workspace()).render("[https://bank.example](https://evil.example/login)")
    assert 'title="https://evil.example/login"' in html
    assert '<span class="host">evil.example</span>' in html


def test_what_is_typed_travels_as_a_client_sends_it_and_comes_back_for_editing() -> None:
    space = Workspace()
    typed = "@Threadhand ask @ben in #sales & tell me <soon>, see https://a.example/x?y=1&z=2. mail a@ben.example"
    sent = sent_form(space, typed, "TACME")
    assert sent == (
        "<@UTHREADHAND> ask <@UBEN> in <#CSALES|sales> &amp; tell me &lt;soon&gt;, "
        "see <https://a.example/x?y=1&amp;z=2>. mail a@ben.example"
    )
    assert typed_form(space, sent) == typed


def test_a_button_meant_for_one_person_is_not_drawn_for_another() -> None:
    space = Workspace()
    button: Obj = {"type": "button", "text": plain("Secret"), "action_id": "a", "visible_to_user_ids": ["UMARIA"]}
    blocks: list[Obj] = [{"type": "actions", "block_id": "b", "elements": [button]}]
    assert "Secret" in Renderer(space, Markdown(space), "UMARIA").blocks(blocks)
    assert "Secret" not in Renderer(space, Markdown(space), "UBEN").blocks(blocks)
