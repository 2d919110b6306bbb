"""The few phrases that are understood without a model: stop, status, yes, no, mute. Whole messages only.

A message is one of these only when it is nothing else, so that 'stop using red' stays a wish about colour.
"""

from __future__ import annotations

import re
import unicodedata

_STOP = re.compile(
    r"(please )?(stop|halt|abort|cancel|stop (it|that|this|now|everything|working|please)|cancel (it|that|this)"
    r"|never ?mind|forget it|stopp|abbrechen|hör auf|arrête|para)( please| now)?"
)
_STATUS = re.compile(
    r"(status( update)?|progress|update|eta|how far( are you)?|how('s| is) it going|how are you getting on"
    r"|where are you( at)?|what('s| is) the status|what are you doing|are you (still )?(there|working|done|on it)"
    r"|any (news|progress|update)|still working|done yet|wie weit( bist du)?|stand)"
)
_YES = re.compile(
    r"(y|yes|yep|yeah|yup|ok|okay|sure|approve|approved|go|go ahead|do it|send it|post it|confirm|confirmed"
    r"|yes[, ]+(please|do it|send it|go ahead|post it|approve|approved)|please do|looks good|lgtm|ja|oui|si|sí)"
)
_NO = re.compile(
    r"(n|no|nope|nah|don'?t|do not|reject|rejected|deny|denied|decline|no thanks|don'?t send( it)?|don'?t do it"
    r"|no[, ]+(don'?t|stop|thanks)( send( it)?)?|nein|non)"
)
_GO_ON = re.compile(r"(go on|continue|resume|carry on|keep going|proceed|weiter)")
_SCREEN = re.compile(
    r"((let me )?(watch|take over)( please)?|(please )?(show|open)( me)? (your|the) screen|live page"
    r"|link to (your|the) screen)"
)
LONGEST = 200
"""Characters of a message that can still be nothing but a phrase."""
_BLANK = {"\u034f", "\u115f", "\u1160", "\u17b4", "\u17b5", "\u2800", "\u3164", "\uffa0"} | {
    chr(code) for code in (*range(0xFE00, 0xFE10), *range(0x180B, 0x180E))
}
_ASIDE = re.compile(r"!aside\b", re.IGNORECASE)


def bare(text: str) -> str:
    """The message in lower case without punctuation at its ends and without invisible characters."""
    if len(text) > LONGEST:
        return ""
    plain = unicodedata.normalize("NFKC", text)
    visible = "".join(c for c in plain if c in "\n\t " or not _invisible(c))
    line = " ".join(visible.replace("’", "'").split()).casefold()
    return line.strip(" .!?,;:…*_`'\"()")


def _invisible(char: str) -> bool:
    """Whether a reader sees nothing of it: format and control characters, variation selectors, fillers."""
    return unicodedata.category(char) in ("Cf", "Cc", "Cs", "Co", "Cn") or char in _BLANK


def is_stop(text: str) -> bool:
    """'stop', 'please cancel that', 'never mind'."""
    return _STOP.fullmatch(bare(text)) is not None


def is_status(text: str) -> bool:
    """'status?', 'how far are you?'."""
    return _STATUS.fullmatch(bare(text)) is not None


def is_screen(text: str) -> bool:
    """'watch', 'show me your screen', 'let me take over'."""
    return _SCREEN.fullmatch(bare(text)) is not None


def is_yes(text: str) -> bool:
    """'yes', 'go ahead': a plain yes and nothing more."""
    return _YES.fullmatch(bare(text)) is not None


def is_no(text: str) -> bool:
    """'no', 'don't send it': a plain no and nothing more."""
    return _NO.fullmatch(bare(text)) is not None


def is_go_on(text: str) -> bool:
    """'go on', 'continue'."""
    return _GO_ON.fullmatch(bare(text)) is not None


def is_aside(text: str) -> bool:
    """'!aside …': said to the people in the thread."""
    return _ASIDE.match(text.lstrip()) is not None


def mute_word(text: str) -> str:
    """'mute' or 'unmute' when that is the message, else an empty string."""
    word = bare(text).lstrip("!")
    return word if word in ("mute", "unmute") else ""
