"""A receipt verifies with only the log's public key, and a changed receipt does not."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from approver_tui.client.audit.logged_receipts import NotLogged, why_not_proved
from approver_tui.client.jose import signed_decision
from server.audit_log import notes
from server.audit_log.entries import leaf_hash
from server.audit_log.merkle import inclusion_proof
from server.audit_log.notes import Checkpoint
from server.audit_log.proofs import Proof
from server.audit_log.verify import Broken, verify_file
from server.protocol.approvals.decisions import digest
from server.services.audit import audit
from server.services.audit.retention import Retention
from server.services.policy.policies import Policies
from tests.support.builders import receipts
from tests.support.builders.callers import LocalAgent, LocalTerminal, new_person
from tests.support.builders.installation import BY
from tests.support.builders.passkey import new_browser
from tests.support.builders.policies import rule
from tests.support.builders.receipts import Ends
from tests.support.builders.site import LocalSite
from tests.support.builders.trees import Tree
from tests.support.inputs.forged_answers import forged


@pytest.fixture
def verified(local: LocalSite, tmp_path: Path) -> Callable[..., str]:
    """A function that verifies a receipt from a file, as an auditor does."""
    own = local.services.audit_log.key.text

    def verify(receipt: Any, key: str = own) -> str:
        file = tmp_path / "receipt.json"
        file.write_text(json.dumps(receipt, indent=2), "utf-8")
        return verify_file(file, [key], None, io.StringIO())

    return verify


@pytest.fixture
def receipt(agent: LocalAgent, person: LocalTerminal) -> Any:
    """The receipt of an approval with limits, whose token was collected."""
    return receipts.prove_receipt(person, receipts.narrowed(agent, person))


@pytest.mark.parametrize("end", receipts.ENDS, ids=lambda end: end.__name__)
def test_the_receipt_of_each_outcome_verifies_with_the_key_of_the_log(
    verified: Callable[..., str], agent: LocalAgent, person: LocalTerminal, end: Ends
) -> None:
    """The receipt verifies. If nobody answered, the log says how the request ended and why."""
    receipt = receipts.prove_receipt(person, end(agent, person))
    verdict = verified(receipt)
    approval_id = receipt["approval"]["id"]
    assert verdict.startswith(
        f'Verified: "{approval_id}" is {receipts.ENDS[end]}. Everything in it is in the log'
    )


def test_a_receipt_signed_with_a_passkey_verifies(
    verified: Callable[..., str], local: LocalSite, agent: LocalAgent
) -> None:
    """The signature of a passkey has a different format."""
    browser = new_browser(local)
    _, approval = agent.request_approval(login_hint=browser.user.name)
    assert browser.approve(approval.id).status == 200
    assert "is approved, with 1 answer." in verified(receipts.prove_receipt(browser, approval.id))


def _set(value: Any, *path: Any) -> Callable[[Any], None]:
    def change(receipt: Any) -> None:
        for name in path[:-1]:
            receipt = receipt[name]
        old = receipt[path[-1]]
        receipt[path[-1]] = value(old) if callable(value) else value

    return change


def _without(kind: str, within: str | None = None) -> Callable[[Any], None]:
    """Remove the entry of this type."""

    def change(receipt: Any) -> None:
        entries = (receipt[within] if within else receipt)["entries"]
        entries[:] = [entry for entry in entries if json.loads(entry["body"])["type"] != kind]

    return change


def _append_space(text: str) -> str:
    return f"{text} "


def _other_text(name: str) -> Callable[[Any], None]:
    """Replace a text and its digest."""

    def change(receipt: Any) -> None:
        receipt["approval"] |= {name: "{}", f"{name}_digest": digest("{}")}

    return change


def _change_granted_text(receipt: Any) -> None:
    """Change what was granted, and drop the answer whose signature names it."""
    receipt["approval"]["granted"]["text"] += " "
    receipt["answers"][0]["counts"] = False


def _change_first_hash(proof: str) -> str:
    """Change the first hash of a proof."""
    lines = proof.split("\n")
    return "\n".join([*lines[:3], "A" * 43 + "=", *lines[4:]])


ANSWER: tuple[Any, ...] = ("answers", 0)
ENTRY: tuple[Any, ...] = ("entries", 0)
OTHER = "differs from the log"
CHANGES = {
    "action": (_set(_append_space, "approval", "action"), "approval/action was changed"),
    "display": (_set(_append_space, "approval", "display"), "approval/display was changed"),
    "request": (_set("other", "approval", "id"), "approval_id differs from the receipt"),
    "digest": (_set("x", "approval", "action_digest"), "approval/action was changed"),
    "agent": (_set("sayso_ag_other", "approval", "agent", "id"), f"agent_id of the .* {OTHER}"),
    "risk": (_set("low", "approval", "risk"), f"posture of the request {OTHER}"),
    "kind": (_set("consent", "approval", "kind"), f"kind of the request {OTHER}"),
    "steps": (_set("confirm", "approval", "ceremony"), f"ceremony of the request {OTHER}"),
    "policy": (_set(7, "policy_version"), f"policy_version {OTHER}"),
    "decider": (_set({"consent": "x"}, "approval", "decided_by"), f"approval/decided_by {OTHER}"),
    "denied": (_set("denied", "approval", "state"), "is denied, but the log says approval.appr"),
    "expired": (_set("expired", "approval", "state"), "is expired, but the log says approval.app"),
    "pending": (_set("pending", "approval", "state"), "is pending, but the log says approval.app"),
    "approved": (
        _set("approved", "approval", "state"),
        "approved, but the log has an entry",
    ),
    "order": (_set(lambda entries: entries[::-1], "entries"), "not in the order of the log"),
    "twice": (
        _set(lambda entries: [*entries, entries[-1]], "entries"),
        "not in the order of the log",
    ),
    "no entries": (_set([], "entries"), "has no entry for the creation of the request"),
    "not asked": (_without("approval.requested"), "has no entry for the creation of the request"),
    "not answered": (_without("approval.approved"), "redeemed, but the log says approval.requ"),
    "not issued": (_without("token.issued"), "redeemed, but the log has no entry token.issued"),
    "token": (_set("other", "token", "id"), f"token/id {OTHER}"),
    "user": (_set("sayso_us_other", *ANSWER, "by", "id"), "sayso_us_other is not in the log"),
    "answer": (_set("deny", *ANSWER, "decision"), "is not in the log"),
    "signed": (_set(forged, *ANSWER, "signed"), "is not in the log"),
    "code": (_set("too_broad", *ANSWER, "code"), "code is not what was signed"),
    "ceremony": (_set("confirm", *ANSWER, "ceremony"), "ceremony is not what was signed"),
    "granted": (_set({"text": "{}"}, "approval", "granted"), "granted is not what was signed"),
    "scope of the token": (_change_granted_text, "is for something other than what was granted"),
    "no answer": (_set([], "answers"), "lacks an answer that is in the log"),
    "no key": (_set(None, *ANSWER, "key"), "the signature cannot be checked"),
    "other key": (_set({"kty": "OKP"}, *ANSWER, "key", "jwk"), "the signature is invalid"),
    "entry": (_set(_append_space, *ENTRY, "body"), "entry/body does not match its proof"),
    "hash": (_set(_change_first_hash, *ENTRY, "proof"), "is not in the log"),
    "form": (_set("other", *ENTRY, "proof"), "This is not a proof"),
    "no proof": (_set(None, *ENTRY, "proof"), "has no proof that it is in the log"),
    "malformed": (_set(7, "answers"), "A member of the receipt is missing or wrong"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_to_a_receipt_is_reported(
    verified: Callable[..., str], receipt: Any, name: str
) -> None:
    """A change is found even if it was made with the keys of the server."""
    change, words = CHANGES[name]
    change(receipt)
    with pytest.raises(Broken, match=words):
        verified(receipt)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_set("cancelled", "approval", "state"), "is cancelled, but the log says approval.expired"),
        (_set("redeemed", "approval", "state"), "is redeemed, but the log says approval.expired"),
        (_set("expired_seen", "approval", "reason"), f"approval/reason {OTHER}"),
        (_without("approval.expired"), "is expired, but the log says approval.requested"),
        (_other_text("action"), f"action of the request {OTHER}"),
        (_other_text("display"), f"display_digest of the request {OTHER}"),
    ],
)
def test_each_change_to_an_unanswered_receipt_is_reported(
    verified: Callable[..., str],
    agent: LocalAgent,
    person: LocalTerminal,
    change: Callable[[Any], None],
    words: str,
) -> None:
    """The log says how the request ended and why."""
    receipt = receipts.prove_receipt(person, receipts.expired(agent, person))
    change(receipt)
    with pytest.raises(Broken, match=words):
        verified(receipt)


GRANT_REQUEST: tuple[Any, ...] = ("given_in", "approval")
GRANT_REQUEST_CHANGES = {
    "none": (_set(None, "given_in"), "lacks the request that created"),
    "display": (_set(_append_space, *GRANT_REQUEST, "display"), "approval/display was changed"),
    "state": (_set("approved", *GRANT_REQUEST, "state"), "is approved, but the log has an entry"),
    "no answer": (_set([], "given_in", "answers"), "lacks an answer that is in the log"),
    "forged": (_set({"kty": "OKP"}, "given_in", *ANSWER, "key", "jwk"), "signature is invalid"),
    "entry": (_without("standing_grant.given", "given_in"), "has no entry standing_grant.given"),
    "use": (_set(2, "approval", "decided_by", "use"), f"approval/decided_by {OTHER}"),
    "person": (_set(None, "approval", "decided_by"), f"approval/decided_by {OTHER}"),
}


def test_replacing_a_withdrawal_with_the_withdrawn_approval_is_detected(
    verified: Callable[..., str], agent: LocalAgent, person: LocalTerminal
) -> None:
    """Only the last answer of each user counts, although the log also has the earlier ones."""
    receipt = receipts.prove_receipt(person, receipts.vote_withdrawn(agent, person))
    vote = receipts.entry(receipt, "approval.voted")["facts"]
    receipt["answers"][0] |= {"decision": "approve", "signed": vote["signed"]}
    with pytest.raises(Broken, match="is not in the log"):
        verified(receipt)


@pytest.mark.parametrize("name", GRANT_REQUEST_CHANGES)
def test_each_change_to_the_receipt_of_a_standing_grant_use_is_reported(
    verified: Callable[..., str], agent: LocalAgent, person: LocalTerminal, name: str
) -> None:
    """The receipt contains the request in which the user signed the standing grant."""
    receipt = receipts.prove_receipt(person, receipts.granted(agent, person))
    change, words = GRANT_REQUEST_CHANGES[name]
    change(receipt)
    with pytest.raises(Broken, match=words):
        verified(receipt)


FORGED_LOG = notes.public_key("localhost:8470/log", b"o" * 32).text


def _prove_in_another_log(*entries: Any) -> None:
    """Prove these entries in a different log, in this order."""
    bodies = [entry["body"].encode() for entry in entries]
    tree, size = Tree.from_leaves(map(leaf_hash, bodies)), len(bodies)
    checkpoint = notes.sign(Checkpoint("localhost:8470/log", size, tree.root), b"o" * 32, 1)
    for index, (entry, body) in enumerate(zip(entries, bodies, strict=True)):
        hashes = tuple(inclusion_proof(tree.nodes, index, size))
        entry["proof"] = Proof(index, body, hashes, checkpoint).text


def _change_entries(receipt: Any, kind: str, *path: str, value: Any) -> None:
    """Change the member of every entry of this type."""
    for entry in receipt["entries"]:
        members = json.loads(entry["body"])
        if members["type"] == kind:
            _set(value, *path)(members)
            entry["body"] = json.dumps(members)


def _unsigned(receipt: Any) -> None:
    """Make the log say that the standing grant was created without an answer."""
    _change_entries(receipt["given_in"], "approval.approved", "type", value="approval.allowed")
    receipt["given_in"]["answers"] = []


CONTRADICTIONS = {
    "another answer": ("approval.approved", ("type",), "approval.denied", "the log says"),
    "another user": ("approval.approved", ("actor",), "user:sayso_us_other", "is not in the log"),
    "another request": ("token.issued", ("approval_id",), "sayso_ap_other", "approval_id differs"),
    "another policy": (
        "token.issued",
        ("facts", "policy"),
        {"version": 7},
        "policy_version differs",
    ),
    "another action": (
        "token.issued",
        ("action",),
        "other",
        "something other than what was granted",
    ),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_receipt_that_contradicts_its_log_does_not_verify(
    verified: Callable[..., str], agent: LocalAgent, person: LocalTerminal, name: str
) -> None:
    """Verification fails even if the log's own key signed the entries."""
    receipt = receipts.prove_receipt(person, receipts.collected(agent, person))
    _prove_in_another_log(*receipt["entries"])
    assert "is redeemed, with 1 answer" in verified(receipt, FORGED_LOG)
    kind, path, value, words = CONTRADICTIONS[name]
    _change_entries(receipt, kind, *path, value=value)
    _prove_in_another_log(*receipt["entries"])
    with pytest.raises(Broken, match=words):
        verified(receipt, FORGED_LOG)


