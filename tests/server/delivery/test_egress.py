"""The only door outward: no redirects, no plain http to other machines, an end to everything."""

import gzip
import ipaddress
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from requests import Session

from server.delivery import egress
from server.delivery.egress import Reach, Undeliverable
from tests.support.fakes.receiver import (
    Receiver,
    answer,
    certify,
    drip,
    drip_head,
    flood,
    hang,
    receiver,
)


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
    monkeypatch.setattr(egress, "_MAX_BODY_SECONDS", 0.6)


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
    """Refused before anything is sent, and for good."""

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


def test_an_answer_that_comes_packed_is_not_unpacked(far: Receiver) -> None:
    """A few bytes would become as many as somebody likes."""
    packed = gzip.compress(bytes(1_000_000))
    far.behaviour = answer(200, packed, **{"Content-Encoding": "gzip"})
    found = egress.send("GET", far.url(), body=b"", headers={})

    assert found.body == packed
    assert far.got[0].headers["Accept-Encoding"] == "identity"


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


_STRICT = Reach(ports=frozenset({443, 8443}))


def _judged(url: str, reach: Reach = _STRICT) -> str:
    """What is said of it at registration; the same must be said when something is sent."""
    said = egress.problem(url, reach)
    if said:
        with pytest.raises(Undeliverable, match="the target") as refusal:
            egress.post(url, b"{}", {}, reach)
        assert not refusal.value.retry
        assert str(refusal.value) == said
    return said


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.2",
        "0177.0.0.1",
        "2130706433",
        "0x7f.1",
        "0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "[::ffff:127.0.0.1]",
        "[::ffff:10.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[fd00::1]",
        "[fec0::1]",
        "[::]",
        "[::127.0.0.1]",
        "[64:ff9b:1::a00:1]",
        "[2001::1]",
        "[ff02::1]",
        "198.18.0.1",
        "192.0.0.192",
        "255.255.255.255",
    ],
)
def test_an_agent_is_never_called_inside(
    host: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """CB-167, NG-003: in whatever form the address is written; and no log repeats it."""
    monkeypatch.setattr(socket.socket, "connect", _nobody)
    assert _judged(f"https://{host}/cb") == "the target is not at a public address"
    assert caplog.text == ""


def _nobody(*_: Any) -> None:
    raise AssertionError("something was connected to")


def test_a_name_that_leads_inside_is_refused_whenever_it_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """CB-167: looked up once for each call, and that answer is the one that is judged and used."""
    answers = iter(["93.184.216.34", "10.0.0.1", "93.184.216.34", "127.0.0.1"])
    asked: list[str] = []

    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    def connect(address: tuple[str, int], *_: Any, **__: Any) -> None:
        asked.append(f"connect {address[0]}")
        raise OSError

    monkeypatch.setattr("requests_hardened.ip_filter.socket.getaddrinfo", look_up)
    monkeypatch.setattr("urllib3.connection.connection.create_connection", connect)
    assert egress.problem("https://bot.example/cb", _STRICT) == ""
    assert egress.problem("https://bot.example/cb", _STRICT) != ""
    with pytest.raises(Undeliverable) as refusal:
        egress.post("https://bot.example/cb", b"{}", {}, _STRICT)
    assert refusal.value.retry
    assert asked == [*["bot.example"] * 3, "connect 93.184.216.34"]
    with pytest.raises(Undeliverable, match="public address"):
        egress.post("https://bot.example/cb", b"{}", {}, _STRICT)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://93.184.216.34/cb", "https"),
        ("https://93.184.216.34:22/cb", "port must be 443 or 8443"),
        ("https://localhost/cb", "this machine"),
        ("https://bot.example/#x", "absolute URI"),
        ("https://a@93.184.216.34/", "no user"),
        ("https://[bad/", "absolute URI"),
        ("file:///etc/passwd", "host"),
    ],
)
def test_an_agent_is_called_by_https_at_the_ports_that_are_open(url: str, says: str) -> None:
    """NG-009: said at registration, and again whenever something is sent."""
    assert says in _judged(url)


def test_a_name_that_nobody_knows_is_tried_later() -> None:
    """At registration it is no problem, and its owner may still put it into the world."""
    url = "https://nobody-knows-this.invalid/cb"
    assert egress.problem(url, _STRICT) == ""
    with pytest.raises(Undeliverable) as refusal:
        egress.post(url, b"{}", {}, _STRICT)
    assert refusal.value.retry


def test_in_development_an_agent_may_be_on_this_machine(far: Receiver) -> None:
    """By plain http, at any port; and still nowhere else inside."""
    here = Reach(development=True)
    egress.post(far.url(), b"{}", {}, here)
    egress.post(far.url("localhost"), b"{}", {}, here)
    assert [got.headers["Host"] for got in far.got] == [
        f"127.0.0.1:{far.port}",
        f"localhost:{far.port}",
    ]
    assert egress.problem("https://10.0.0.1/cb", here) != ""
    assert egress.problem("http://10.0.0.1/cb", here) != ""


def test_a_private_network_may_be_opened() -> None:
    """Its addresses alone; an agent's machine in a company has no other."""
    networks = (ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("fd00::/8"))
    wide = Reach(networks=networks)
    assert egress.problem("https://10.1.2.3/cb", wide) == ""
    assert egress.problem("https://[fd00::1]/cb", wide) == ""
    assert egress.problem("https://10.2.0.1/cb", wide) != ""


def test_a_certificate_must_be_of_the_name_and_of_somebody_we_trust(tmp_path: Path) -> None:
    """CB-169: the connection goes to an address, the certificate is of the name."""
    with receiver(certify(tmp_path, "localhost")) as far:
        trusting = Reach(development=True, ca_file=str(tmp_path / "ca.pem"))
        egress.post(f"https://localhost:{far.port}/cb", b"{}", {}, trusting)
        for url, reach in (
            (f"https://127.0.0.1:{far.port}/cb", trusting),
            (f"https://localhost:{far.port}/cb", Reach(development=True)),
        ):
            with pytest.raises(Undeliverable, match="SSLError"):
                egress.post(url, b"{}", {}, reach)
    assert len(far.got) == 1


@pytest.mark.usefixtures("hasty")
def test_a_receiver_that_drips_its_head_is_cut_off(
    far: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte comes in time, and the whole never: nobody holds a place for ever."""
    monkeypatch.setattr(egress, "_MAX_CONNECTION_SECONDS", 0.6)
    far.behaviour = drip_head
    began = time.monotonic()
    refusal = _refused(far.url())

    assert refusal.retry
    assert time.monotonic() - began < 3
