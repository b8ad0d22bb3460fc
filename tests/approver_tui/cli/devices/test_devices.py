"""`devices` lists, revokes, unlocks and vouches."""

import pytest

from approver_tui.cli.exits import Exit
from tests.approver_tui.cli.conftest import PIN
from tests.support.fakes.fake_device_auth import DEVICE
from tests.support.fakes.fake_devices import OTHER_DEVICE


@pytest.mark.parametrize("command", [["devices"], ["devices", "list"]])
def test_devices_are_listed(logged_in, command):
    """The list marks the device on which the command runs."""
    items = logged_in(*command, "--json").document["items"]
    assert {item["id"]: item["this"] for item in items} == {DEVICE: True, OTHER_DEVICE: False}
    assert "laptop (this device)" in logged_in(*command).out


def test_another_device_is_revoked(logged_in, server):
    """Revoking only removes access, so it requires no PIN."""
    document = logged_in("devices", "revoke", OTHER_DEVICE, "--json").document
    assert (document["id"], document["state"]) == (OTHER_DEVICE, "revoked")
    assert server.revoked == [OTHER_DEVICE]


def test_revoking_this_device_logs_out(logged_in, server):
    """After this device is revoked, every command says to log in."""
    assert logged_in("devices", "revoke", DEVICE).code == 0
    assert server.revoked == ["self"]
    assert logged_in("inbox").code == Exit.LOGIN_FIRST


@pytest.mark.parametrize("verb", ["unlock", "vouch"])
def test_unlocking_and_vouching_require_the_pin(logged_in, server, verb):
    """The PIN signs a statement. Without the PIN the command exits with 5."""
    command = ("devices", verb, OTHER_DEVICE)
    assert logged_in(*command).code == Exit.NOT_ALLOWED
    document = logged_in(*command, "--pin-stdin", "--json", stdin=PIN).document
    assert (document["id"], server.statements) == (OTHER_DEVICE, [verb])


def test_an_unknown_device_exits_with_3(logged_in):
    """An unknown ID is reported as not found."""
    result = logged_in("devices", "vouch", "sayso_dv_x", "--pin-stdin", "--json", stdin=PIN)
    assert (result.code, result.error["error"]) == (Exit.NOT_FOUND, "not_found")


def test_devices_add_prints_a_login_code_for_a_new_machine(logged_in, server):
    """The output has the code and the login command. A wrong PIN exits with 5 and is counted."""
    result = logged_in("devices", "add", "--pin-stdin", stdin=PIN)
    assert "sayso-approver login http://localhost:" in result.out
    assert " --code 7Q4N-0001" in result.out
    document = logged_in("devices", "add", "--pin-stdin", "--json", stdin=PIN).document
    assert document["code"] == "7Q4N-0001"
    refused = logged_in("devices", "add", "--pin-stdin", "--json", stdin="not it")
    assert refused.error["exit"] == 5
    assert server.pin_tries == 1
