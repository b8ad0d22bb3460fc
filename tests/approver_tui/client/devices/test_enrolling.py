"""From a one-time code to a device, or to nothing."""

import pytest

from approver_tui.client.api import open_client
from approver_tui.client.devices.enrolling import Enrollment, enroll, find_issuer, normalize_code
from approver_tui.client.errors import (
    ApiError,
    BadName,
    BadPin,
    BadServer,
    LoginFirst,
    Unreachable,
)
from approver_tui.client.sign_in import profile
from tests.approver_tui.client.conftest import PIN, clock
from tests.support.builders.approval_texts import USER
from tests.support.fakes.fake_device_auth import DEVICE
from tests.support.fakes.fake_server import CODE


def attempt(server, home, **changes):
    """Try to enroll."""
    values = {"url": server.url, "code": CODE, "name": "laptop", "pin": PIN} | changes
    return enroll(home, Enrollment(**values), clock=clock)


def test_an_enrolled_terminal_can_be_opened_again(client, home):
    """A later command finds everything in the folder."""
    again = open_client(home, clock=clock)
    assert again.me().user.id == USER
    assert again.profile == client.profile
    assert again.profile.device_id == DEVICE
    again.close()


def test_enrolling_confirms_the_pin(client, server):
    """A new device has all its attempts."""
    assert client.me().device.pin.tries == 0
    assert server.pin_calls == ["session"]


def test_no_private_key_is_stored_unsealed(client, home):
    """The server has the public keys."""
    text = home.profile_file.read_text()
    assert client.profile.low_blob in text
    assert "low_scalar" not in text
    assert {path.name for path in home.secrets_folder.iterdir()} == {"session-key", "tokens"}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"pin": "12345"}, BadPin),
        ({"name": "my [laptop]"}, BadName),
        ({"name": ""}, BadName),
        ({"name": " x"}, BadName),
        ({"name": "…"}, BadName),
        ({"name": "a\tb"}, BadName),
        ({"name": "x" * 65}, BadName),
        ({"url": "ftp://localhost"}, BadServer),
        ({"url": "localhost:8470"}, BadServer),
        ({"url": "http://approvals.example"}, BadServer),
        ({"url": "http://localhost:1"}, Unreachable),
    ],
    ids=str,
)
def test_invalid_input_uses_no_code(server, home, changes, error):
    """The code is still valid after every local error."""
    with pytest.raises(error):
        attempt(server, home, **changes)
    assert not server.code_used
    assert profile.load(home) is None


@pytest.mark.parametrize("end", ["/api/devices", "/pin", "/confirmation"])
def test_a_failed_enrollment_leaves_nothing(server, home, end):
    """The device is revoked, and no file looks like a login."""
    server.faults.drop_request_to.add(end)
    with pytest.raises(Unreachable):
        attempt(server, home)
    assert server.revoked == ["self"]
    with pytest.raises(LoginFirst):
        open_client(home, clock=clock)


def test_a_code_works_once(client, server, tmp_path):
    """The server refuses the second use."""
    other = profile.Home.at(tmp_path / "other")
    with pytest.raises(ApiError) as caught:
        attempt(server, other)
    assert caught.value.code == "invalid_grant"
    assert client.me().user.name == "alice"


def test_the_issuer_must_be_the_requested_server(server):
    """The three loopback names count as one server; the issuer's own is used from then on."""
    assert find_issuer(server.url) == server.issuer
    assert find_issuer(server.issuer + "/") == server.issuer


def test_a_server_with_another_name_is_refused(server):
    """It does not get the code."""
    server.issuer = "https://elsewhere.example"
    with pytest.raises(BadServer):
        find_issuer(server.url)


@pytest.mark.parametrize(
    "typed", ["abcd-1234", "ABCD1234", " abcd 1234 ", "abcd-i2e4".replace("e", "3"), "abcdl234"]
)
def test_a_code_is_normalized(typed):
    """Case, dashes, spaces and look-alike letters do not matter."""
    assert normalize_code(typed) == "ABCD1234"
