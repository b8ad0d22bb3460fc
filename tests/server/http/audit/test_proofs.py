"""Every signed-in user can watch the audit log without trusting the server."""

import base64
from typing import Any

import pytest

from server.audit_log import merkle, notes
from server.audit_log.entries import leaf_hash
from server.audit_log.notes import LogKey, Promise
from tests.support.builders import standing_grants
from tests.support.builders.callers import LocalAgent, LocalTerminal
from tests.support.builders.passkey import new_browser
from tests.support.builders.site import Answer, LocalSite


def _hashes(document: Any) -> list[bytes]:
    return [base64.b64decode(text) for text in document["hashes"]]


def _key(person: LocalTerminal) -> LogKey:
    return LogKey.read(person.call("GET", "/api/audit/keys").json["log_key"])


def _consistency(person: LocalTerminal, size: str) -> Answer:
    return person.call("GET", "/api/audit/consistency", query={"from": size})


def test_an_older_log_is_proved_to_be_the_beginning_of_the_current_one(
    local: LocalSite, person: LocalTerminal
) -> None:
    """The answers alone prove that the older log is a prefix of the newer one."""
    local.services.audit_log.sign()
    key = _key(person)
    old, _at = notes.verify(person.call("GET", "/api/audit/checkpoint").body.decode(), [key])
    local.admin.users.disable(person.user.name, by="operator")
    local.admin.users.enable(person.user.name, by="operator")
    local.services.audit_log.sign()
    proof = _consistency(person, str(old.size)).json
    new, _at = notes.verify(proof["checkpoint"], [key])
    assert proof["old_size"] == old.size < new.size == proof["size"]
    merkle.check_consistency(old.size, old.root, new.size, new.root, _hashes(proof))
    larger = _consistency(person, str(new.size + 1)).json
    assert (larger["size"], larger["hashes"]) == (new.size, [])


def test_an_entry_is_proved_without_being_shown(local: LocalSite, person: LocalTerminal) -> None:
    """The caller has the entry from a receipt; the answer reveals nothing about other entries."""
    local.services.audit_log.sign()
    with local.services.store.read() as view:
        entry = view.audit.tail(100)[2]
    proof = person.call("GET", f"/api/audit/{entry.id}/inclusion").json
    assert set(proof) == {"index", "hashes", "checkpoint"}
    signed, _at = notes.verify(proof["checkpoint"], [_key(person)])
    leaf = leaf_hash(entry.body)
    merkle.check_inclusion(leaf, proof["index"], signed.size, _hashes(proof), signed.root)
    assert person.call("GET", "/api/audit/other/inclusion").status == 404


def test_an_entry_is_proved_in_an_older_checkpoint(local: LocalSite, person: LocalTerminal) -> None:
    """A client may have stored that checkpoint; a checkpoint before the entry gets a conflict."""
    local.services.audit_log.sign()
    old = local.services.audit_log.newest()
    with local.services.store.read() as view:
        first = view.audit.tail(100)[0]
    local.clock.forward(1_000)
    local.admin.users.disable(person.user.name, by="operator")
    local.admin.users.enable(person.user.name, by="operator")
    with local.services.store.read() as view:
        last = view.audit.tail(1)[0]
    local.services.audit_log.sign()
    size = {"size": old.split("\n")[1]}
    proof = person.call("GET", f"/api/audit/{first.id}/inclusion", query=size).json
    assert proof["checkpoint"] == old
    assert person.call("GET", f"/api/audit/{last.id}/inclusion", query=size).status == 409
    assert person.call("GET", f"/api/audit/{last.id}/inclusion", query={"size": "x"}).status == 422


def test_a_browser_gets_the_same_checkpoint(local: LocalSite, person: LocalTerminal) -> None:
    """The checkpoint is plain text, exactly as it is stored."""
    standing_grants.lower(local)
    local.services.audit_log.sign()
    answer = new_browser(local).send("GET", "/api/audit/checkpoint")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.body == person.call("GET", "/api/audit/checkpoint").body
    assert answer.body.decode() == local.services.audit_log.newest()


@pytest.mark.parametrize("path", ["checkpoint", "consistency", "keys", "e/inclusion"])
def test_a_signed_out_caller_gets_no_proofs(local: LocalSite, path: str) -> None:
    """Every one of these routes refuses a caller without a session with 401."""
    assert local.send("GET", f"/api/audit/{path}").status == 401


@pytest.mark.parametrize("size", ["", "-1", "x", "9" * 16])
def test_an_invalid_size_is_refused(person: LocalTerminal, size: str) -> None:
    """The error names the parameter."""
    answer = _consistency(person, size)
    assert answer.status == 422
    assert "from must be the size of a checkpoint" in answer.json["detail"]


def test_the_checkpoint_of_an_unsigned_log_is_a_conflict(person: LocalTerminal) -> None:
    """A new server signs its first checkpoint within two seconds."""
    assert person.call("GET", "/api/audit/checkpoint").status == 409


def test_a_new_log_key_is_signed_by_the_old_one(local: LocalSite, person: LocalTerminal) -> None:
    """If the old key was lost, no signed note confirms the new one."""
    log, old = local.services.audit_log, _key(person)
    new = notes.public_key(log.origin, b"n" * 32)
    with local.services.store.write() as tx:
        log.record_key(tx, b"n" * 32, log.private_key(), by="operator")
        log.record_key(tx, b"m" * 32, None, by="operator")
    first, second = person.call("GET", "/api/audit/keys").json["replacements"]
    assert first["log_key"] == new.text
    assert notes.read_replacement(first["note"], old) == new
    assert second["note"] is None


def test_an_answer_promises_its_entries(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal
) -> None:
    """The signed promise has the entry's hash; a request without changes has no promise."""
    standing_grants.lower(local)
    local.services.audit_log.sign()
    approval = standing_grants.example(agent, login_hint=person.user.name)
    assert "Sayso-Promises" not in person.call("GET", "/api/me").headers
    answer = person.approve(approval.id)
    promises = [
        _read_promise(part, person) for part in answer.headers["Sayso-Promises"].split(", ")
    ]
    with local.services.store.read() as view:
        entries = {entry.id: entry for entry in view.audit.tail(100)}
    assert "approval.approved" in {entries[promise.entry_id].type for promise in promises}
    for promise in promises:
        assert promise.leaf == leaf_hash(entries[promise.entry_id].body)
        assert promise.at == entries[promise.entry_id].at // 1000


def test_without_the_log_key_an_answer_is_accepted_without_a_promise(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal
) -> None:
    """The change has already been stored when the promise would be signed."""
    standing_grants.lower(local)
    local.services.audit_log.sign()
    approval = standing_grants.example(agent, login_hint=person.user.name)
    (local.services.settings.data_dir / "log.key").unlink()
    answer = person.approve(approval.id)
    assert (answer.status, answer.headers["Sayso-Promises"]) == (200, "")


def _read_promise(text: str, person: LocalTerminal) -> Promise:
    return notes.read_promise(base64.b64decode(text).decode(), _key(person))
