"""Traces of what the program does, sent to an OpenTelemetry collector when one is named.

Hides the SDK and keeps no global provider. Attributes and errors are redacted before they become part of a span.
"""

from __future__ import annotations

import traceback
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from opentelemetry.trace import NoOpTracerProvider, Span, Status, StatusCode, Tracer

from bot.observe.redact import Redactor

if TYPE_CHECKING:  # the SDK takes half a second to load, and most deployments have no collector
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

Attribute = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Traces:
    """Makes spans. Without a provider they go nowhere and cost next to nothing."""

    tracer: Tracer
    redactor: Redactor
    provider: TracerProvider | None = None

    @classmethod
    def start(cls, endpoint: str, redactor: Redactor, exporter: SpanExporter | None = None) -> Traces:
        """Traces sent to the collector at `endpoint` (http://host:4318); with neither that nor an exporter, none."""
        if not endpoint and exporter is None:
            return cls(NoOpTracerProvider().get_tracer("threadhand"), redactor)
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        resource = Resource.create({"service.name": "threadhand", "service.version": version("threadhand")})
        provider = TracerProvider(resource=resource)
        provider.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces")))
        return cls(provider.get_tracer("threadhand"), redactor, provider)

    @contextmanager
    def span(self, name: str, **attributes: Attribute) -> Generator[Span]:
        """A span around a block. What the block raises is noted, redacted, and raised on."""
        shown = {key: self.shown(value) for key, value in attributes.items()}
        with self.tracer.start_as_current_span(
            name, attributes=shown, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield span
            except Exception as error:
                text = self.redactor.text("".join(traceback.format_exception(error)))
                span.add_event("exception", {"exception.type": type(error).__name__, "exception.stacktrace": text})
                span.set_status(Status(StatusCode.ERROR, self.redactor.text(str(error))))
                raise

    def shown(self, value: Attribute) -> Attribute:
        """An attribute's value as it may leave the process."""
        return self.redactor.text(value) if isinstance(value, str) else value

    def close(self) -> None:
        """Send what is left. Waits for the collector, at most a few seconds: call it from a thread."""
        if self.provider is not None:
            self.provider.shutdown()