def test_a_request_of_an_earlier_version_is_not_reported_as_changed(
    verified: Callable[..., str], agent: LocalAgent, person: LocalTerminal
) -> None:
    """Its entry lacks facts, so the receipt is not proved. A contradiction is still reported."""
    receipt = receipts.prove_receipt(person, receipts.collected(agent, person))
    facts = receipts.entry(receipt, "approval.requested")["facts"]
    old_facts = {name: facts[name] for name in facts.keys() - {"kind", "ceremony"}}
    _change_entries(receipt, "approval.requested", "facts", value=old_facts)
    _prove_in_another_log(*receipt["entries"])
    reason = why_not_proved(receipt, FORGED_LOG)
    assert "approval.requested does not contain kind and ceremony" in reason
    with pytest.raises(Broken, match="does not contain kind and ceremony"):
        verified(receipt, FORGED_LOG)
    receipt["approval"]["risk"] = "low"
    with pytest.raises(NotLogged, match="posture of the request differs"):
        why_not_proved(receipt, FORGED_LOG)


@pytest.mark.parametrize(
    "name", ["approval", "action_digest", "display_digest", "decision", "code", "ceremony"]
)
def test_a_signature_over_something_else_does_not_verify(
    verified: Callable[..., str], agent: LocalAgent, person: LocalTerminal, name: str
) -> None:
    """Verification fails even if the log has it as the answer to this request."""
    approval = receipts.denied(agent, person)
    receipt = receipts.prove_receipt(person, approval)
    answer = {"decision": "deny", "code": "not_needed", "ceremony": "none", name: "other"}
    digests = {
        member: receipt["approval"][member] for member in ("action_digest", "display_digest")
    }
    payload = {"approval": approval, "at": person.now, "nonce": "n", **digests, **answer}
    jws = signed_decision(person.session, person.signer, payload)
    receipt["answers"][0]["signed"] = jws
    _change_entries(receipt, "approval.denied", "facts", "signed", value=jws)
    _prove_in_another_log(*receipt["entries"])
    with pytest.raises(Broken, match=f"{name} is not what was signed"):
        verified(receipt, FORGED_LOG)


def test_a_token_before_its_approval_does_not_verify(
    verified: Callable[..., str], agent: LocalAgent, person: LocalTerminal
) -> None:
    """A log whose token entry precedes the approval is refused."""
    receipt = receipts.prove_receipt(person, receipts.collected(agent, person))
    receipt["entries"][1:] = receipt["entries"][:0:-1]
    _prove_in_another_log(*receipt["entries"])
    with pytest.raises(Broken, match="is redeemed, but the log has an entry"):
        verified(receipt, FORGED_LOG)


FORGED_GRANT_LOGS: dict[str, Callable[[Any], None]] = {
    "another grant": lambda receipt: _change_entries(
        receipt["given_in"], "standing_grant.given", "facts", "standing_grant", value="other"
    ),
    "another agent": lambda receipt: _change_entries(
        receipt["given_in"], "standing_grant.given", "agent_id", value="sayso_ag_other"
    ),
    "another request": lambda receipt: _change_entries(
        receipt, "approval.allowed", "facts", "given_in", value="sayso_ap_other"
    ),
    "nobody": _unsigned,
}


@pytest.mark.parametrize("name", [*FORGED_GRANT_LOGS, "later"])
def test_a_use_of_a_standing_grant_that_the_user_did_not_create_does_not_verify(
    verified: Callable[..., str], agent: LocalAgent, person: LocalTerminal, name: str
) -> None:
    """The log must say that the user gave this grant to this agent before this use."""
    receipt = receipts.prove_receipt(person, receipts.granted(agent, person))
    grant_entries, use_entries = receipt["given_in"]["entries"], receipt["entries"]
    _prove_in_another_log(*grant_entries, *use_entries)
    assert "is redeemed, with 0 answers" in verified(receipt, FORGED_LOG)
    FORGED_GRANT_LOGS.get(name, lambda _receipt: None)(receipt)
    _prove_in_another_log(
        *((*use_entries, *grant_entries) if name == "later" else (*grant_entries, *use_entries))
    )
    with pytest.raises(Broken, match="given_in is not the request that created"):
        verified(receipt, FORGED_LOG)


