"""The log: one event a line, tied to its request, without a secret."""

import io
import json

import pytest

from server import telemetry


@pytest.fixture
def logged(log_lines):
    """Writes one event and answers its line, as JSON unless the test says otherwise."""

    def write(event="something", *, as_json=True, level="info", **facts):
        telemetry.configure_logging(as_json=as_json, level=level)
        telemetry.log().info(event, **facts)
        return log_lines()

    return write


def test_a_line_is_an_event_with_facts_time_level_and_correlation(logged):
    """For machines as one JSON object."""
    telemetry.correlate("abcdef0123456789")
    (line,) = logged("agent.asked", agent="sayso_ag_a", count=2)
    said = json.loads(line)
    assert said.pop("timestamp").endswith("Z")
    assert said == {
        "event": "agent.asked",
        "agent": "sayso_ag_a",
        "count": 2,
        "level": "info",
        "correlation_id": "abcdef0123456789",
    }


def test_below_its_level_nothing_is_written(logged):
    """The operator decides."""
    assert logged(level="warning") == []


@pytest.mark.usefixtures("log_lines")
@pytest.mark.parametrize("broken", [OSError(28, "No space left on device"), ValueError("closed")])
def test_a_line_that_cannot_be_written_stops_nothing_and_is_counted(monkeypatch, broken):
    """A log on a full disk or a closed pipe must not turn answers into faults."""

    class Full(io.StringIO):
        def write(self, _text):
            raise broken

    monkeypatch.setattr("sys.stderr", Full())
    before = telemetry.LOST_LINES._value.get()
    telemetry.configure_logging(as_json=True, level="info")
    telemetry.log().info("something")
    telemetry.log().warning("something else")
    assert telemetry.LOST_LINES._value.get() == before + 2


def test_for_people_a_line_is_text(logged):
    """Without colours, so that a file of it can be read."""
    (line,) = logged("agent.asked", as_json=False, agent="sayso_ag_a")
    assert "agent.asked" in line
    assert "\x1b" not in line


@pytest.mark.parametrize("as_json", [True, False])
def test_what_others_wrote_never_begins_a_new_line_or_moves_a_cursor(logged, as_json):
    """A forged entry stays inside its quotes."""
    (line,) = logged(as_json=as_json, said='a\nfake event="x"\x1b[2J\r')
    assert "\x1b" not in line
    assert "\r" not in line


@pytest.mark.parametrize("name", ["pin", "code", "secret", "client_secret", "assertion", "token"])
def test_a_fact_that_is_a_secret_by_its_name_is_hidden(logged, name):
    """Whatever it holds."""
    (line,) = logged(**{name: "hunter2"})
    assert "hunter2" not in line
    assert json.loads(line)[name] == "[hidden]"


@pytest.mark.parametrize(
    "secret", ["sayso_cs_abc", "sayso_rt_abc-_", "sayso_ar_abc", "eyJhbGciOi.eyJz.abc"]
)
def test_what_looks_like_a_secret_is_hidden_wherever_it_stands(logged, secret):
    """CB-205, NG-005: its kind stays readable; ids are no secrets."""
    (line,) = logged(detail=f"sent {secret} to sayso_ap_abc")
    said = json.loads(line)["detail"]
    assert secret not in said
    assert said.endswith("[hidden] to sayso_ap_abc")


def test_a_traceback_is_written_without_secrets_too(log_lines):
    """Where most of them leak."""
    telemetry.configure_logging(as_json=True, level="info")
    try:
        _fail("bad \x1b[2J sayso_rt_abcdef")
    except ValueError:
        telemetry.log().exception("request.failed")
    (line,) = log_lines()
    said = json.loads(line)
    assert "ValueError" in said["exception"]
    assert "sayso_rt_abcdef" not in line
    assert "\x1b" not in said["exception"]


def _fail(text):
    raise ValueError(text)


def test_metrics_are_text_for_prometheus():
    """Every counter that we keep is there, described."""
    text = telemetry.metrics_text().decode()
    for name in ("sayso_answers", "sayso_loop_runs", "sayso_outbox", "sayso_feed_sockets"):
        assert f"# HELP {name}" in text
