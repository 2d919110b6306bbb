"""The policy a deployment starts with: reads go, work inside the machine goes, writes outside ask, the rest is refused.

Default deny: an effect that no rule names is refused. Pure: the same request always gets the same decision.
"""

from __future__ import annotations

from policies.types import Decision, Effect, Request

_INSIDE = frozenset({Effect.RUN, Effect.MAKE, Effect.EDIT, Effect.READ, Effect.FETCH})
_OUTSIDE_ASK = frozenset({Effect.MAKE, Effect.EDIT, Effect.SEND, Effect.SHARE, Effect.PUBLISH})


def decide(request: Request) -> Decision:
    """The decision on one request; its rule id stands in the record."""
    if request.standing == "outsider":
        return Decision("deny", "outsiders", "People from other organisations cannot have things done here.")
    if request.effect in (Effect.READ, Effect.FETCH):
        return Decision("auto", "reads-go", "Reading changes nothing.")
    if not request.outside and request.effect in _INSIDE:
        return Decision("auto", "own-machine", "It stays inside this thread's own machine.")
    if request.outside and request.effect in _OUTSIDE_ASK:
        return Decision("ask", "outside-writes-ask", "It changes something outside this thread's machine.")
    return Decision("deny", "not-listed", f"No rule allows the effect '{request.effect}'.")
