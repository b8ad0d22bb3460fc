"""Outbound requests follow no redirects, use https, and have time and size limits."""

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
from server.delivery.egress import EgressLimits, Undeliverable
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
def receiver_server() -> Iterator[Receiver]:
    """A receiver of requests, on this machine."""
    with receiver() as running:
        yield running


@pytest.fixture
def short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use short timeouts, so that the tests are fast."""
    manager = egress._MANAGER.clone()
    manager.config.default_timeout = (0.3, 0.3)
    monkeypatch.setattr(egress, "_MANAGER", manager)
    monkeypatch.setattr(egress, "_MAX_BODY_SECONDS", 0.6)


def _post(url: str) -> None:
    egress.post(url, b"{}", {})


def _post_refused(url: str) -> Undeliverable:
    with pytest.raises(Undeliverable) as refusal:
        _post(url)
    return refusal.value


def test_any_2xx_is_a_success(receiver_server: Receiver) -> None:
    """A delivery succeeds with any 2xx status, and body and headers arrive unchanged."""
    for status in (200, 201, 204):
        receiver_server.behavior = answer(status)
        egress.post(receiver_server.url(), b'{"a":1}', {"Sayso-Event-Id": "7"})
    first = receiver_server.got[0]

    assert len(receiver_server.got) == 3
    assert (first.method, first.path, first.body) == ("POST", "/hook", b'{"a":1}')
    assert first.headers["Sayso-Event-Id"] == "7"
    assert first.headers["User-Agent"] == "sayso"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
def test_a_4xx_refusal_is_final(receiver_server: Receiver, status: int) -> None:
    """The request is not retried, because it would be refused again."""
    receiver_server.behavior = answer(status)
    refusal = _post_refused(receiver_server.url())

    assert not refusal.retry
    assert str(refusal) == f"status {status}"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_temporary_failure_is_retried(receiver_server: Receiver, status: int) -> None:
    """The request is retried, because it may succeed later."""
    receiver_server.behavior = answer(status)
    assert _post_refused(receiver_server.url()).retry


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(receiver_server: Receiver, status: int) -> None:
    """NG-011: a receiver cannot make us send requests to other targets."""
    receiver_server.behavior = answer(
        status, Location=receiver_server.url().replace("hook", "elsewhere")
    )
    assert not _post_refused(receiver_server.url()).retry
    assert [request.path for request in receiver_server.got] == ["/hook"]


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
def test_plain_http_to_another_machine_is_refused(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The URL is refused before anything is sent, and there is no retry."""

    def no_request(*_: Any, **__: Any) -> None:
        raise AssertionError("something was sent")

    monkeypatch.setattr(Session, "request", no_request)
    refusal = _post_refused(url)

    assert not refusal.retry
    assert str(refusal) == "the target must be https"


@pytest.mark.usefixtures("short_timeouts")
def test_a_receiver_that_never_answers_times_out(receiver_server: Receiver) -> None:
    """A timeout is a temporary failure."""
    receiver_server.behavior = hang
    started = time.monotonic()
    refusal = _post_refused(receiver_server.url())

    assert refusal.retry
    assert time.monotonic() - started < 3


@pytest.mark.usefixtures("short_timeouts")
def test_a_receiver_that_answers_byte_by_byte_times_out(receiver_server: Receiver) -> None:
    """The limit is for the whole response, not for each part."""
    receiver_server.behavior = drip
    started = time.monotonic()
    refusal = _post_refused(receiver_server.url())

    assert refusal.retry
    assert time.monotonic() - started < 3


def test_an_endless_response_is_cut_off(receiver_server: Receiver) -> None:
    """At most 64 KiB of the body are read."""
    receiver_server.behavior = flood
    assert len(egress.send("GET", receiver_server.url(), body=b"", headers={}).body) == 64 * 1024


def test_a_compressed_response_is_not_decompressed(receiver_server: Receiver) -> None:
    """A small compressed body could expand to any size."""
    packed = gzip.compress(bytes(1_000_000))
    receiver_server.behavior = answer(200, packed, **{"Content-Encoding": "gzip"})
    response = egress.send("GET", receiver_server.url(), body=b"", headers={})

    assert response.body == packed
    assert receiver_server.got[0].headers["Accept-Encoding"] == "identity"


