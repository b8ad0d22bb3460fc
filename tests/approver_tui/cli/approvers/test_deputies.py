"""`deputies` lists, adds and revokes deputies."""

from datetime import datetime

import pytest

from approver_tui.cli.exits import Exit
from approver_tui.cli.printing import rfc3339
from tests.approver_tui.cli.conftest import PIN


def test_a_deputy_is_added_listed_and_revoked(logged_in, server):
    """The PIN signs the values that are sent. Revoking a deputy requires no PIN."""
    assert "You have no deputies" in logged_in("deputies").out
    add = ("deputies", "add", "bob", "--from", "2026-12-20T08:00:00Z", "--pin-stdin")
    document = logged_in(*add, "--to", "2026-12-24T08:00:00+01:00", "--json", stdin=PIN).document
    assert (document["deputy"], document["user"]) == ("bob", "alice")
    assert (document["from"], document["to"]) == (
        "2026-12-20T08:00:00.000Z",
        "2026-12-24T07:00:00.000Z",
    )
    assert logged_in("deputies", "list", "--json").document["mine"][0]["id"] == "sayso_dy_1"
    assert "bob decides for alice from 2026-12-20" in logged_in("deputies").out
    assert logged_in("deputies", "revoke", "sayso_dy_1").out == "Revoked deputy sayso_dy_1.\n"
    assert server.deputies == []
    assert logged_in("deputies", "revoke", "sayso_dy_1").code == Exit.NOT_FOUND


def test_a_deputy_ends_their_term_by_a_short_id(logged_in, server):
    """Either of the two users can end it."""
    logged_in("deputies", "add", "bob", "--to", "2030-12-24", "--pin-stdin", stdin=PIN)
    server.deputy_for = [{**server.deputies[0], "id": "sayso_dy_abcdefgh"}]
    assert logged_in("deputies", "revoke", "abcd").out == "Revoked deputy sayso_dy_abcdefgh.\n"
    assert (len(server.deputies), server.deputy_for) == (1, [])


def _local_time(*parts):
    return rfc3339(round(datetime(*parts).astimezone().timestamp() * 1000))


@pytest.mark.parametrize("day", ["2030-12-24", "20301224"])
def test_a_date_includes_the_whole_day(logged_in, server, day):
    """A date is a day in this machine's time zone. Without --from, the deputy starts now."""
    output = logged_in("deputies", "add", "bob", "--to", day, "--pin-stdin", stdin=PIN).out
    assert "sayso-approver deputies revoke sayso_dy_1" in output
    (deputy,) = server.deputies
    assert deputy["to"] == _local_time(2030, 12, 25)
    assert str(deputy["from"]).endswith("Z")
    from_day = ("--from", "2030-12-20", "--to", "2030-12-24T12:00")
    logged_in("deputies", "add", "bob", *from_day, "--pin-stdin", stdin=PIN)
    (deputy,) = server.deputies
    assert (deputy["from"], deputy["to"]) == (
        _local_time(2030, 12, 20),
        _local_time(2030, 12, 24, 12),
    )


@pytest.mark.parametrize(
    "text", ["tomorrow", "24.12.2026", "", "9999-12-31", "9999-12-31T23:59:59-12:00"]
)
def test_an_invalid_date_costs_no_pin_attempt(logged_in, server, text):
    """An invalid date is rejected before the PIN is used or anything is sent."""
    result = logged_in("deputies", "add", "bob", "--to", text, "--pin-stdin", stdin=PIN)
    assert result.code == Exit.USAGE
    assert (server.deputies, server.pin_calls) == ([], ["session"])  # the call of the login
