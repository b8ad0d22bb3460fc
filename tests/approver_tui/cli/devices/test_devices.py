"""A person's devices from a shell."""

import pytest

from approver_tui.cli.exits import Exit
from tests.approver_tui.cli.conftest import PIN
from tests.support.fakes.fake_device_auth import DEVICE
from tests.support.fakes.fake_devices import OTHER_DEVICE


@pytest.mark.parametrize("command", [["devices"], ["devices", "list"]])
def test_devices_are_listed(logged_in, command):
    """The one in use is marked."""
    items = logged_in(*command, "--json").document["items"]
    assert {item["id"]: item["this"] for item in items} == {DEVICE: True, OTHER_DEVICE: False}
    assert "laptop (this one)" in logged_in(*command).out


def test_another_device_is_revoked(logged_in, server):
    """It removes power, so it takes no PIN."""
    document = logged_in("devices", "revoke", OTHER_DEVICE, "--json").document
    assert (document["id"], document["state"]) == (OTHER_DEVICE, "revoked")
    assert server.revoked == [OTHER_DEVICE]


def test_revoking_this_device_logs_out(logged_in, server):
    """No dead keys stay behind."""
    assert logged_in("devices", "revoke", DEVICE).code == 0
    assert server.revoked == ["self"]
    assert logged_in("inbox").code == Exit.LOGIN_FIRST


@pytest.mark.parametrize("verb", ["unlock", "vouch"])
def test_helping_another_device_takes_the_pin(logged_in, server, verb):
    """With it, a signed statement goes out; without it, exit 5."""
    command = ("devices", verb, OTHER_DEVICE)
    assert logged_in(*command).code == Exit.NOT_ALLOWED
    document = logged_in(*command, "--pin-stdin", "--json", stdin=PIN).document
    assert (document["id"], server.statements) == (OTHER_DEVICE, [verb])


def test_an_unknown_device_is_not_found(logged_in):
    """Found out before the PIN is spent."""
    done = logged_in("devices", "vouch", "sayso_dv_x", "--pin-stdin", "--json", stdin=PIN)
    assert (done.code, done.error["error"]) == (Exit.NOT_FOUND, "not_found")
