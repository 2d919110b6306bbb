"""Metrics read off the journal as it is written: what is counted is what happened, and only once."""

from __future__ import annotations

from collections.abc import Callable

from bot.entries import Answered, Asked, Decided, Entry, Failed, Finished, Posting, Replied, Started
from bot.observe.metrics import Metrics


def observer(metrics: Metrics) -> Callable[[Entry], None]:
    """A function that counts an entry when it was written."""
    names: dict[str, str] = {}

    def observe(entry: Entry) -> None:
        match entry:
            case Replied():
                metrics.steps.inc()
                metrics.model_calls.labels(entry.model, "ok").inc()
                metrics.model_seconds.labels(entry.model).observe(entry.seconds)
                for kind, count in (
                    ("input", entry.usage.input),
                    ("cached", entry.usage.cached),
                    ("output", entry.usage.output),
                ):
                    metrics.model_tokens.labels(entry.model, kind).inc(count)
                metrics.model_cost.labels(entry.model).inc(entry.usage.cost or 0.0)
            case Failed():
                metrics.model_calls.labels("", entry.code).inc()
            case Started():
                names[entry.call] = entry.name
            case Finished():
                name = names.pop(entry.call, "")
                outcome = "unknown" if entry.unknown else "ok" if entry.ok else "failed"
                if name:
                    metrics.tool_calls.labels(name, outcome).inc()
                    metrics.tool_seconds.labels(name).observe(entry.seconds)
            case Asked() if entry.purpose == "approval":
                metrics.approvals.labels("asked").inc()
            case Decided():
                metrics.approvals.labels(entry.verdict).inc()
            case Posting():
                metrics.posts.labels("thread", entry.what).inc()
            case Answered():
                metrics.posts.labels("thread", "answered").inc()
            case _:
                pass

    return observe
