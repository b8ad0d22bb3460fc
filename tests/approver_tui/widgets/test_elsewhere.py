"""The quiet line about other servers."""

import pytest

from approver_tui.state.elsewhere import Elsewhere, Waiting
from approver_tui.widgets.elsewhere import elsewhere_line

AT = 1_800_000_000_000


@pytest.mark.parametrize(
    ("servers", "said"),
    [
        ((), ""),
        ((Waiting("home", 0, AT),), ""),
        ((Waiting("home", 0, AT), Waiting("work", 2, AT)), "Waiting elsewhere: 2 at work"),
        (
            (Waiting("home", 1, AT - 200_000, is_old=True), Waiting("work", 2, AT)),
            "Waiting elsewhere: 1 (3 min ago) at home, 2 at work",
        ),
        (
            tuple(Waiting(name, 1, AT) for name in "abcde"),
            "Waiting elsewhere: 1 at a, 1 at b, 1 at c, 2 at 2 more",
        ),
    ],
)
def test_where_something_waits_is_said_in_one_line(servers, said):
    """Numbers and names of logins; how old a number is, where its server did not answer."""
    assert elsewhere_line(Elsewhere(servers), AT) == said
