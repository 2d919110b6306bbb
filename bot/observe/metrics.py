"""What is counted, as one frozen value with a registry of its own: two apps in one process do not mix.

Hides prometheus-client. Labels take few values only: never a person, a thread or a text.
"""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0)
_LONG = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)


@dataclass(frozen=True, slots=True)
class Metrics:
    """All metrics of an app. Make it with `create`; `render` is what /metrics answers."""

    registry: CollectorRegistry
    sessions_running: Gauge
    steps: Counter
    model_calls: Counter
    """model, outcome: 'ok' or the trouble's code"""
    model_tokens: Counter
    """model, kind: input, cached, output"""
    model_cost: Counter
    """model; US dollars"""
    model_seconds: Histogram
    """model"""
    tool_calls: Counter
    """tool, outcome: ok, failed, unknown, denied"""
    tool_seconds: Histogram
    """tool"""
    posts: Counter
    """surface, kind: the outgoing type's name"""
    surface_errors: Counter
    """surface, kind: gone, refused, unavailable"""
    inbox: Counter
    """surface, outcome: received, duplicate"""
    ack_seconds: Histogram
    """surface; from an event's arrival to its acknowledgement"""
    ring_seconds: Histogram
    """From a ring to the start of the work it rang for."""
    leases_lost: Counter
    approvals: Counter
    """verdict: asked, yes, no, change, expired, withdrawn"""

    @classmethod
    def create(cls) -> Metrics:
        """Fresh metrics, all at zero."""
        registry = CollectorRegistry()

        def counter(name: str, what: str, *labels: str) -> Counter:
            return Counter(f"threadhand_{name}", what, labels, registry=registry)

        def histogram(name: str, what: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(f"threadhand_{name}", what, labels, buckets=buckets, registry=registry)

        return cls(
            registry=registry,
            sessions_running=Gauge("threadhand_sessions_running", "Sessions being worked on", registry=registry),
            steps=counter("steps", "Steps taken by sessions"),
            model_calls=counter("model_calls", "Calls of the model", "model", "outcome"),
            model_tokens=counter("model_tokens", "Tokens of model calls", "model", "kind"),
            model_cost=counter("model_cost_dollars", "Cost of model calls in US dollars", "model"),
            model_seconds=histogram("model_seconds", "Duration of model calls", _LONG, "model"),
            tool_calls=counter("tool_calls", "Calls of tools", "tool", "outcome"),
            tool_seconds=histogram("tool_seconds", "Duration of tool calls", _LONG, "tool"),
            posts=counter("posts", "Messages posted", "surface", "kind"),
            surface_errors=counter("surface_errors", "Failures of a chat product's API", "surface", "kind"),
            inbox=counter("inbox", "Events taken in", "surface", "outcome"),
            ack_seconds=histogram("ack_seconds", "Arrival of an event to its acknowledgement", _QUICK, "surface"),
            ring_seconds=histogram("ring_seconds", "Ring to start of the work", _QUICK),
            leases_lost=counter("leases_lost", "Sessions a worker lost to another one"),
            approvals=counter("approvals", "Confirmations by what became of them", "verdict"),
        )

    def render(self) -> tuple[bytes, str]:
        """The text Prometheus reads, and its content type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST
