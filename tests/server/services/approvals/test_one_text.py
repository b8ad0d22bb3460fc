"""The displayed, signed, issued and logged texts of an approval are the same."""

import base64
import hashlib
import json

from server.services.approvals.oversight import Oversight
from tests.support.clients.agent import PAYMENT_DETAILS


def digest(text):
    """SHA-256 as base64url, computed independently of the product."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def payload(jws):
    """The payload that a device signed."""
    part = jws.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_displayed_signed_issued_and_logged_digests_are_equal(agent, person, local):
    """I26: every digest is the digest of the displayed text."""
    handle, approval = agent.request_payment()
    shown = person.show(approval.id)
    action = json.loads(shown["action"])
    details = PAYMENT_DETAILS
    assert action["authorization_details"] == details
    facts = json.dumps(json.loads(shown["display"]))
    assert all(text in facts for text in ("4,820.00", details[0]["payee"]))
    digests = digest(shown["action"]), digest(shown["display"])
    assert (shown["action_digest"], shown["display_digest"]) == digests

    assert person.approve(approval.id).status == 200
    (decision,) = Oversight(local.services.store).approval(approval.id).decisions
    signed = payload(decision.jws)
    assert (signed["action_digest"], signed["display_digest"]) == digests

    answer = agent.poll(handle).json
    claims = local.claims(answer["access_token"])
    assert claims["authorization_details"] == details == answer["authorization_details"]
    assert claims["approval"]["action_digest"] == claims["approval"]["granted_digest"] == digests[0]
    assert (claims["sub"], claims["aud"]) == (action["user"], action["resource"])
    assert claims["scope"].split() == action["scope"]

    entries = {entry["type"]: entry for entry in local.admin.entries()}
    for kind in ("approval.requested", "approval.approved", "token.issued"):
        assert entries[kind]["action"] == digests[0], kind
    assert entries["approval.requested"]["facts"]["display_digest"] == digests[1]
    assert entries["token.issued"]["facts"]["jti"] == claims["jti"]
    assert (entries["token.issued"]["subject"], entries["token.issued"]["resource"]) == (
        action["user"],
        action["resource"],
    )
