"""From a one-time code to a device, or to nothing at all."""

import pytest

from approver_tui.client.api import open_client
from approver_tui.client.devices.enrolling import Enrolment, enrol, find_issuer, normal_code
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
    """Try to enrol."""
    values = {"url": server.url, "code": CODE, "name": "laptop", "pin": PIN} | changes
    return enrol(home, Enrolment(**values), clock=clock)


def test_an_enrolled_terminal_can_be_opened_again(client, home):
    """A later command finds everything it needs in the folder."""
    again = open_client(home, clock=clock)
    assert again.me().user.id == USER
    assert again.profile == client.profile
    assert again.profile.device_id == DEVICE
    again.close()


def test_the_pin_is_confirmed_at_once(client, server):
    """A new device starts with all its tries."""
    assert client.me().device.pin.tries == 0
    assert server.pin_calls == ["session"]


def test_no_key_lies_open_on_the_disk(client, home):
    """What the folder holds of the approval keys is sealed; public keys are the server's."""
    text = home.profile_file.read_text()
    assert client.profile.low_blob in text
    assert "low_scalar" not in text
    assert {path.name for path in home.secrets_folder.iterdir()} == {"session-key", "tokens"}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"pin": "12345"}, BadPin),
        ({"name": "my/laptop"}, BadName),
        ({"name": ""}, BadName),
        ({"name": " x"}, BadName),
        ({"name": "x" * 65}, BadName),
        ({"url": "ftp://localhost"}, BadServer),
        ({"url": "localhost:8470"}, BadServer),
        ({"url": "http://approvals.example"}, BadServer),
        ({"url": "http://localhost:1"}, Unreachable),
    ],
    ids=str,
)
def test_what_cannot_work_spends_no_code(server, home, changes, error):
    """The code is still good after every mistake that can be found without it."""
    with pytest.raises(error):
        attempt(server, home, **changes)
    assert not server.code_used
    assert profile.load(home) is None


@pytest.mark.parametrize("end", ["/api/devices", "/pin", "/confirmation"])
def test_a_failure_on_the_way_leaves_nothing_behind(server, home, end):
    """The half-made device is taken back, and no file pretends to be a login."""
    server.faults.drop_request_to.add(end)
    with pytest.raises(Unreachable):
        attempt(server, home)
    assert server.revoked == ["self"]
    with pytest.raises(LoginFirst):
        open_client(home, clock=clock)


def test_a_code_works_once(client, server, tmp_path):
    """The second use is refused by the server and told as it is."""
    other = profile.Home.at(tmp_path / "other")
    with pytest.raises(ApiError) as caught:
        attempt(server, other)
    assert caught.value.code == "invalid_grant"
    assert client.me().user.name == "alice"


def test_the_issuer_is_the_one_that_was_asked(server):
    """On this machine three names are one server; the issuer's own is used from then on."""
    assert find_issuer(server.url) == server.issuer
    assert find_issuer(server.issuer + "/") == server.issuer


def test_a_server_with_another_name_is_refused(server):
    """A page that points at somebody else's server does not get our code."""
    server.issuer = "https://elsewhere.example"
    with pytest.raises(BadServer):
        find_issuer(server.url)


@pytest.mark.parametrize(
    "typed", ["abcd-1234", "ABCD1234", " abcd 1234 ", "abcd-i2e4".replace("e", "3"), "abcdl234"]
)
def test_a_code_may_be_typed_as_people_type(typed):
    """Case, dashes, spaces and look-alike letters carry nothing."""
    assert normal_code(typed) == "ABCD1234"
