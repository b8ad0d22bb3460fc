"""`grants` lists, shows, adds and revokes standing grants."""

import pytest

from approver_tui.cli.exits import Exit
from approver_tui.client.standing_grants.standing_grants import StandingGrantsClient
from tests.approver_tui.cli.test_schemas import grant
from tests.support.builders.approval_texts import to_rfc3339

LIVE = "sayso_sg_aaaaaaaaaaaaaaaa"


@pytest.fixture
def grants(server):
    """Add an active grant, a used up one, an expired one for scopes only, and an ended one."""
    now = server.now()
    over = {"expires_at": to_rfc3339(now - 1), "state": "expired", "type": None, "sum": None}
    ended = {"state": "ended", "ended_at": to_rfc3339(now - 1), "ended_because": "key_rotated"}
    server.grants = [
        grant(server),
        {**grant(server), "id": "sayso_sg_full", "state": "full", "taken": [], "notify": False},
        {**grant(server), **over, "id": "sayso_sg_old", "spent": None},
        {**grant(server), **ended, "id": "sayso_sg_gone"},
    ]


@pytest.mark.usefixtures("grants")
def test_active_grants_are_listed_with_what_is_left(logged_in):
    """Each entry has the agent, the resource, what is left, and the revoke command."""
    result = logged_in("grants")
    assert "invoice-bot at https://pay.example" in result.out
    assert "payment.transfer, payments:read, up to low risk" in result.out
    assert "used 1 of 3, EUR 5.00 of EUR 30.00" in result.out
    assert f"sayso-approver grants revoke {LIVE}" in result.out
    assert result.out == logged_in("grants", "list").out


@pytest.mark.usefixtures("grants")
def test_ended_grants_are_listed_with_a_flag(logged_in):
    """Each ended grant has the reason why it ended, and no revoke command."""
    result = logged_in("grants", "list", "--ended")
    assert "(key_rotated)" in result.out
    assert "used up; you are asked each time" in result.out
    assert result.out.count("sayso-approver grants revoke") == 2


def test_an_empty_list_says_so(logged_in):
    """Without any grants, the output is one line instead of nothing."""
    assert logged_in("grants").out.strip() == "No standing grants."


@pytest.mark.usefixtures("grants")
def test_show_prints_the_pattern_and_the_uses(logged_in):
    """A grant that was never used is shown as "not used yet"."""
    result = logged_in("grants", "show", LIVE)
    assert "Amount: up to EUR 20.00" in result.out
    assert "you are notified of each use" in result.out
    assert "use 1 spent" in result.out
    other = logged_in("grants", "show", "sayso_sg_full").out
    assert "not used yet" in other
    assert "you are not notified of uses" in other
    assert logged_in("grants", "show", "sayso_sg_x").code == Exit.NOT_FOUND


@pytest.mark.usefixtures("grants")
def test_revoking_a_grant_requires_no_pin(logged_in, server):
    """Revoking only removes access, so it requires no PIN."""
    result = logged_in("grants", "revoke", LIVE)
    assert result.out.strip() == "Revoked: invoice-bot at https://pay.example."
    assert server.grants[0]["state"] == "ended"
    assert server.pin_calls == ["session"]


@pytest.mark.usefixtures("grants")
def test_a_preview_creates_nothing(logged_in, server):
    """The preview lists which past requests the grant would not have covered, and why."""
    asked = server.add()
    result = logged_in("grants", "add", asked["id"], "--for", "15m", "--uses", "1", "--preview")
    assert "Would have covered 0 of the last 1 request:" in result.out
    assert "not covered: /amount" in result.out
    assert result.out.strip().endswith("No standing grant was created.")


@pytest.mark.usefixtures("grants")
@pytest.mark.parametrize(("flags", "notify"), [((), True), (("--quiet",), False)])
def test_quiet_grants_do_not_notify_of_uses(logged_in, server, monkeypatch, flags, notify):
    """With --quiet, the proposal asks the server not to notify of uses."""
    proposals = []
    preview = StandingGrantsClient.preview

    def record_preview(client, proposal):
        proposals.append(proposal)
        return preview(client, proposal)

    monkeypatch.setattr(StandingGrantsClient, "preview", record_preview)
    proposal = ("--for", "15m", "--uses", "1", "--preview")
    assert logged_in("grants", "add", server.add()["id"], *proposal, *flags).code == Exit.DONE
    assert [sent.notify for sent in proposals] == [notify]


@pytest.mark.parametrize(
    "proposal",
    [("--for", "soon"), ("--for", "0m"), ("--for", "1h", "--vary", "amount=")],
)
def test_an_invalid_proposal_is_a_usage_error(logged_in, proposal):
    """An invalid duration or --vary value is a usage error."""
    result = logged_in("grants", "add", "sayso_ap_x", "--uses", "1", *proposal)
    assert result.code == Exit.USAGE
