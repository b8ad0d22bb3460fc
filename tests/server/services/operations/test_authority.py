"""Administration from a terminal: the current role, the record version and the statement."""

from collections.abc import Callable
from typing import Any

import pytest

from server.protocol.approvals.decisions import ADMINISTER, request_digest
from server.services.users.users import UserChanges
from tests.support.builders.admins import AdminSite
from tests.support.builders.callers import LocalTerminal, another_device, sign_in
from tests.support.builders.clock import DAY, MINUTE
from tests.support.builders.installation import BY
from tests.support.builders.policies import rule
from tests.support.builders.site import Answer

PATH = "/api/users"
BODY = b'{"name": "dora"}'
DIGEST = request_digest("POST", PATH, BODY)
SECOND = 1_000


def _nonce(person: LocalTerminal) -> str:
    return str(person.call("GET", "/api/me").json["device"]["nonce"])


def _send(person: LocalTerminal, statement: str | None) -> Answer:
    """Add the user dora with this statement."""
    headers = {} if statement is None else {"sayso-statement": statement}
    return person.local.send(
        "POST",
        PATH,
        headers={"authorization": f"DPoP {person.access_token}", **headers},
        proofs=[person.proof("POST", PATH)],
        body=BODY,
    )


def _sign_statement(person: LocalTerminal, **changes: Any) -> str:
    members = {"nonce": _nonce(person), "key": person.high, "subject": DIGEST, **changes}
    return person.statement(changes.get("purpose", ADMINISTER), **_omit(members, "purpose"))


def _omit(members: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in members.items() if key != name}


def test_an_administrative_request_needs_a_statement_about_it(staff: AdminSite) -> None:
    """The PIN call names the request, and the statement resets the PIN attempts."""
    admin = staff.people["admin"]
    required = _send(admin, None).json["wanted"]
    assert required == {"purpose": ADMINISTER, "subject": DIGEST, "nonce": _nonce(admin)}
    admin.pin(DIGEST)
    answer = _send(admin, _sign_statement(admin))
    assert answer.status == 201
    assert answer.json["user"]["name"] == "dora"
    assert admin.device.pin_tries == 0
    (added,) = [e for e in staff.local.admin.entries("user.added") if e["subject"] == _dora(staff)]
    assert added["actor"] == f"user:{admin.user.id}"


def _dora(staff: AdminSite) -> str:
    return staff.local.admin.users.show("dora")[0].id


BAD: dict[str, tuple[Callable[[LocalTerminal], dict[str, Any]], int, str]] = {
    "the low key": (lambda person: {"key": person.low}, 403, "key_not_allowed"),
    "the session's key": (lambda person: {"key": person.session}, 403, "key_not_allowed"),
    "another request": (
        lambda _: {"subject": request_digest("POST", PATH, b'{"name": "eve"}')},
        422,
        "invalid_statement",
    ),
    "another path": (
        lambda _: {"subject": request_digest("POST", "/api/agents", BODY)},
        422,
        "invalid_statement",
    ),
    "another purpose": (lambda _: {"purpose": "vouch"}, 422, "invalid_statement"),
    "an unknown purpose": (lambda _: {"purpose": "anything"}, 422, "invalid_statement"),
    "another nonce": (lambda _: {"nonce": "n"}, 422, "invalid_statement"),
    "an old time": (lambda person: {"at": person.now - 301}, 422, "invalid_statement"),
}


@pytest.mark.parametrize(("changes", "status", "code"), BAD.values(), ids=BAD)
def test_an_invalid_statement_is_refused(
    staff: AdminSite, changes: Callable[[LocalTerminal], dict[str, Any]], status: int, code: str
) -> None:
    """Nothing is stored if the statement is invalid."""
    admin, before = staff.people["admin"], len(staff.local.admin.entries())
    admin.pin(DIGEST)
    assert _send(admin, _sign_statement(admin, **changes(admin))).refusal == (status, code)
    assert _send(admin, "x").refusal == (422, "invalid_statement")
    assert len(staff.local.admin.entries()) == before


def test_a_statement_is_used_once(staff: AdminSite) -> None:
    """The nonce changes after the first use, so a statement cannot be replayed."""
    admin = staff.people["admin"]
    path = f"/api/users/{staff.people['owner'].user.id}/unlock"
    subject = request_digest("POST", path, b"")
    statement = _sign_statement(admin, subject=subject)
    results = []
    for _ in range(2):
        admin.pin(subject)
        results.append(admin.call("POST", path, headers={"sayso-statement": statement}))
    assert results[0].status == 200
    assert results[1].refusal == (422, "invalid_statement")


