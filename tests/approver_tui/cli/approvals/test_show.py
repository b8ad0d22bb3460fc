"""`show` prints one request in full."""

from approver_tui.state.fingerprint import digest
from tests.support.builders.approval_texts import wire_approval


def test_the_document_has_every_fact_and_both_texts(logged_in, server):
    """Digests and fingerprint can be checked from it."""
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


def test_raw_prints_the_two_signed_texts(logged_in, server):
    """Each below its digest, and nothing else."""
    asked = server.add()
    whole = logged_in("show", asked["id"], "--json").document
    first, action, second, display = logged_in("show", asked["id"], "--raw").out.splitlines()
    assert (first, second) == (
        f"action, {whole['action_digest']}:",
        f"display, {whole['display_digest']}:",
    )
    assert (action, display) == (whole["action"], whole["display"])


def test_agent_text_is_quoted_and_marked(logged_in, server):
    """It cannot be taken for the server's words."""
    asked = server.add()
    out = logged_in("show", asked["id"]).out
    assert 'agent says (not verified): "The invoice is due today."' in out
    assert "Amount:        EUR 4,820.00" in out
    assert f"sayso-approver approve {asked['id']} --fingerprint" in out


def test_unusual_signals_are_printed(logged_in, server):
    """Their absence is printed too. JSON has the codes; a consent is not compared."""
    said = {"code": "large_amount", "severity": "warning", "text": "Amount is 12 times usual."}
    also = {"code": "new_target", "severity": "notice", "text": "You never approved this before."}
    odd, other = (
        server.add(wire_approval(number=number, now=server.now(), display=display))
        for number, display in (
            (8, {"unusual": [said, also], "compared": "Compared with 9."}),
            (9, {"unusual": None, "compared": None}),
        )
    )
    out = logged_in("show", odd["id"]).out
    lines = "".join(f"               {each}\n" for each in (also["text"], "Compared with 9."))
    lines = f"unusual:       {said['text']}\n{lines}"
    assert f"Amount:        EUR 4,820.00\n{lines}Reference:     RE-7731\n" in out
    document = logged_in("show", odd["id"], "--json").document
    assert (document["unusual"], document["compared"]) == ([said, also], "Compared with 9.")
    plain = server.add()
    assert (
        "unusual:       Nothing unusual, compared with 23 earlier approvals"
        in logged_in("show", plain["id"]).out
    )
    assert logged_in("show", plain["id"], "--json").document["unusual"] == []
    assert "unusual" not in logged_in("show", other["id"]).out
    assert logged_in("show", other["id"], "--json").document["unusual"] is None


def test_an_ended_request_suggests_no_answer(logged_in, server):
    """The outcome is in the place of the commands."""
    asked = server.add()
    server.decide_elsewhere(asked["id"])
    out = logged_in("show", asked["id"]).out
    assert "denied by alice on desktop" in out
    assert "sayso-approver approve" not in out


def test_an_automatic_decision_names_the_consent(logged_in, server):
    """Lines and JSON name it."""
    by = {"consent": "sayso_co_1", "policy": 3}
    outer = {"state": "redeemed", "decided_by": by}
    asked = server.add(wire_approval(now=server.now(), outer=outer))
    out = logged_in("show", asked["id"]).out
    assert "redeemed without asking, by consent sayso_co_1" in out
    assert logged_in("show", asked["id"], "--json").document["decided_by"] == by


def test_a_newer_request_names_the_one_it_replaces(logged_in, server):
    """Lines have its fingerprint, JSON has its ID too."""
    earlier = {"id": "sayso_ap_1", "fingerprint": "9f3a-71c0"}
    asked = server.add(wire_approval(now=server.now(), outer={"supersedes": earlier}))
    assert "9f3a-71c0, no longer waiting" in logged_in("show", asked["id"]).out
    assert logged_in("show", asked["id"], "--json").document["supersedes"] == earlier
    plain = server.add()
    assert "replaces" not in logged_in("show", plain["id"]).out


def test_the_execution_is_printed(logged_in, server):
    """The resource's words are quoted; it says whether they match what was granted."""
    done = {
        "execution_id": "INV-2291",
        "consumed_at": "2026-11-26T12:00:00.000Z",
        "outcome": "failed",
        "text": "No funds.",
        "as_granted": False,
        "reported_at": "2026-11-26T12:01:00.000Z",
    }
    outer = {"state": "redeemed", "execution": done}
    asked = server.add(wire_approval(now=server.now(), outer=outer))
    out = logged_in("show", asked["id"]).out
    assert "resource:      Failed at " in out
    assert " as INV-2291\n" in out
    assert 'resource says: "No funds."\n' in out
    assert "ALARM:         the resource did something other than what was granted\n" in out
    said = logged_in("show", asked["id"], "--json").document["execution"]
    assert (said["outcome"], said["as_granted"]) == ("failed", False)
    begun = {**done, "outcome": None, "text": None, "as_granted": None, "reported_at": None}
    other = server.add(
        wire_approval(number=5, now=server.now(), outer=outer | {"execution": begun})
    )
    assert "resource:      Started at its resource at " in logged_in("show", other["id"]).out
    assert logged_in("show", other["id"], "--json").document["execution"]["outcome"] is None


def test_the_devices_that_a_request_reached_are_printed(logged_in, server):
    """Lines and JSON say when it was delivered and opened."""
    asked = server.add()
    (device,) = logged_in("show", str(asked["id"]), "--json").document["devices"]
    assert (device["name"], device["decided_at"]) == ("laptop", None)
    lines = logged_in("show", str(asked["id"])).out.splitlines()
    (reached,) = [line for line in lines if line.startswith("reached:")]
    assert "laptop " in reached
    assert ", seen " in reached
    assert "decided" not in reached
