"""Counts of waiting requests at other servers, and their age."""

from approver_tui.state.notifications.other_logins import OtherLoginCount, counts_after_query


def test_counts_have_the_time_of_their_query():
    """The counts are in the order of the logins, and a login without a count is not found."""
    counts = counts_after_query({}, {"home": 0, "work": 2}, at=5)
    assert list(counts.items()) == [
        ("home", OtherLoginCount("home", 0, 5)),
        ("work", OtherLoginCount("work", 2, 5)),
    ]


def test_an_unanswered_query_keeps_the_old_count():
    """The old count is marked as old. If there never was a response, there is no count."""
    counts = counts_after_query({}, {"home": None, "work": 2}, at=5)
    assert "home" not in counts
    assert counts_after_query(counts, {"home": 1, "work": None}, at=9) == {
        "home": OtherLoginCount("home", 1, 9),
        "work": OtherLoginCount("work", 2, 5, is_old=True),
    }


def test_a_removed_login_loses_its_count():
    """The count of a login disappears once the user has signed out there."""
    assert counts_after_query({"work": OtherLoginCount("work", 2, 5)}, {}, at=9) == {}