def test_a_statement_is_counted_once(staff: AdminSite) -> None:
    """The update applies only to the counter that the statement was signed for."""
    device_id = staff.people["admin"].device_id
    with staff.local.services.store.write() as tx:
        assert tx.devices.count_statement(device_id, 0)
        assert not tx.devices.count_statement(device_id, 0)
        assert tx.devices.count_statement(device_id, 1)


def test_a_request_that_loses_the_race_for_a_statement_is_refused(
    staff: AdminSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another request counted the statement after this one read the counter."""
    admin = staff.people["admin"]
    admin.pin(DIGEST)
    statement = _sign_statement(admin)
    monkeypatch.setattr("server.storage.devices.devices.Devices.count_statement", lambda *_: False)
    assert _send(admin, statement).refusal == (422, "invalid_statement")


@pytest.mark.parametrize("named", ["session", request_digest("POST", PATH, b"")])
def test_the_pin_call_must_name_this_request(staff: AdminSite, named: str) -> None:
    """A PIN that was entered for something else does not count."""
    admin = staff.people["admin"]
    admin.pin(named)
    assert _send(admin, _sign_statement(admin)).refusal == (403, "pin_required")


def test_the_pin_call_must_be_recent(staff: AdminSite) -> None:
    """A PIN call is valid for two minutes, as for a decision."""
    admin = staff.people["admin"]
    admin.pin(DIGEST)
    staff.local.clock.forward(2 * MINUTE + 1)
    assert _send(admin, _sign_statement(admin)).refusal == (403, "pin_required")


def test_a_new_device_cannot_administer_for_a_day(staff: AdminSite) -> None:
    """A new device cannot approve high-risk requests either."""
    new = another_device(staff.people["admin"])
    new.pin(DIGEST)
    assert _send(new, _sign_statement(new)).refusal == (403, "device_too_new")
    staff.local.clock.forward(DAY)
    assert new.refresh().status == 200
    new.pin(DIGEST)
    assert _send(new, _sign_statement(new)).status == 201


def test_a_terminal_without_a_device_cannot_administer(staff: AdminSite) -> None:
    """The terminal has not registered any keys yet."""
    _, issued = staff.local.admin.users.enroll("admin", by=BY)
    unregistered = sign_in(staff.local, staff.people["admin"].user, issued.code)
    assert unregistered.call("GET", PATH).refusal == (403, "forbidden")


def test_removing_a_role_takes_effect_at_the_next_request(staff: AdminSite) -> None:
    """The server reads the roles at each request; no token contains them."""
    admin = staff.people["admin"]
    assert admin.call("GET", PATH).status == 200
    staff.local.admin.users.update("admin", UserChanges(roles=()), by=BY)
    assert admin.call("GET", PATH).refusal == (403, "forbidden")


def test_a_change_needs_the_current_version_of_the_record(staff: AdminSite) -> None:
    """Nobody can overwrite a change that they have not seen."""
    path = f"/api/agents/{staff.ids['agent']}"
    admin, owner = staff.people["admin"], staff.people["owner"]
    seen = admin.call("GET", path)
    tag = {"if-match": seen.headers["ETag"]}
    narrowed = {"scopes": ["payments:read"]}
    assert admin.call("PATCH", path, narrowed).refusal == (428, "version_required")
    changed = owner.call("PATCH", path, narrowed, headers=tag)
    assert (changed.status, changed.json["scopes"]) == (200, ["payments:read"])
    late = admin.call("PATCH", path, {"scopes": []}, headers=tag)
    assert late.refusal == (412, "changed_meanwhile")
    again = admin.call("PATCH", path, {"scopes": []}, headers={"if-match": changed.headers["ETag"]})
    assert again.json["scopes"] == []


def test_a_policy_needs_the_version_of_the_policy_in_force(staff: AdminSite) -> None:
    """If two administrators replace the same policy, the second one is refused."""
    path, admin = "/api/policy", staff.people["admin"]
    seen = staff.version(path)
    mine, theirs = ({"document": rule("deny", because=text)} for text in ("One.", "Two."))
    assert admin.call("POST", path, mine).refusal == (428, "version_required")
    assert admin.administer("POST", path, theirs, version=seen).status == 201
    late = admin.call("POST", path, mine, headers={"if-match": f'"{seen}"'})
    assert late.refusal == (412, "changed_meanwhile")
    assert admin.call("GET", path).headers["ETag"] == f'"{staff.version(path)}"'


WIDENED: dict[str, dict[str, Any]] = {
    "a resource": {"resources": ["https://pay.example", "https://more.example"]},
    "an owner": {"add_owners": ["stranger"]},
    "a name": {"name": "payroll"},
    "no expiry": {"expires_at": None},
    "every user to ask": {"asks": None},
}


@pytest.mark.parametrize("changes", WIDENED.values(), ids=WIDENED)
def test_an_owner_can_narrow_an_agent_and_never_widen_it(
    staff: AdminSite, changes: dict[str, Any]
) -> None:
    """Even a signed statement does not let an owner give the agent more power."""
    owner, admin = staff.people["owner"], staff.people["admin"]
    path = f"/api/agents/{staff.ids['agent']}"
    new_resource = {"uri": "https://more.example"}
    assert admin.administer("POST", "/api/resources", new_resource).status == 201
    limits = {"asks": ["stranger"], "expires_at": "2099-01-01T00:00:00Z"}
    seen = staff.version(path)
    assert owner.call("PATCH", path, limits, headers={"if-match": f'"{seen}"'}).status == 200
    refused = owner.administer("PATCH", path, changes, version=staff.version(path))
    assert refused.refusal == (403, "forbidden")
    allowed = admin.administer("PATCH", path, changes, version=staff.version(path))
    assert allowed.status == 200


def test_an_owner_may_remove_themselves(staff: AdminSite) -> None:
    """The owner gets the response and cannot see the agent afterwards."""
    staff.local.admin.users.update("owner", UserChanges(roles=()), by=BY)
    path, owner = f"/api/agents/{staff.ids['agent']}", staff.people["owner"]
    admin = staff.people["admin"]
    new_owner = {"add_owners": ["admin"]}
    assert admin.administer("PATCH", path, new_owner, version=staff.version(path)).status == 200
    tag = {"if-match": f'"{staff.version(path)}"'}
    answer = owner.call("PATCH", path, {"remove_owners": ["owner"]}, headers=tag)
    assert (answer.status, [item["name"] for item in answer.json["owners"]]) == (200, ["admin"])
    assert owner.call("GET", path).refusal == (404, "not_found")


@pytest.mark.parametrize(
    ("removed", "refusal"),
    [(["bystander"], (403, "forbidden")), (["owner", "bystander"], (409, "conflict"))],
)
def test_an_owner_cannot_remove_another_owner(
    staff: AdminSite, removed: list[str], refusal: tuple[int, str]
) -> None:
    """An owner can only remove themselves; an administrator can remove any owner."""
    path, owner = f"/api/agents/{staff.ids['agent']}", staff.people["owner"]
    new_owner = {"add_owners": ["bystander"]}
    admin = staff.people["admin"]
    assert admin.administer("PATCH", path, new_owner, version=staff.version(path)).status == 200
    tag = {"if-match": f'"{staff.version(path)}"'}
    refused = owner.call("PATCH", path, {"remove_owners": removed}, headers=tag)
    assert refused.refusal == refusal
    assert len(admin.call("GET", path).json["owners"]) == 2
    tag = {"if-match": f'"{staff.version(path)}"'}
    assert admin.call("PATCH", path, {"remove_owners": ["owner"]}, headers=tag).status == 200


def test_only_an_administrator_releases_an_agent_from_quarantine(staff: AdminSite) -> None:
    """An owner must not be able to overrule a report."""
    path = f"/api/agents/{staff.ids['disabled agent']}/enable"
    assert staff.people["owner"].administer("POST", path).refusal == (403, "forbidden")
    assert staff.people["admin"].administer("POST", path).json["state"] == "enabled"


@pytest.mark.parametrize("kind", ["users", "agents", "resources", "actions"])
def test_an_unknown_record_is_not_found(staff: AdminSite, kind: str) -> None:
    """The response is the same for each kind of record."""
    answer = staff.people["admin"].call("GET", f"/api/{kind}/nobody")
    assert answer.refusal == (404, "not_found")


def test_unauthorized_callers_do_not_block_administration(
    staff: AdminSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are refused before the unit of work that locks out administration opens."""

    def fail_if_administering(_: object) -> None:
        raise AssertionError("administration began")

    monkeypatch.setattr("server.storage.store.SqlStore.administer", fail_if_administering)
    for who in ("stranger", "owner", "auditor"):
        refused = staff.people[who].call("POST", PATH, {"name": "dora"})
        assert refused.refusal == (403, "forbidden")