def test_a_refused_connection_is_retried() -> None:
    """The receiver may be restarting, so it gets its messages later."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        refusal = _post_refused(f"http://127.0.0.1:{probe.getsockname()[1]}/")

    assert refusal.retry


def test_proxy_environment_variables_are_ignored(
    receiver_server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the settings decide where messages are sent."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    _post(receiver_server.url())

    assert len(receiver_server.got) == 1


_STRICT = EgressLimits(ports=frozenset({443, 8443}))


def _refusal(url: str, reach: EgressLimits = _STRICT) -> str:
    """The problem at registration. Sending must report the same problem."""
    problem = egress.problem(url, reach)
    if problem:
        with pytest.raises(Undeliverable, match="the target") as refusal:
            egress.post(url, b"{}", {}, reach)
        assert not refusal.value.retry
        assert str(refusal.value) == problem
    return problem


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
def test_an_internal_address_is_refused_in_every_spelling(
    host: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """CB-167, NG-003: no spelling of an internal address is accepted, and none is logged."""
    monkeypatch.setattr(socket.socket, "connect", _refuse_connection)
    assert _refusal(f"https://{host}/cb") == "the target is not at a public address"
    assert caplog.text == ""


def _refuse_connection(*_: Any) -> None:
    raise AssertionError("something was connected to")


def test_a_name_that_resolves_to_an_internal_address_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """CB-167: the name is looked up once per call, and the checked address is the one used."""
    answers = iter(["93.184.216.34", "10.0.0.1", "93.184.216.34", "127.0.0.1"])
    calls: list[str] = []

    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        calls.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    def connect(address: tuple[str, int], *_: Any, **__: Any) -> None:
        calls.append(f"connect {address[0]}")
        raise OSError

    monkeypatch.setattr("requests_hardened.ip_filter.socket.getaddrinfo", look_up)
    monkeypatch.setattr("urllib3.connection.connection.create_connection", connect)
    assert egress.problem("https://bot.example/cb", _STRICT) == ""
    assert egress.problem("https://bot.example/cb", _STRICT) != ""
    with pytest.raises(Undeliverable) as refusal:
        egress.post("https://bot.example/cb", b"{}", {}, _STRICT)
    assert refusal.value.retry
    assert calls == [*["bot.example"] * 3, "connect 93.184.216.34"]
    with pytest.raises(Undeliverable, match="public address"):
        egress.post("https://bot.example/cb", b"{}", {}, _STRICT)


@pytest.mark.parametrize(
    ("url", "message"),
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
def test_an_agent_is_called_only_by_https_at_allowed_ports(url: str, message: str) -> None:
    """NG-009: the URL is checked at registration and again before each request."""
    assert message in _refusal(url)


def test_a_name_that_does_not_resolve_is_retried() -> None:
    """An unknown name is accepted at registration, because its owner may publish it later."""
    url = "https://nobody-knows-this.invalid/cb"
    assert egress.problem(url, _STRICT) == ""
    with pytest.raises(Undeliverable) as refusal:
        egress.post(url, b"{}", {}, _STRICT)
    assert refusal.value.retry


def test_in_development_an_agent_may_be_on_this_machine(receiver_server: Receiver) -> None:
    """A local agent may use plain http on any port. Other internal addresses are refused."""
    reach = EgressLimits(development=True)
    egress.post(receiver_server.url(), b"{}", {}, reach)
    egress.post(receiver_server.url("localhost"), b"{}", {}, reach)
    assert [request.headers["Host"] for request in receiver_server.got] == [
        f"127.0.0.1:{receiver_server.port}",
        f"localhost:{receiver_server.port}",
    ]
    assert egress.problem("https://10.0.0.1/cb", reach) != ""
    assert egress.problem("http://10.0.0.1/cb", reach) != ""


def test_a_private_network_can_be_allowed() -> None:
    """Only addresses in the allowed networks are accepted."""
    networks = (ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("fd00::/8"))
    wide = EgressLimits(networks=networks)
    assert egress.problem("https://10.1.2.3/cb", wide) == ""
    assert egress.problem("https://[fd00::1]/cb", wide) == ""
    assert egress.problem("https://10.2.0.1/cb", wide) != ""


def test_a_certificate_must_match_the_name_and_a_trusted_ca(tmp_path: Path) -> None:
    """CB-169: the connection uses the checked address, and the certificate is for the name."""
    with receiver(certify(tmp_path, "localhost")) as receiver_server:
        trusting = EgressLimits(development=True, ca_file=str(tmp_path / "ca.pem"))
        egress.post(f"https://localhost:{receiver_server.port}/cb", b"{}", {}, trusting)
        for url, reach in (
            (f"https://127.0.0.1:{receiver_server.port}/cb", trusting),
            (f"https://localhost:{receiver_server.port}/cb", EgressLimits(development=True)),
        ):
            with pytest.raises(
                Undeliverable, match=r"its certificate is (not trusted|for a different name)"
            ):
                egress.post(url, b"{}", {}, reach)
    assert len(receiver_server.got) == 1


@pytest.mark.usefixtures("short_timeouts")
def test_a_receiver_that_sends_its_headers_byte_by_byte_is_cut_off(
    receiver_server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte arrives in time, but the headers never end."""
    monkeypatch.setattr(egress, "_MAX_CONNECTION_SECONDS", 0.6)
    receiver_server.behavior = drip_head
    started = time.monotonic()
    refusal = _post_refused(receiver_server.url())

    assert refusal.retry
    assert time.monotonic() - started < 3
