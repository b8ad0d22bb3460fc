"""Unsafe server options are refused, and the issuer is stored for the command line."""

import errno
import os
import socket
import stat
import tempfile

import pytest
from gunicorn.workers.workertmp import WorkerTmp

from server.serving.main import (
    ServeOptions,
    _Application,
    holding_issuer,
    prepare_settings,
    run,
)
from server.settings import BadSetting, Settings


@pytest.fixture
def settings(tmp_path):
    """A function for settings with a data folder that does not exist yet."""

    def create(**members):
        return Settings(data_dir=tmp_path / "data", **members)

    return create


def _serve(settings: Settings) -> None:
    """Start and stop, without a server."""
    with holding_issuer(settings):
        pass


def test_the_default_issuer_is_the_served_port_on_this_machine(settings):
    """The command line reads the stored issuer."""
    prepared_settings = prepare_settings(settings(), ServeOptions(port=9000))
    assert prepared_settings.issuer == "http://localhost:9000"
    _serve(prepared_settings)
    assert settings().issuer_url == "http://localhost:9000"
    assert stat.S_IMODE(prepared_settings.data_dir.stat().st_mode) == 0o700


def test_the_default_port_is_not_part_of_the_issuer(settings):
    """Browsers leave it out of their origin, so no page would work."""
    assert prepare_settings(settings(), ServeOptions(port=80)).issuer == "http://localhost"


def test_a_full_disk_leaves_the_stored_issuer(settings, monkeypatch):
    """An empty file would put links without a host into the output of commands."""
    _serve(prepare_settings(settings(), ServeOptions(port=9000)))

    def refuse(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="No space"):
        _serve(prepare_settings(settings(), ServeOptions(port=9001)))
    assert settings().issuer_url == "http://localhost:9000"


def test_a_server_needs_no_folder_for_temporary_files(settings, monkeypatch):
    """The data folder may be the only one that it can write to, as in a container."""
    monkeypatch.setattr(tempfile, "tempdir", "/nonexistent")
    prepared_settings = prepare_settings(settings(), ServeOptions())
    with holding_issuer(prepared_settings):
        WorkerTmp(_Application(prepared_settings, ServeOptions(), None).cfg).close()


def test_a_second_server_of_the_folder_needs_the_same_issuer(settings):
    """Otherwise, commands would print the addresses of the second one."""
    first, other = (prepare_settings(settings(), ServeOptions(port=port)) for port in (9000, 9001))
    with holding_issuer(first):
        _serve(first)
        with pytest.raises(BadSetting, match="has the issuer http://localhost:9000, not"):
            _serve(other)
        assert settings().issuer_url == "http://localhost:9000"
    _serve(other)
    assert settings().issuer_url == "http://localhost:9001"


def test_a_configured_issuer_is_kept(settings):
    """Behind a proxy, the issuer has a different port."""
    configured = settings(issuer="https://auth.example")
    assert prepare_settings(configured, ServeOptions(port=9000)) == configured
    _serve(configured)
    assert settings().issuer_url == "https://auth.example"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "auth.example"])  # noqa: S104  # the test is about this address
@pytest.mark.parametrize("issuer", ["", "http://auth.example", "https://localhost"])
def test_other_machines_are_not_served_under_an_untrusted_issuer(settings, host, issuer):
    """MC-07: the message says which setting to change, and the issuer is not stored."""
    configured = settings(issuer=issuer)
    with pytest.raises(BadSetting, match="SAYSO_ISSUER"):
        prepare_settings(configured, ServeOptions(host=host))
    assert not configured.data_dir.exists()


@pytest.mark.parametrize(
    "options",
    [
        ServeOptions(host="0.0.0.0", insecure=True),  # noqa: S104  # the test is about this address
        ServeOptions(host="127.0.0.1"),
        ServeOptions(host="::1"),
        ServeOptions(host="localhost"),
    ],
)
def test_this_machine_or_the_insecure_flag_is_served_without_https(settings, options):
    """Local use and trials need no certificate."""
    assert prepare_settings(settings(), options).issuer == "http://localhost:8470"


def test_other_machines_are_served_under_an_https_issuer(settings):
    """A proxy in front of the server terminates TLS."""
    options = ServeOptions(host="0.0.0.0")  # noqa: S104  # the test is about this address
    assert prepare_settings(settings(issuer="https://auth.example"), options)


def test_an_unavailable_address_is_refused_immediately(settings):
    """The error says what to do. The stored issuer of the running server is not overwritten."""
    configured = settings()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(BadSetting, match=rf"port {port}: Address already in use.*--port"):
            run(configured, ServeOptions(port=port))
    with pytest.raises(BadSetting, match=r"192\.0\.2\.7 port 8470: Cannot assign"):
        run(settings(issuer="https://auth.example"), ServeOptions(host="192.0.2.7"))
    assert not configured.data_dir.exists()


def test_several_workers_need_postgresql(settings):
    """SQLite supports only one writing process."""
    with pytest.raises(BadSetting, match="SAYSO_DATABASE_URL"):
        prepare_settings(settings(), ServeOptions(workers=2))
    assert prepare_settings(settings(database_url="postgresql://db/sayso"), ServeOptions(workers=2))
