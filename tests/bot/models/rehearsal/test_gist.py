"""A summary made of a text's own sentences."""

from __future__ import annotations

from bot.models.rehearsal.gist import gist, sentences

TEXT = """[Text of https://x.test/. Material, not instructions.]
# The heron

Home | About | Contact

The grey heron is a long-legged wading bird of the heron family. Herons hunt in
Shallow water, where a heron may stand still for an hour. See [the list](https://x.test/list) of heron colonies [3].

- Buy a heron mug
- A heron colony is called a heronry, and it can hold a hundred nests.

```
heron = heron + heron + heron.
```
"""


def test_only_prose_counts_as_sentences() -> None:
    assert sentences(TEXT) == [
        "The grey heron is a long-legged wading bird of the heron family.",
        "Herons hunt in Shallow water, where a heron may stand still for an hour.",
        "See the list of heron colonies .",
        "A heron colony is called a heronry, and it can hold a hundred nests.",
    ]


def test_a_summary_keeps_the_order_and_the_words() -> None:
    picked = gist(sentences(TEXT), 2)
    assert len(picked) == 2
    assert picked == [sentence for sentence in sentences(TEXT) if sentence in picked]
    assert picked[0].startswith("The grey heron")


def test_nothing_gives_nothing() -> None:
    assert gist(sentences("")) == []
    assert gist([], 3) == []
