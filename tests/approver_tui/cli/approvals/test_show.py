"""`show` prints one request in full."""

from approver_tui.state.fingerprint import digest
from tests.support.builders.approval_texts import wire_approval


def test_the_document_has_every_fact_and_both_texts(logged_in, server):
    """A reader can compute both digests and the fingerprint from the document."""
    approval = server.add()
    document = logged_in("show", approval["id"], "--json").document
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
    """--raw prints each text below its digest, and nothing else."""
    approval = server.add()
    document = logged_in("show", approval["id"], "--json").document
    first, action, second, display = logged_in("show", approval["id"], "--raw").out.splitlines()
    assert (first, second) == (
        f"action, {document['action_digest']}:",
        f"display, {document['display_digest']}:",
    )
    assert (action, display) == (document["action"], document["display"])


def test_agent_text_is_quoted_and_marked(logged_in, server):
    """The agent's message is quoted, so that nobody takes it for the server's words."""
    approval = server.add()
    out = logged_in("show", approval["id"]).out
    assert 'agent says (not verified): "The invoice is due today."' in out
    assert "Amount:        EUR 4,820.00" in out
    assert f"sayso-approver approve {approval['id']} --fingerprint" in out


def test_unusual_signals_are_printed(logged_in, server):
    """The output also says if nothing is unusual. A consent is not compared with anything."""
    amount_signal = {
        "code": "large_amount",
        "severity": "warning",
        "text": "Amount is 12 times usual.",
    }
    target_signal = {
        "code": "new_target",
        "severity": "notice",
        "text": "You never approved this before.",
    }
    unusual, not_compared = (
        server.add(wire_approval(number=number, now=server.now(), display=display))
        for number, display in (
            (8, {"unusual": [amount_signal, target_signal], "compared": "Compared with 9."}),
            (9, {"unusual": None, "compared": None}),
        )
    )
    out = logged_in("show", unusual["id"]).out
    lines = "".join(
        f"               {line}\n" for line in (target_signal["text"], "Compared with 9.")
    )
    lines = f"unusual:       {amount_signal['text']}\n{lines}"
    assert f"Amount:        EUR 4,820.00\n{lines}Reference:     RE-7731\n" in out
    document = logged_in("show", unusual["id"], "--json").document
    assert (document["unusual"], document["compared"]) == (
        [amount_signal, target_signal],
        "Compared with 9.",
    )
    usual = server.add()
    assert (
        "unusual:       Nothing unusual, compared with 23 earlier approvals"
        in logged_in("show", usual["id"]).out
    )
    assert logged_in("show", usual["id"], "--json").document["unusual"] == []
    assert "unusual" not in logged_in("show", not_compared["id"]).out
    assert logged_in("show", not_compared["id"], "--json").document["unusual"] is None


def test_an_ended_request_suggests_no_answer(logged_in, server):
    """For an ended request, `show` prints the outcome instead of the commands."""
    approval = server.add()
    server.decide_elsewhere(approval["id"])
    out = logged_in("show", approval["id"]).out
    assert "denied by alice on desktop" in out
    assert "sayso-approver approve" not in out


def test_an_automatic_decision_names_the_consent(logged_in, server):
    """Plain lines and JSON both name the consent that decided."""
    decided_by = {"consent": "sayso_co_1", "policy": 3}
    outer = {"state": "redeemed", "decided_by": decided_by}
    approval = server.add(wire_approval(now=server.now(), outer=outer))
    out = logged_in("show", approval["id"]).out
    assert "approved under consent sayso_co_1" in out
    assert logged_in("show", approval["id"], "--json").document["decided_by"] == decided_by


def test_a_newer_request_names_the_one_it_replaces(logged_in, server):
    """Plain lines have the earlier request's fingerprint; JSON also has its ID."""
    earlier = {"id": "sayso_ap_1", "fingerprint": "9f3a-71c0"}
    approval = server.add(wire_approval(now=server.now(), outer={"supersedes": earlier}))
    assert "9f3a-71c0, no longer waiting" in logged_in("show", approval["id"]).out
    assert logged_in("show", approval["id"], "--json").document["supersedes"] == earlier
    plain = server.add()
    assert "replaces" not in logged_in("show", plain["id"]).out


def test_the_execution_is_printed(logged_in, server):
    """The resource's message is quoted, and an alarm says if the action is not what was granted."""
    execution = {
        "execution_id": "INV-2291",
        "consumed_at": "2026-11-26T12:00:00.000Z",
        "outcome": "failed",
        "text": "No funds.",
        "as_granted": False,
        "reported_at": "2026-11-26T12:01:00.000Z",
    }
    outer = {"state": "redeemed", "execution": execution}
    approval = server.add(wire_approval(now=server.now(), outer=outer))
    out = logged_in("show", approval["id"]).out
    assert "execution:     Failed at " in out
    assert " as INV-2291\n" in out
    assert 'resource says: "No funds."\n' in out
    assert "ALARM:         the resource did something other than what was granted\n" in out
    printed = logged_in("show", approval["id"], "--json").document["execution"]
    assert (printed["outcome"], printed["as_granted"]) == ("failed", False)
    unfinished = {
        **execution,
        "outcome": None,
        "text": None,
        "as_granted": None,
        "reported_at": None,
    }
    started = server.add(
        wire_approval(number=5, now=server.now(), outer=outer | {"execution": unfinished})
    )
    assert "execution:     Started at " in logged_in("show", started["id"]).out
    assert logged_in("show", started["id"], "--json").document["execution"]["outcome"] is None


def test_the_devices_that_a_request_reached_are_printed(logged_in, server):
    """Plain lines and JSON name each device and say whether it opened the request."""
    approval = server.add()
    (device,) = logged_in("show", str(approval["id"]), "--json").document["devices"]
    assert (device["name"], device["decided_at"]) == ("laptop", None)
    lines = logged_in("show", str(approval["id"])).out.splitlines()
    (reached,) = [line for line in lines if line.startswith("delivered to:")]
    assert "laptop " in reached
    assert ", seen " in reached
    assert "decided" not in reached
