"""Numbers an operator scrapes."""

from __future__ import annotations

from bot.observe import Metrics


def test_what_happened_is_counted() -> None:
    metrics = Metrics.create()
    metrics.inbox.labels("slack", "duplicate").inc()
    metrics.model_tokens.labels("gpt-5.2", "cached").inc(1200)
    metrics.ack_seconds.labels("slack").observe(0.02)
    body, kind = metrics.render()
    assert kind.startswith("text/plain")
    lines = body.decode().splitlines()
    assert 'threadhand_inbox_total{outcome="duplicate",surface="slack"} 1.0' in lines
    assert 'threadhand_model_tokens_total{kind="cached",model="gpt-5.2"} 1200.0' in lines
    assert 'threadhand_ack_seconds_bucket{le="0.025",surface="slack"} 1.0' in lines


def test_two_apps_in_one_process_count_apart() -> None:
    one, other = Metrics.create(), Metrics.create()
    one.steps.inc()
    assert b"threadhand_steps_total 1.0" in one.render()[0]
    assert b"threadhand_steps_total 0.0" in other.render()[0]
