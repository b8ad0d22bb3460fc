"""Counting waiting requests at other logins, over real sockets."""

import pytest

from approver_tui.client.devices.enrolling import Enrollment, enroll
from approver_tui.client.notifications.other_logins import OtherLogins
from tests.approver_tui.client.conftest import PIN
from tests.support.builders.approval_texts import wire_approval
from tests.support.fakes.fake_server import CODE


@pytest.fixture
def work(home, server):
    """A server at which this machine has a login named work."""
    enrollment = Enrollment(url=server.url, code=CODE, name="laptop", pin=PIN)
    enroll(home.with_profile("work"), enrollment, clock=server.now).close()
    return server


def test_only_the_other_logins_are_counted(home, work):
    """The current login is not counted. Unverified requests at the others count too."""
    others = OtherLogins(home, clock=work.now)
    assert others.counts() == {"work": 0}
    for number in range(3):
        work.add(wire_approval(number=number, now=work.now()))
    work.add(wire_approval(number=9, now=work.now()))["display"] = "{}"
    assert others.counts() == {"work": 4}
    assert OtherLogins(home.with_profile("work"), clock=work.now).counts() == {}
    others.close()


def test_every_page_of_a_long_list_is_counted(home, work, monkeypatch):
    """The count includes the requests after the first page."""
    monkeypatch.setattr("approver_tui.client.api._PAGE", 2)
    for number in range(5):
        work.add(wire_approval(number=number, now=work.now()))
    others = OtherLogins(home, clock=work.now)
    assert others.counts() == {"work": 5}
    others.close()


def test_connections_are_reused_between_counts(home, work):
    """A second count does not renew a token."""
    others = OtherLogins(home, clock=work.now)
    others.counts()
    renewed = work.refreshes
    others.counts()
    assert work.refreshes == renewed
    others.close()


def test_an_unreachable_server_has_no_count_and_does_not_hide_the_others(home, work):
    """The other logins are still counted, and the next count connects again."""
    home.with_profile("broken").profile_file.write_text("{")
    others = OtherLogins(home, clock=work.now)
    assert others.counts() == {"broken": None, "work": 0}
    work.is_stopped = True
    assert others.counts() == {"broken": None, "work": None}
    work.is_stopped = False
    assert others.counts() == {"broken": None, "work": 0}
    others.close()
