"""The only door outward: no redirects, no plain http to other machines, an end to everything."""

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from requests import Session

from server.delivery import egress
from server.delivery.egress import Undeliverable
from tests.support.receiver import Receiver, answer, drip, flood, hang, receiver


@pytest.fixture
def far() -> Iterator[Receiver]:
    """A receiver."""
    with receiver() as made:
        yield made


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short limits, so that a test ends soon."""
    manager = egress._MANAGER.clone()
    manager.config.default_timeout = (0.3, 0.3)
    monkeypatch.setattr(egress, "_MANAGER", manager)
    monkeypatch.setattr(egress, "_MOST_SECONDS", 0.6)


def _post(url: str) -> None:
    egress.post(url, b"{}", {})


def _refused(url: str) -> Undeliverable:
    with pytest.raises(Undeliverable) as refusal:
        _post(url)
    return refusal.value


def test_a_success_is_any_2xx(far: Receiver) -> None:
    """The body and the headers arrive as they were given."""
    for status in (200, 201, 204):
        far.behaviour = answer(status)
        egress.post(far.url(), b'{"a":1}', {"Sayso-Event-Id": "7"})
    first = far.got[0]

    assert len(far.got) == 3
    assert (first.method, first.path, first.body) == ("POST", "/hook", b'{"a":1}')
    assert first.headers["Sayso-Event-Id"] == "7"
    assert first.headers["User-Agent"] == "sayso"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
def test_a_refusal_of_the_receiver_is_final(far: Receiver, status: int) -> None:
    """The same message would be refused again."""
    far.behaviour = answer(status)
    refusal = _refused(far.url())

    assert not refusal.retry
    assert str(refusal) == f"status {status}"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_fault_of_the_receiver_is_tried_again(far: Receiver, status: int) -> None:
    """It may be better later."""
    far.behaviour = answer(status)
    assert _refused(far.url()).retry


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(far: Receiver, status: int) -> None:
    """NG-011: A receiver does not choose whom else we talk to."""
    far.behaviour = answer(status, Location=far.url().replace("hook", "elsewhere"))
    assert not _refused(far.url()).retry
    assert [request.path for request in far.got] == ["/hook"]


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/hook",
        "http://10.0.0.1/hook",
        "http://localhost.example.org/",
        "http://127.0.0.1@example.org/",
        "ftp://example.org/",
        "//example.org/",
        "//localhost/",
        "https://[bad/",
        "",
    ],
)
def test_plain_http_leaves_this_machine_never(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """CB-169: refused before anything is sent, and for good."""

    def no_request(*_: Any, **__: Any) -> None:
        raise AssertionError("something was sent")

    monkeypatch.setattr(Session, "request", no_request)
    refusal = _refused(url)

    assert not refusal.retry
    assert str(refusal) == "the target must be https"


@pytest.mark.usefixtures("hasty")
def test_a_receiver_that_never_answers_times_out(far: Receiver) -> None:
    """And is tried again."""
    far.behaviour = hang
    began = time.monotonic()
    refusal = _refused(far.url())

    assert refusal.retry
    assert time.monotonic() - began < 3


@pytest.mark.usefixtures("hasty")
def test_a_receiver_that_answers_byte_by_byte_times_out(far: Receiver) -> None:
    """The limit is for the whole answer, not for each piece of it."""
    far.behaviour = drip
    began = time.monotonic()
    refusal = _refused(far.url())

    assert refusal.retry
    assert time.monotonic() - began < 3


def test_an_answer_without_end_is_cut(far: Receiver) -> None:
    """A status is all that is needed; 64 KiB of the rest are enough."""
    far.behaviour = flood
    assert len(egress.send("GET", far.url(), body=b"", headers={}).body) == 64 * 1024


def test_nobody_there_is_tried_again() -> None:
    """A receiver that is being restarted gets its messages later."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        refusal = _refused(f"http://127.0.0.1:{probe.getsockname()[1]}/")

    assert refusal.retry


def test_the_environment_names_no_proxy(far: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """What leaves goes where the operator said, not where a variable says."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    _post(far.url())

    assert len(far.got) == 1
