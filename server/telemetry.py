"""Logs and metrics of the running server.

Owns: the log format, the correlation ID of a request, counters and gauges.
Never: logging a secret or raw untrusted text. Secrets are masked by their prefix, and agents' text
is escaped by the encoder (one JSON object per line).
"""

import contextlib
import contextvars
import logging
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.values import MutexValue, ValueClass

from server.protocol.names import SECRET_PREFIXES
from server.protocol.text import display_safe


@contextlib.contextmanager
def _hidden_import(name: str) -> Iterator[None]:
    """Make an optional package look uninstalled while the block imports other packages."""
    original = sys.modules.get(name)
    sys.modules[name] = None  # type: ignore[assignment]  # makes its import fail
    try:
        yield
    finally:
        del sys.modules[name]
        if original is not None:
            sys.modules[name] = original


with _hidden_import("rich"):  # structlog would load it for tracebacks, at 5 MiB per worker
    import structlog

_correlation: contextvars.ContextVar[str] = contextvars.ContextVar("correlation", default="local")

_SHARED = ValueClass is not MutexValue
"""Whether the metrics of all workers are in files (`_share_metrics` in `serving/main.py`)."""
REGISTRY = CollectorRegistry()


def _gauge(
    name: str, text: str, *labels: str, mode: Literal["max", "mostrecent", "livesum"] = "mostrecent"
) -> Gauge:
    """Create a gauge. `mode` says how several workers' values are combined."""
    return Gauge(name, text, labels, registry=REGISTRY, multiprocess_mode=mode)


ANSWERS = Counter(
    "sayso_answers", "Responses, by endpoint and status.", ["endpoint", "status"], registry=REGISTRY
)
LOOP_RUNS = Counter(
    "sayso_loop_runs",
    "Runs of background loops, by loop and outcome.",
    ["loop", "outcome"],
    registry=REGISTRY,
)
LOOP_LAST = _gauge(
    "sayso_loop_last_run_seconds",
    "When a background loop last finished a run.",
    "loop",
    mode="max",
)
OUTBOX = _gauge("sayso_outbox", "Messages in the outbox, by state.", "state")
UNSIGNED_ENTRIES = _gauge("sayso_audit_unsigned_entries", "Audit entries without a checkpoint.")
UNSIGNED_SECONDS = _gauge(
    "sayso_audit_unsigned_seconds", "How long the oldest audit entry has had no checkpoint."
)
UNSENT_ENTRIES = _gauge(
    "sayso_audit_unsent_entries", "Audit entries that a stream has not sent yet.", "stream"
)
UNSENT_SECONDS = _gauge(
    "sayso_audit_unsent_seconds",
    "The age of the oldest audit entry that a stream has not sent yet.",
    "stream",
)
LOST_LINES = Counter(
    "sayso_lost_log_lines", "Log lines that could not be written.", registry=REGISTRY
)
SOCKETS = _gauge("sayso_feed_sockets", "Open sockets of approvers.", mode="livesum")
HELD_POLLS = _gauge("sayso_held_polls", "Long polls that are open.", mode="livesum")

_LOGGER: structlog.stdlib.BoundLogger = structlog.get_logger("sayso")
_SECRET_KEYS = frozenset({"pin", "x", "y", "code", "secret", "client_secret", "assertion", "token"})
_MAX_TRACEBACK = 20_000
_SECRET_TEXT = re.compile(rf"({'|'.join(SECRET_PREFIXES)}|eyJ)[A-Za-z0-9_.-]+")


def correlation_id() -> str:
    """Return the ID that a request's log lines, audit entries and response header share."""
    return _correlation.get()


def correlate(value: str) -> None:
    """Set the correlation ID for this thread or greenlet."""
    _correlation.set(value)


def log() -> structlog.stdlib.BoundLogger:
    """Return the logger. Each line is one event with named fields."""
    return _LOGGER


def configure_logging(*, as_json: bool, level: str) -> None:
    """Log to standard error, as JSON lines or as text."""
    # repr() of strings escapes control characters that could move the cursor.
    renderer = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=False,
            repr_native_str=True,
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _add_correlation_id,
            structlog.processors.format_exc_info,
            _hide_secrets,
            _escape,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=lambda *_: _StderrLogger(sys.stderr),
        cache_logger_on_first_use=True,
    )


class _StderrLogger(structlog.WriteLogger):
    """Writes to standard error. Counts lines that cannot be written instead of raising."""

    def msg(self, message: str) -> None:
        """Write one line."""
        try:
            super().msg(message)
        except (OSError, ValueError):  # a full disk, a closed pipe, a closed file
            LOST_LINES.inc()

    log = debug = info = warn = warning = msg
    fatal = failure = err = error = critical = exception = msg


def loops() -> list[tuple[str, int]]:
    """Return this process's background loops, and when each last finished a run (ms)."""
    samples = [sample for metric in LOOP_LAST.collect() for sample in metric.samples]
    return sorted((sample.labels["loop"], int(sample.value * 1000)) for sample in samples)


def metrics_text() -> bytes:
    """Return all workers' metrics in the Prometheus text format."""
    if not _SHARED:
        return generate_latest(REGISTRY)
    shared = CollectorRegistry()
    MultiProcessCollector(shared)  # type: ignore[no-untyped-call]  # the library has no type here
    return generate_latest(shared)


def _add_correlation_id(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    event.setdefault("correlation_id", correlation_id())
    return event


def _hide_secrets(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> Mapping[str, Any]:
    return {
        key: "[hidden]" if key in _SECRET_KEYS else _mask(value) for key, value in event.items()
    }


def _escape(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Escape control characters in the event and the traceback. A traceback keeps its lines."""
    event["event"] = display_safe(str(event.get("event", "")))
    if "exception" in event:
        event["exception"] = display_safe(
            event["exception"], max_chars=_MAX_TRACEBACK, max_lines=_MAX_TRACEBACK
        )
    return event


def _mask(value: object) -> object:
    return _SECRET_TEXT.sub(r"\1[hidden]", value) if isinstance(value, str) else value