def test_a_grant_use_fails_verification_if_its_request_created_no_grant(
    verified: Callable[..., str], agent: LocalAgent, person: LocalTerminal
) -> None:
    """That request has no entry for a new standing grant."""
    receipt = receipts.prove_receipt(person, receipts.granted(agent, person))
    receipt["given_in"] = receipts.prove_receipt(person, receipts.denied(agent, person))
    with pytest.raises(Broken, match="given_in is not the request that created"):
        verified(receipt)


def test_a_receipt_from_another_log_does_not_verify(
    verified: Callable[..., str], receipt: Any
) -> None:
    """The operator of a different server cannot create a receipt of this log."""
    with pytest.raises(Broken, match="No key that you trust signed it"):
        verified(receipt, FORGED_LOG)


def test_a_receipt_of_a_new_entry_has_no_proof_yet(
    agent: LocalAgent, person: LocalTerminal
) -> None:
    """The receipt is created without a proof; one that is downloaded later has it."""
    approval_id = receipts.denied(agent, person)
    assert {entry["proof"] for entry in receipts.of(person, approval_id)["entries"]} == {None}
    entries = receipts.prove_receipt(person, approval_id)["entries"]
    assert [entry["proof"][:24] for entry in entries] == ["c2sp.org/tlog-proof@v1\ne"] * 2


