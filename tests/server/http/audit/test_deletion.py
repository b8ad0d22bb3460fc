"""Deleting from the audit log over HTTP needs an administrator's signature."""

import pytest

from server.services.audit.retention import MIN_AGE_DAYS, RetentionSchedule
from server.services.users.users import UserChanges
from tests.support.builders.admins import AdminSite
from tests.support.builders.callers import LocalAgent, LocalTerminal, new_person
from tests.support.builders.clock import DAY
from tests.support.builders.installation import BY
from tests.support.builders.site import Answer, LocalSite

TRIM = "/api/audit/trim"


@pytest.fixture
def late_admin(local: LocalSite, person: LocalTerminal) -> LocalTerminal:
    """An administrator who was added a month after the log was signed."""
    del person  # creates the old entries
    local.services.audit_log.sign()
    local.clock.forward(MIN_AGE_DAYS * DAY + DAY)
    late = new_person(local, "late")
    local.admin.users.update("late", UserChanges(roles=("admin",)), by=BY)
    return late


def _count(local: LocalSite) -> int:
    return len(local.admin.entries())


def _actors(local: LocalSite, kind: str) -> list[object]:
    return [entry["actor"] for entry in local.admin.entries() if entry["type"] == kind]


def _trim(person: LocalTerminal, before: str = "2025-10-10T00:00:00Z") -> Answer:
    return person.administer("POST", TRIM, {"before": before})


def test_old_entries_are_deleted_by_the_server(local: LocalSite, late_admin: LocalTerminal) -> None:
    """They are counted, and deleted once a checkpoint covers the entry that announces it."""
    before = _count(local)
    answer = _trim(late_admin)
    assert (answer.status, answer.json["before"] > 0) == (200, True)
    assert _trim(late_admin).json == answer.json
    assert _count(local) == before + 2
    local.services.audit_log.sign()
    RetentionSchedule(local.services.store, None).round()
    assert _count(local) == before + 2 - answer.json["entries"]
    assert _trim(late_admin).json == {"before": answer.json["before"], "entries": 0}
    assert _count(local) == before + 2 - answer.json["entries"]
    assert _actors(local, "audit.trimmed") == [f"user:{late_admin.user.id}"] * 2


@pytest.mark.parametrize("before", ["2025-10-20T00:00:00Z", "2025-11-10T00:00:00Z", "2999-01-01Z"])
def test_recent_entries_are_never_deleted(
    local: LocalSite, late_admin: LocalTerminal, before: str
) -> None:
    """A time that is too recent, in the future, or invalid is refused."""
    count_before = _count(local)
    refused = _trim(late_admin, before)
    assert (refused.status, refused.json.get("member", "before")) == (422, "before")
    assert _count(local) == count_before


def test_an_unknown_user_cannot_be_erased(staff: AdminSite) -> None:
    """Nothing is written to the audit log."""
    count_before = _count(staff.local)
    refused = staff.people["admin"].administer("POST", "/api/users/sayso_us_no/erase")
    assert (refused.refusal, _count(staff.local)) == ((404, "not_found"), count_before)


def test_the_texts_of_a_user_are_erased_and_counted(staff: AdminSite) -> None:
    """A second time nothing is left to erase; each time an entry records the action."""
    admin, user = staff.people["admin"], staff.ids["user"]
    counts = [admin.administer("POST", f"/api/users/{user}/erase").json for _ in range(2)]
    assert [count["user"] for count in counts] == [user, user]
    assert counts[0]["texts"] > 0 == counts[1]["texts"]
    assert _actors(staff.local, "audit.erased") == [f"user:{admin.user.id}"] * 2


def test_an_agents_token_cannot_administer(agent: LocalAgent) -> None:
    """Neither authorization scheme accepts the token of an agent."""
    token = agent.alone().json["access_token"]
    for scheme in ("Bearer", "DPoP"):
        for path in (TRIM, "/api/audit/hash", "/api/users/sayso_us_x/erase"):
            headers = {"authorization": f"{scheme} {token}"}
            assert agent.local.send("POST", path, headers=headers, body=b"{}").status == 401


def test_an_auditor_finds_a_request_by_its_handle(staff: AdminSite) -> None:
    """The hash is that of the CLI, and ignores whitespace around the value."""
    answer = staff.people["auditor"].call("POST", "/api/audit/hash", {"value": " sayso_ar_x\n"})
    secrets = staff.local.services.secrets
    assert answer.json == {"hash": secrets.keyed_hash("audit", "sayso_ar_x")}
