"""Counts of other servers, and their age."""

from approver_tui.state.notifications.other_logins import (
    NO_OTHER_LOGINS,
    OtherLoginCount,
    OtherLoginCounts,
)


def test_counts_have_the_time_of_their_query():
    """The counts are in the order of the logins."""
    known = NO_OTHER_LOGINS.with_counts({"home": 0, "work": 2}, at=5)
    assert known.servers == (OtherLoginCount("home", 0, 5), OtherLoginCount("work", 2, 5))
    assert known.busy == (OtherLoginCount("work", 2, 5),)
    assert known.find("home") == OtherLoginCount("home", 0, 5)
    assert known.find("club") is None


def test_an_unanswered_query_keeps_the_old_count():
    """If there never was an answer, there is no count."""
    known = NO_OTHER_LOGINS.with_counts({"home": None, "work": 2}, at=5)
    assert known.find("home") is None
    later = known.with_counts({"home": 1, "work": None}, at=9)
    assert later.servers == (
        OtherLoginCount("home", 1, 9),
        OtherLoginCount("work", 2, 5, is_old=True),
    )
    assert later.with_counts({"home": 1, "work": 0}, at=12).busy == (
        OtherLoginCount("home", 1, 12),
    )


def test_a_removed_login_loses_its_count():
    """Nothing is said of where one signed out."""
    assert (
        OtherLoginCounts((OtherLoginCount("work", 2, 5),)).with_counts({}, at=9) == NO_OTHER_LOGINS
    )