def test_each_approver_sees_the_token_id(
    verified: Callable[..., str], local: LocalSite, agent: LocalAgent, person: LocalTerminal
) -> None:
    """The ID is not secret; only the requesting user gets the token's state and use."""
    ben = new_person(local, "ben")
    two = rule("ask", "ask.quorum = 2", 'ask.who = ["ana", "ben"]')
    Policies(local.services.store).set(two, by=BY)
    handle, approval = agent.request_approval()
    for approver in (person, ben):
        assert approver.approve(approval.id).status == 200
    assert agent.poll(handle).status == 200
    own, bens = receipts.prove_receipt(person, approval.id), receipts.of(ben, approval.id)
    assert bens["token"] is None
    assert receipts.entry(bens, "token.issued")["facts"]["jti"] == own["token"]["id"]
    for receipt in (own, bens):
        assert "is redeemed, with 2 answers" in verified(receipt)


def test_a_receipt_has_no_tokens_obtained_by_exchanging_its_token(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal
) -> None:
    """Exchanged tokens belong to other agents, although they have the same approval."""
    approval_id = receipts.collected(agent, person)
    with local.services.store.write() as tx:
        again = audit.approval_entry(local.stored_approval(approval_id), audit.Type.TOKEN_ISSUED)
        tx.audit.add(replace(again, facts={"jti": "other", "parent": "first"}))
    issued = [
        entry
        for entry in receipts.of(person, approval_id)["entries"]
        if "token.issued" in entry["body"]
    ]
    assert ["other" in entry["body"] for entry in issued] == [False]


def test_the_receipt_of_an_erased_user_verifies(
    verified: Callable[..., str], local: LocalSite, agent: LocalAgent, person: LocalTerminal
) -> None:
    """The entries never contained the texts, so a receipt from before erasure still verifies."""
    _, approval = agent.request_approval(binding_message="Marvin asks")
    note = {"reason": "Called the supplier.", "private_note": "Zaphod knows."}
    assert person.deny(approval.id, **note).status == 200
    before = receipts.prove_receipt(person, approval.id)
    _user, texts = Retention(local.services.store).erase(person.user.id, by=audit.OPERATOR)
    after = receipts.of(person, approval.id)
    for receipt in (before, after):
        assert "is denied, with 1 answer" in verified(receipt)
        assert "Zaphod" not in json.dumps([receipt["answers"], receipt["entries"]])
        assert "Marvin" not in json.dumps(receipt["entries"])
    (entry,) = local.admin.entries("approval.denied")
    assert (entry["facts"]["note"], texts > 0) == ("erased", True)
