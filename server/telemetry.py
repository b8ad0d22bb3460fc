"""Logs and metrics: what an operator sees of a running server.

Owns: the log's shape, the correlation id of a request, counters and gauges.
Never: a secret or raw foreign text. Values that look like one of ours are masked by their prefix,
and what an agent wrote is escaped by the encoder (one JSON object per line).
"""

import contextlib
import contextvars
import logging
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from server.protocol.text import display_safe


@contextlib.contextmanager
def _as_if_absent(name: str) -> Iterator[None]:
    """Whatever would load this package if it is there does without it."""
    before = sys.modules.get(name)
    sys.modules[name] = None  # type: ignore[assignment]  # how Python notes that there is none
    try:
        yield
    finally:
        del sys.modules[name]
        if before is not None:
            sys.modules[name] = before


with _as_if_absent("rich"):  # it would draw tracebacks for consoles, at 5 MiB of each worker
    import structlog

_correlation: contextvars.ContextVar[str] = contextvars.ContextVar("correlation", default="local")

REGISTRY = CollectorRegistry()
ANSWERS = Counter(
    "sayso_answers",
    "Answers given, by endpoint and status.",
    ["endpoint", "status"],
    registry=REGISTRY,
)
LOOP_RUNS = Counter(
    "sayso_loop_runs",
    "Rounds of background loops, by loop and outcome.",
    ["loop", "outcome"],
    registry=REGISTRY,
)
LOOP_LAST = Gauge(
    "sayso_loop_last_run_seconds",
    "When a background loop last finished a round.",
    ["loop"],
    registry=REGISTRY,
)
OUTBOX = Gauge("sayso_outbox", "Messages in the outbox, by state.", ["state"], registry=REGISTRY)
LOST_LINES = Counter(
    "sayso_lost_log_lines", "Lines that the log could not take.", registry=REGISTRY
)
SOCKETS = Gauge("sayso_feed_sockets", "Open sockets of approvers.", registry=REGISTRY)
HELD_POLLS = Gauge("sayso_held_polls", "Polls that are held open.", registry=REGISTRY)

_LOGGER: structlog.stdlib.BoundLogger = structlog.get_logger("sayso")
_SECRET_KEYS = frozenset({"pin", "x", "y", "code", "secret", "client_secret", "assertion", "token"})
_MOST_TRACEBACK = 20_000
_SECRET_TEXT = re.compile(r"(sayso_(?:cs|rt|ar)_|eyJ)[A-Za-z0-9_.-]+")


def correlation_id() -> str:
    """The id that ties log lines, audit entries and the answer's header together."""
    return _correlation.get()


def correlate(value: str) -> None:
    """Use this id from here on, in this thread or greenlet."""
    _correlation.set(value)


def log() -> structlog.stdlib.BoundLogger:
    """The logger; every line is one event with named facts."""
    return _LOGGER


def configure_logging(*, as_json: bool, level: str) -> None:
    """Send the log to standard error, as JSON lines or for a person's eyes."""
    # Texts are written as Python writes them, with everything escaped that moves a cursor.
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
            _with_correlation,
            structlog.processors.format_exc_info,
            _without_secrets,
            _drawable,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=lambda *_: _Lines(sys.stderr),
        cache_logger_on_first_use=True,
    )


class _Lines(structlog.WriteLogger):
    """Standard error. A line that it does not take is counted: the answer goes out without it."""

    def msg(self, message: str) -> None:
        """Write a line."""
        try:
            super().msg(message)
        except (OSError, ValueError):  # a full disk, a closed pipe, a closed file
            LOST_LINES.inc()

    log = debug = info = warn = warning = msg
    fatal = failure = err = error = critical = exception = msg


def loops() -> list[tuple[str, int]]:
    """The background loops of this process, and when each last ended a round (ms)."""
    samples = [sample for metric in LOOP_LAST.collect() for sample in metric.samples]
    return sorted((one.labels["loop"], int(one.value * 1000)) for one in samples)


def metrics_text() -> bytes:
    """Everything that is counted, in the text format of Prometheus."""
    return generate_latest(REGISTRY)


def _with_correlation(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    event.setdefault("correlation_id", correlation_id())
    return event


def _without_secrets(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> Mapping[str, Any]:
    return {
        key: "[hidden]" if key in _SECRET_KEYS else _masked(value) for key, value in event.items()
    }


def _drawable(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """A traceback keeps its lines; what its last line quotes moves no cursor, nor does a name."""
    event["event"] = display_safe(str(event.get("event", "")))
    if "exception" in event:
        event["exception"] = display_safe(
            event["exception"], max_chars=_MOST_TRACEBACK, max_lines=_MOST_TRACEBACK
        )
    return event


def _masked(value: object) -> object:
    return _SECRET_TEXT.sub(r"\1[hidden]", value) if isinstance(value, str) else value
