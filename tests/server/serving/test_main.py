"""Refused server options, and the issuer that serving records for the command line."""

import socket
import stat

import pytest

from server.serving.main import ServeOptions, prepared, run
from server.settings import BadSetting, Settings


@pytest.fixture
def settings(tmp_path):
    """Settings of a data folder that does not exist yet."""

    def made(**members):
        return Settings(data_dir=tmp_path / "data", **members)

    return made


def test_without_an_issuer_it_is_the_served_port_on_this_machine(settings):
    """The command line finds it."""
    served = prepared(settings(), ServeOptions(port=9000))
    assert served.issuer == "http://localhost:9000"
    assert settings().issuer_url == "http://localhost:9000"
    assert stat.S_IMODE(served.data_dir.stat().st_mode) == 0o700


def test_a_configured_issuer_is_kept(settings):
    """Behind a proxy the port is another one."""
    given = settings(issuer="https://auth.example")
    assert prepared(given, ServeOptions(port=9000)) == given
    assert settings().issuer_url == "https://auth.example"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "auth.example"])  # noqa: S104  # what is refused, or let
@pytest.mark.parametrize("issuer", ["", "http://auth.example", "https://localhost"])
def test_other_machines_are_not_served_under_an_untrusted_issuer(settings, host, issuer):
    """MC-07: the message says what to set; nothing is recorded."""
    given = settings(issuer=issuer)
    with pytest.raises(BadSetting, match="SAYSO_ISSUER"):
        prepared(given, ServeOptions(host=host))
    assert not given.data_dir.exists()


@pytest.mark.parametrize(
    "shape",
    [
        ServeOptions(host="0.0.0.0", insecure=True),  # noqa: S104  # what is refused, or let
        ServeOptions(host="127.0.0.1"),
        ServeOptions(host="::1"),
        ServeOptions(host="localhost"),
    ],
)
def test_this_machine_or_the_insecure_flag_is_served_without_https(settings, shape):
    """Trying it out needs no certificate."""
    assert prepared(settings(), shape).issuer == "http://localhost:8470"


def test_other_machines_are_served_under_an_https_issuer(settings):
    """A proxy in front terminates TLS."""
    shape = ServeOptions(host="0.0.0.0")  # noqa: S104  # what is refused, or let
    assert prepared(settings(issuer="https://auth.example"), shape)


def test_an_unavailable_address_is_refused_at_once(settings):
    """The error has the remedy; the issuer of the server that runs there is not claimed."""
    given = settings()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(BadSetting, match=rf"port {port}: Address already in use.*--port"):
            run(given, ServeOptions(port=port))
    with pytest.raises(BadSetting, match=r"192\.0\.2\.7 port 8470: Cannot assign"):
        run(settings(issuer="https://auth.example"), ServeOptions(host="192.0.2.7"))
    assert not given.data_dir.exists()


def test_several_workers_need_postgresql(settings):
    """SQLite has one writer, in one process."""
    with pytest.raises(BadSetting, match="SAYSO_DATABASE_URL"):
        prepared(settings(), ServeOptions(workers=2))
    assert prepared(settings(database_url="postgresql://db/sayso"), ServeOptions(workers=2))
