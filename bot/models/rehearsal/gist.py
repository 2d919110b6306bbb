"""A summary made of a text's own sentences: the ones whose words the whole text uses most, in their order.

Nothing is rephrased, so nothing is made up.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

_NOISE = re.compile(r"!\[[^][]*\]\([^()\n]{0,1000}\)|\[\d+\]|[*_`]{1,3}|^[ \t]*\[[^\]\n]*\][ \t]*$", re.MULTILINE)
_MARKED = re.compile(r"^[ \t]*(?:[-*•>|]|#{1,6}|\d+\.)[ \t]+", re.MULTILINE)
_LINK = re.compile(r"\[([^][]*)\]\([^()\n]{0,1000}(?:\([^()\n]{0,200}\)[^()\n]{0,200}){0,3}\)")
_END = re.compile(r"(?<=[.!?…])[\"')\]]*\s+(?=[\"'(\[]?[A-ZÀ-Þ0-9])|\n{2,}")
_COMMON = frozenset(
    """the a an and or but if of to in on at by for with from as is are was were be been being it its this that these
    those he she they we you i not no do does did has have had can could will would may might should there their his her
    our your which who what when where how than then so such also more most into over about after before between only
    any all some each other one two der die das und ist ein eine nicht mit von zu im den auf für""".split()  # noqa: SIM905
)
_MOST_SENTENCES = 400


def sentences(text: str) -> list[str]:
    """The prose sentences of a text or Markdown page: no headings, no navigation, no code."""
    bare = re.sub(r"```.*?```", "\n\n", text, flags=re.DOTALL)
    bare = _NOISE.sub("", _LINK.sub(r"\1", _MARKED.sub("\n\n", bare)))
    found = (" ".join(part.split()) for part in _END.split(bare))
    prose = [part for part in found if 30 <= len(part) <= 400 and part[-1] in ".!?…\"')" and part.count(" ") >= 4]
    return list(dict.fromkeys(prose))[:_MOST_SENTENCES]


def gist(found: Sequence[str], most: int = 4) -> list[str]:
    """Up to `most` of these sentences, in their order."""
    counts = Counter(word for sentence in found for word in set(_words(sentence)))
    scores: dict[str, float] = {}
    for place, sentence in enumerate(found):
        words = _words(sentence)
        weight = sum(counts[word] for word in set(words)) / (len(words) + 4)
        scores[sentence] = weight * (1.3 if place == 0 else 1.1 if place < 3 else 1.0)
    best = sorted(scores, key=lambda sentence: (-scores[sentence], found.index(sentence)))[:most]
    return [sentence for sentence in found if sentence in best]


def _words(sentence: str) -> list[str]:
    return [word for word in re.findall(r"[^\W\d_]{2,}", sentence.casefold()) if word not in _COMMON]
