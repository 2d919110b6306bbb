"""What an operator sees: logs, metrics and traces, none of which can carry a credential.

Hides structlog, prometheus-client and OpenTelemetry. Nothing here is module state: `start_logs` sets up the
process's logging once, `Metrics` and `Traces` are values that the composition root hands to whoever needs them.
"""

from bot.observe.logs import start_logs
from bot.observe.metrics import Metrics
from bot.observe.redact import Redactor
from bot.observe.traces import Traces

__all__ = ["Metrics", "Redactor", "Traces", "start_logs"]
