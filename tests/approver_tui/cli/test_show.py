"""One request in full."""

from approver_tui.state.fingerprint import digest
from tests.support.approval_texts import wire_approval


def test_the_document_has_every_fact_and_both_texts(logged_in, server):
    """Whoever wants to check the digests and the fingerprint can."""
    asked = server.add()
    document = logged_in("show", asked["id"], "--json").document
    assert document["schema"] == "sayso.approval/1"
    assert document["facts"][0] == {"label": "Amount", "value": "EUR 4,820.00", "material": True}
    assert document["scopes"] == [{"scope": "payments:read", "risk": "medium"}]
    assert document["agent"]["owners"] == ["alice"]
    for member in ("undo", "why", "gives", "agent_says", "resource", "asked_from", "risk_reason"):
        assert document[member]
    assert digest(document["action"]) == document["action_digest"]
    assert digest(document["display"]) == document["display_digest"]
    assert document["decided"] is None


def test_agent_prose_is_quoted_and_marked(logged_in, server):
    """A person cannot take the agent's words for the server's."""
    asked = server.add()
    out = logged_in("show", asked["id"]).out
    assert 'agent says (not verified): "The invoice is due today."' in out
    assert "Amount:        EUR 4,820.00" in out
    assert f"sayso-approver approve {asked['id']} --fingerprint" in out


def test_what_is_unusual_is_said_and_that_nothing_is(logged_in, server):
    """With its code for scripts; a consent is compared with nothing."""
    said = {"code": "new_target", "text": "Never approved before: To account."}
    also = {"code": "unusual_hour", "text": "Asked between 03:00 and 04:00 UTC."}
    odd, other = (
        server.add(wire_approval(number=number, now=server.now(), display={"unusual": unusual}))
        for number, unusual in ((8, [said, also]), (9, None))
    )
    out = logged_in("show", odd["id"]).out
    lines = f"unusual:       {said['text']}\n               {also['text']}\n"
    assert f"Amount:        EUR 4,820.00\n{lines}Reference:     RE-7731\n" in out
    assert logged_in("show", odd["id"], "--json").document["unusual"] == [said, also]
    plain = server.add()
    assert "unusual:       nothing unusual\n" in logged_in("show", plain["id"]).out
    assert logged_in("show", plain["id"], "--json").document["unusual"] == []
    assert "unusual" not in logged_in("show", other["id"]).out
    assert logged_in("show", other["id"], "--json").document["unusual"] is None


def test_what_is_over_offers_no_answer(logged_in, server):
    """The outcome stands where the commands stood."""
    asked = server.add()
    server.decide_elsewhere(asked["id"])
    out = logged_in("show", asked["id"]).out
    assert "denied by alice on desktop" in out
    assert "sayso-approver approve" not in out
