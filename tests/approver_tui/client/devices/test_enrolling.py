"""Enrollment turns a one-time code into a device, or leaves nothing behind."""

import errno

import pytest

from approver_tui.client import errors
from approver_tui.client.api import open_client
from approver_tui.client.devices.enrolling import Enrollment, enroll, find_issuer, normalize_code
from approver_tui.client.sign_in import profile
from tests.approver_tui.client.conftest import PIN, clock
from tests.support.builders.approval_texts import USER
from tests.support.fakes.fake_device_auth import DEVICE
from tests.support.fakes.fake_server import CODE


def attempt(server, home, **changes):
    """Enroll with default values, some of them changed."""
    values = {"url": server.url, "code": CODE, "name": "laptop", "pin": PIN} | changes
    return enroll(home, Enrollment(**values), clock=clock)


def test_an_enrolled_terminal_can_be_opened_again(client, home):
    """A later command finds everything that it needs in the folder."""
    reopened = open_client(home, clock=clock)
    assert reopened.me().user.id == USER
    assert reopened.profile == client.profile
    assert reopened.profile.device_id == DEVICE
    reopened.close()


def test_enrolling_confirms_the_pin(client, server):
    """A new device has used none of its PIN attempts."""
    assert client.me().device.pin.tries == 0
    assert server.pin_calls == ["session"]


def test_no_private_key_is_stored_unsealed(client, home):
    """The profile has only the sealed key, and the secrets are the session key and the tokens."""
    text = home.profile_file.read_text()
    assert client.profile.low_blob in text
    assert "low_scalar" not in text
    assert {path.name for path in home.secrets_folder.iterdir()} == {"session-key", "tokens"}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"pin": "12345"}, errors.BadPin),
        ({"name": "my [laptop]"}, errors.BadName),
        ({"name": ""}, errors.BadName),
        ({"name": " x"}, errors.BadName),
        ({"name": "…"}, errors.BadName),
        ({"name": "a\tb"}, errors.BadName),
        ({"name": "x" * 65}, errors.BadName),
        ({"url": "ftp://localhost"}, errors.BadServer),
        ({"url": "localhost:8470"}, errors.BadServer),
        ({"url": "http://approvals.example"}, errors.BadServer),
        ({"url": "http://localhost:1"}, errors.Unreachable),
    ],
    ids=str,
)
def test_invalid_input_does_not_use_the_code(server, home, changes, error):
    """After a local error, the code is still unused and no profile exists."""
    with pytest.raises(error):
        attempt(server, home, **changes)
    assert not server.code_used
    assert profile.load(home) is None


@pytest.mark.parametrize("path", ["/api/devices", "/pin", "/confirmation"])
def test_a_failed_enrollment_leaves_nothing(server, home, path):
    """If a step fails, the device is revoked and there is no login."""
    server.faults.drop_request_to.add(path)
    with pytest.raises(errors.Unreachable):
        attempt(server, home)
    assert server.revoked == ["self"]
    with pytest.raises(errors.LoginFirst):
        open_client(home, clock=clock)


@pytest.mark.parametrize("folder", ["profiles", "state"])
def test_a_folder_that_cannot_be_written_does_not_use_the_code(server, home, folder):
    """The login must be stored somewhere, so both folders are checked before the code is used."""
    home.config.mkdir(parents=True, exist_ok=True)
    (home.config / folder).write_text("a file where a folder should be")
    with pytest.raises(errors.StorageFailed, match="cannot be stored on this machine"):
        attempt(server, home)
    assert not server.code_used


def test_a_disk_that_fills_up_while_enrolling_leaves_no_device(server, home, monkeypatch):
    """If the profile cannot be saved, nobody has its keys, so the device is revoked."""

    def fail(_home, _profile):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("approver_tui.client.sign_in.profile.save", fail)
    with pytest.raises(errors.StorageFailed, match="No space left on device"):
        attempt(server, home)
    assert server.revoked == ["self"]


def test_a_code_works_once(client, server, tmp_path):
    """The server refuses the second use, and the first device keeps working."""
    other = profile.Home.in_folder(tmp_path / "other")
    with pytest.raises(errors.ApiError) as caught:
        attempt(server, other)
    assert caught.value.code == "invalid_grant"
    assert client.me().user.name == "alice"


def test_the_issuer_must_be_the_requested_server(server):
    """The loopback names count as one server, and the name that the issuer uses is returned."""
    assert find_issuer(server.url) == server.issuer
    assert find_issuer(server.issuer + "/") == server.issuer


def test_a_server_with_another_name_is_refused(server):
    """A server whose issuer is a different host is refused before it gets the code."""
    server.issuer = "https://elsewhere.example"
    with pytest.raises(errors.BadServer):
        find_issuer(server.url)


@pytest.mark.parametrize(
    "url",
    [
        "https://sayso.example:port",
        "https://[::1",
        "https://..",
        f"https://{'a' * 64}.example",
        "https://xn--",
        "https://sayso\t.example",
    ],
)
def test_an_invalid_address_is_refused(url):
    """An address that no connection can use is an error for the user, not a crash."""
    with pytest.raises(errors.BadAddress):
        find_issuer(url)


@pytest.mark.parametrize(
    "typed", ["abcd-1234", "ABCD1234", " abcd 1234 ", "abcd-i2e4".replace("e", "3"), "abcdl234"]
)
def test_a_code_is_normalized(typed):
    """Case, dashes, spaces and look-alike characters do not matter."""
    assert normalize_code(typed) == "ABCD1234"
