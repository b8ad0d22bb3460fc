"""A new device cannot approve high-risk requests for a day, even if older ones were revoked."""

from collections.abc import Callable

import pytest
from sqlalchemy import insert

from server.services.approvals.oversight import Oversight
from server.services.devices.new_devices import WAIT_MS, has_one_in_use, high_from
from server.services.devices.sessions import IDLE_MS
from server.storage.operations.tables import restore_holds
from tests.support.builders.callers import LocalTerminal, sign_in
from tests.support.builders.installation import BY
from tests.support.builders.passkey import LocalBrowser, SoftPasskey, enrollment_code
from tests.support.builders.site import LocalSite

OWN_DEVICE = "/api/devices/self"


def _terminal(local: LocalSite, name: str = "ana") -> LocalTerminal:
    """Enroll another terminal with an administrator's code."""
    user, issued = local.admin.users.enroll(name, by=BY)
    terminal = sign_in(local, user, issued.code)
    assert terminal.register().status == 201
    return terminal


def _passkey(local: LocalSite, name: str = "ana") -> LocalBrowser:
    """Enroll another passkey with an administrator's code."""
    user, _ = local.admin.users.show(name)
    browser = LocalBrowser(local, user, SoftPasskey(credential=local.admin.secrets.salt().encode()))
    assert browser.enroll(enrollment_code(local, name)).status == 201
    return browser


def _revoke_own_device(person: LocalTerminal) -> None:
    assert person.call("DELETE", OWN_DEVICE).status == 204


def _revoke(local: LocalSite, device_id: str) -> None:
    assert Oversight(local.services.store).revoke_device(device_id, by=BY)[1]


def _revoke_on_the_command_line(person: LocalTerminal) -> None:
    _revoke(person.local, person.device_id)


def _reuse_a_refresh_token(person: LocalTerminal) -> None:
    old = person.refresh_token
    assert person.refresh().status == 200
    person.local.clock.forward(2 * 60_000)
    assert person.refresh(old).status == 400
    assert person.call("GET", "/api/me").status == 401


def _revoke_and_disable_the_user_for_a_moment(person: LocalTerminal) -> None:
    _revoke_on_the_command_line(person)
    person.local.admin.users.disable("ana", by=BY)
    person.local.admin.users.enable("ana", by=BY)


def _keep_the_device(person: LocalTerminal) -> None:
    assert person.call("PATCH", OWN_DEVICE, {"name": "another name"}).status == 200


ENDINGS = (
    _revoke_own_device,
    _revoke_on_the_command_line,
    _reuse_a_refresh_token,
    _revoke_and_disable_the_user_for_a_moment,
    _keep_the_device,
)
Ending = Callable[[LocalTerminal], None]
Enroll = Callable[[LocalSite], LocalTerminal | LocalBrowser]


@pytest.mark.parametrize("new", [_terminal, _passkey], ids=lambda new: new.__name__)
@pytest.mark.parametrize("end", ENDINGS, ids=lambda end: end.__name__)
def test_a_device_waits_if_the_old_one_was_just_revoked(
    local: LocalSite, person: LocalTerminal, end: Ending, new: Enroll
) -> None:
    """The wait applies no matter who revoked the old device: the person needs time to notice."""
    end(person)
    assert new(local).device.high_from == local.clock.now() + WAIT_MS


@pytest.mark.parametrize(("after", "waits"), [(WAIT_MS, True), (WAIT_MS + 1, False)])
def test_a_device_does_not_wait_if_the_last_one_was_revoked_over_a_day_ago(
    local: LocalSite, person: LocalTerminal, after: int, *, waits: bool
) -> None:
    """A device that is enrolled exactly one day later still waits."""
    _revoke_own_device(person)
    local.clock.forward(after)
    expected = local.clock.now() + (WAIT_MS if waits else 0)
    assert _terminal(local).device.high_from == expected


@pytest.mark.parametrize(("idle", "waits"), [(IDLE_MS - 1, True), (IDLE_MS, False)])
@pytest.mark.parametrize("ended", [False, True], ids=["active", "revoked"])
def test_a_device_unused_for_thirty_days_does_not_make_others_wait(
    local: LocalSite, person: LocalTerminal, idle: int, *, waits: bool, ended: bool
) -> None:
    """Nobody would see an alarm on such a device, whether or not it is revoked."""
    local.clock.forward(idle)
    if ended:
        _revoke_on_the_command_line(person)
    expected = local.clock.now() + (WAIT_MS if waits else 0)
    assert _terminal(local).device.high_from == expected


def test_a_signed_in_passkey_counts_as_used(local: LocalSite, person: LocalTerminal) -> None:
    """Signing in counts as a use, even if the passkey never signs a decision."""
    browser = _passkey(local)
    _revoke_own_device(person)
    for _ in range(6):
        local.clock.forward(5 * WAIT_MS)
        assert browser.sign_in().status == 200
    local.clock.forward(5 * WAIT_MS)
    assert browser.send("GET", "/api/me").status == 200
    local.clock.forward(IDLE_MS - 1)
    assert _terminal(local).device.high_from == local.clock.now() + WAIT_MS
    _revoke(local, local.admin.users.show("ana")[1][-1].id)
    local.clock.forward(1)
    assert _passkey(local).device.high_from == local.clock.now() + WAIT_MS
    local.clock.forward(IDLE_MS)
    assert _terminal(local).device.high_from == local.clock.now()
    assert browser.device.state == "active"


@pytest.mark.usefixtures("person")
def test_a_waiting_device_makes_the_next_one_wait(local: LocalSite) -> None:
    """Nobody can shorten the wait by revoking a device and enrolling another one."""
    for _ in range(3):
        for device in local.admin.users.show("ana")[1]:
            if device.state == "active":
                _revoke(local, device.id)
        assert _passkey(local).device.high_from == local.clock.now() + WAIT_MS
        local.clock.forward(WAIT_MS // 2)


def test_a_device_disabled_by_a_restore_waits_when_it_is_enabled(
    local: LocalSite, person: LocalTerminal
) -> None:
    """The device may have been revoked after the backup was made."""
    local.clock.forward(3 * WAIT_MS)
    with local.services.store.write() as tx:
        assert tx.devices.revoke(person.device_id)
        hold = insert(restore_holds).values(kind="devices", id=person.device_id, at=tx.now)
        tx._connection.execute(hold)
        assert not has_one_in_use(tx, person.user.id)
        assert high_from(tx, person.user.id) == tx.now + WAIT_MS
    Oversight(local.services.store).enable_devices(device=None, user="ana", by=BY)
    assert person.device.state == "active"
    assert person.device.high_from == local.clock.now() + WAIT_MS
