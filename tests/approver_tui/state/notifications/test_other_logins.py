"""Counts of waiting requests at other servers, and their age."""

from approver_tui.state.notifications.other_logins import (
    NO_OTHER_LOGINS,
    OtherLoginCount,
    OtherLoginCounts,
)


def test_counts_have_the_time_of_their_query():
    """The counts are in the order of the logins, and a login without a count is not found."""
    counts = NO_OTHER_LOGINS.with_counts({"home": 0, "work": 2}, at=5)
    assert counts.servers == (OtherLoginCount("home", 0, 5), OtherLoginCount("work", 2, 5))
    assert counts.busy == (OtherLoginCount("work", 2, 5),)
    assert counts.find("home") == OtherLoginCount("home", 0, 5)
    assert counts.find("club") is None


def test_an_unanswered_query_keeps_the_old_count():
    """The old count is marked as old. If there never was a response, there is no count."""
    counts = NO_OTHER_LOGINS.with_counts({"home": None, "work": 2}, at=5)
    assert counts.find("home") is None
    later = counts.with_counts({"home": 1, "work": None}, at=9)
    assert later.servers == (
        OtherLoginCount("home", 1, 9),
        OtherLoginCount("work", 2, 5, is_old=True),
    )
    assert later.with_counts({"home": 1, "work": 0}, at=12).busy == (
        OtherLoginCount("home", 1, 12),
    )


def test_a_removed_login_loses_its_count():
    """The count of a login disappears once the user has signed out there."""
    assert (
        OtherLoginCounts((OtherLoginCount("work", 2, 5),)).with_counts({}, at=9) == NO_OTHER_LOGINS
    )
