"""One request in full."""

from approver_tui.state.fingerprint import digest


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


def test_what_is_over_offers_no_answer(logged_in, server):
    """The outcome stands where the commands stood."""
    asked = server.add()
    server.decide_elsewhere(asked["id"])
    out = logged_in("show", asked["id"]).out
    assert "denied by alice on desktop" in out
    assert "sayso-approver approve" not in out
