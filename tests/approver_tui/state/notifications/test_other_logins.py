"""What waits at other servers: numbers, and as of when."""

from approver_tui.state.notifications.other_logins import NOWHERE, OtherLoginCount, OtherLoginCounts


def test_what_every_server_said_is_known_as_of_then():
    """In the order of the logins."""
    known = NOWHERE.counted({"home": 0, "work": 2}, at=5)
    assert known.servers == (OtherLoginCount("home", 0, 5), OtherLoginCount("work", 2, 5))
    assert known.busy == (OtherLoginCount("work", 2, 5),)
    assert known.find("home") == OtherLoginCount("home", 0, 5)
    assert known.find("club") is None


def test_who_does_not_say_keeps_the_number_and_its_age():
    """And is nothing at all before it first said something."""
    known = NOWHERE.counted({"home": None, "work": 2}, at=5)
    assert known.find("home") is None
    later = known.counted({"home": 1, "work": None}, at=9)
    assert later.servers == (
        OtherLoginCount("home", 1, 9),
        OtherLoginCount("work", 2, 5, is_old=True),
    )
    assert later.counted({"home": 1, "work": 0}, at=12).busy == (OtherLoginCount("home", 1, 12),)


def test_a_login_that_is_gone_is_gone():
    """Nothing is said of where one signed out."""
    assert OtherLoginCounts((OtherLoginCount("work", 2, 5),)).counted({}, at=9) == NOWHERE
