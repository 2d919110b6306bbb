"""Spans an operator follows: nested, redacted, and sent to a collector only when one is named."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bot.observe import Redactor, Traces


def ended(traces: Traces, exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    traces.close()
    return {span.name: span for span in exporter.get_finished_spans()}


def test_a_span_has_its_attributes_and_its_parent() -> None:
    traces = Traces.start("", Redactor(), exporter := InMemorySpanExporter())
    with traces.span("slice", session="4f2a"), traces.span("step", number=3):
        pass
    spans = ended(traces, exporter)
    assert dict(spans["slice"].attributes or {}) == {"session": "4f2a"}
    assert dict(spans["step"].attributes or {}) == {"number": 3}
    assert spans["step"].parent == spans["slice"].context


def test_no_credential_becomes_part_of_a_span() -> None:
    traces = Traces.start("", Redactor.of(["a-known-secret"]), exporter := InMemorySpanExporter())
    with (
        pytest.raises(ValueError, match="a-known-secret"),
        traces.span("call", url="https://h/?token=abcdefgh", what="a-known-secret"),
    ):
        raise ValueError("refused a-known-secret")
    [span] = ended(traces, exporter).values()
    assert "a-known-secret" not in span.to_json()
    assert "abcdefgh" not in span.to_json()
    assert "refused [hidden]" in span.to_json()
    assert not span.status.is_ok


def test_without_a_collector_nothing_is_kept() -> None:
    traces = Traces.start("", Redactor())
    with traces.span("step") as span:
        assert not span.is_recording()
    traces.close()


async def test_a_named_collector_receives_the_spans() -> None:
    received: list[str] = []

    async def collect(request: web.Request) -> web.Response:
        message = ExportTraceServiceRequest.FromString(await request.read())
        received.extend(
            span.name for part in message.resource_spans for scope in part.scope_spans for span in scope.spans
        )
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/traces", collect)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    traces = Traces.start(f"http://127.0.0.1:{port}", Redactor())
    with traces.span("step"):
        pass
    await asyncio.to_thread(traces.close)
    await runner.cleanup()
    assert received == ["step"]
