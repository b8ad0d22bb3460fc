"""The log has one event per line, with its correlation ID and without secrets."""

import io
import json

import pytest

from server import telemetry


@pytest.fixture
def logged(log_lines):
    """Writes one event and returns its lines, by default as JSON."""

    def write(event="something", *, as_json=True, level="info", **facts):
        telemetry.configure_logging(as_json=as_json, level=level)
        telemetry.log().info(event, **facts)
        return log_lines()

    return write


def test_a_log_line_has_event_facts_time_level_and_correlation_id(logged):
    """Each line is one JSON object."""
    telemetry.correlate("abcdef0123456789")
    (line,) = logged("agent.asked", agent="sayso_ag_a", count=2)
    logged_event = json.loads(line)
    assert logged_event.pop("timestamp").endswith("Z")
    assert logged_event == {
        "event": "agent.asked",
        "agent": "sayso_ag_a",
        "count": 2,
        "level": "info",
        "correlation_id": "abcdef0123456789",
    }


def test_events_below_the_configured_level_are_not_logged(logged):
    """The operator chooses the log level."""
    assert logged(level="warning") == []


@pytest.mark.usefixtures("log_lines")
@pytest.mark.parametrize("broken", [OSError(28, "No space left on device"), ValueError("closed")])
def test_a_failed_log_write_raises_nothing_and_is_counted(monkeypatch, broken):
    """A full disk or a closed pipe must not turn responses into errors."""

    class Full(io.StringIO):
        def write(self, _text):
            raise broken

    monkeypatch.setattr("sys.stderr", Full())
    before = telemetry.LOST_LINES._value.get()
    telemetry.configure_logging(as_json=True, level="info")
    telemetry.log().info("something")
    telemetry.log().warning("something else")
    assert telemetry.LOST_LINES._value.get() == before + 2


def test_the_text_format_has_no_escape_sequences(logged):
    """A log file in the text format is readable without a terminal."""
    (line,) = logged("agent.asked", as_json=False, agent="sayso_ag_a")
    assert "agent.asked" in line
    assert "\x1b" not in line


@pytest.mark.parametrize("as_json", [True, False])
def test_logged_text_cannot_start_a_new_line_or_send_escape_sequences(logged, as_json):
    """A forged entry stays inside the quotes of its value."""
    (line,) = logged(as_json=as_json, detail='a\nfake event="x"\x1b[2J\r')
    assert "\x1b" not in line
    assert "\r" not in line


@pytest.mark.parametrize("name", ["pin", "code", "secret", "client_secret", "assertion", "token"])
def test_a_fact_with_the_name_of_a_secret_is_hidden(logged, name):
    """The value is hidden whatever it looks like."""
    (line,) = logged(**{name: "hunter2"})
    assert "hunter2" not in line
    assert json.loads(line)[name] == "[hidden]"


@pytest.mark.parametrize(
    "secret",
    [
        "sayso_ac_abc",
        "sayso_ar_abc",
        "sayso_br_abc",
        "sayso_cs_abc",
        "sayso_dc_abc",
        "sayso_fl_abc",
        "sayso_it_abc",
        "sayso_ra_abc",
        "sayso_rk_abc",
        "sayso_rt_abc-_",
        "eyJhbGciOi.eyJz.abc",
    ],
)
def test_secrets_are_hidden_anywhere_in_a_fact(logged, secret):
    """CB-205, NG-005: only the secret is hidden, and the IDs next to it stay readable."""
    (line,) = logged(detail=f"sent {secret} to sayso_ap_abc")
    logged_event = json.loads(line)["detail"]
    assert secret not in logged_event
    assert logged_event.endswith("[hidden] to sayso_ap_abc")


def test_a_traceback_is_logged_without_secrets(log_lines):
    """Tracebacks are the most common way to leak secrets."""
    telemetry.configure_logging(as_json=True, level="info")
    try:
        _fail("bad \x1b[2J sayso_rt_abcdef")
    except ValueError:
        telemetry.log().exception("request.failed")
    (line,) = log_lines()
    logged_event = json.loads(line)
    assert "ValueError" in logged_event["exception"]
    assert "sayso_rt_abcdef" not in line
    assert "\x1b" not in logged_event["exception"]


def _fail(text):
    raise ValueError(text)


def test_metrics_text_describes_every_counter():
    """The metrics use the text format of Prometheus."""
    text = telemetry.metrics_text().decode()
    for name in ("sayso_answers", "sayso_loop_runs", "sayso_outbox", "sayso_feed_sockets"):
        assert f"# HELP {name}" in text
