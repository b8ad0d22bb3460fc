"""The line about requests that wait at other servers."""

import pytest

from approver_tui.state.notifications.other_logins import OtherLoginCount
from approver_tui.widgets.notifications.other_logins import other_logins_line

AT = 1_800_000_000_000


@pytest.mark.parametrize(
    ("servers", "expected"),
    [
        ((), ""),
        ((OtherLoginCount("home", 0, AT),), ""),
        (
            (OtherLoginCount("home", 0, AT), OtherLoginCount("work", 2, AT)),
            "Waiting elsewhere: 2 at work",
        ),
        (
            (OtherLoginCount("home", 1, AT - 200_000, is_old=True), OtherLoginCount("work", 2, AT)),
            "Waiting elsewhere: 1 (3 min ago) at home, 2 at work",
        ),
        (
            tuple(OtherLoginCount(name, 1, AT) for name in "abcde"),
            "Waiting elsewhere: 1 at a, 1 at b, 1 at c, 2 on 2 other servers",
        ),
    ],
)
def test_waiting_requests_elsewhere_are_one_line(servers, expected):
    """The line has the count for each login, and its age if it is old."""
    assert other_logins_line({server.login: server for server in servers}, AT) == expected
