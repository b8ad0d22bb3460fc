"""Admin lists are paged, ordered, and limited to what the caller may see."""

import base64
from typing import Any

import pytest

from server.services.approvers.groups import Groups
from server.services.clients.app_forms import NewApp
from server.services.clients.apps import Apps
from server.services.clients.invitations import Invitations, NewInvitation
from server.services.users.users import NewUser
from tests.support.builders.admins import REDIRECT_URI, AdminSite, add_incident
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY, PAY, register_agent
from tests.support.builders.site import Answer

LISTS = {
    "/api/users": "name",
    "/api/agents": "client_id",
    "/api/invitations": "id",
    "/api/apps": "client_id",
    "/api/groups": "id",
    "/api/resources": "uri",
    "/api/actions": "type",
    "/api/admin/approvals": "id",
    "/api/admin/consents": "id",
    "/api/admin/delegations": "id",
    "/api/admin/devices": "id",
    "/api/incidents": "id",
    "/api/audit": "id",
}


@pytest.fixture
def filled(staff: AdminSite) -> AdminSite:
    """An installation with more than one object of every kind."""
    services, people = staff.local.admin, staff.people
    services.resources.add("https://a.example", {}, {}, by=BY)
    services.actions.add(
        '{"type": "a.b", "title": "A", "headline": "A", "risk": "low", "undo": "no",'
        ' "schema": {"type": "object", "additionalProperties": false,'
        ' "properties": {}}, "material": []}',
        by=BY,
    )
    register_agent(services, name="three", owners=("admin",))
    Apps(services.store, services.secrets).add(NewApp("A front", (REDIRECT_URI,)), by=BY)
    Groups(services.store, services.secrets).add("A group", [], by=BY)
    Invitations(services.store, services.secrets).issue(NewInvitation("admin"), by=BY)
    for name in ("t2", "t3"):
        approval = services.approval(staff.ids["agent"], people["owner"].user.id)
        add_incident(services, approval, f"sayso_ic_{name}")
        services.token(staff.ids["agent"], people["owner"].user.id, name, parent_id="t1")
    services.consent(staff.ids["agent"], people["owner"].user.id, "sayso_co_2")
    return staff


def _items(staff: AdminSite, path: str, who: str = "admin", **query: str) -> list[dict[str, Any]]:
    answer = staff.people[who].call("GET", path, query=query)
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = answer.json["items"]
    return found


def _get(staff: AdminSite, path: str, **query: str) -> Answer:
    return staff.people["admin"].call("GET", path, query=query)


@pytest.mark.parametrize("path", LISTS)
def test_the_pages_of_a_list_add_up_to_the_whole_list(filled: AdminSite, path: str) -> None:
    """With one item per page, each item appears once and in the same order."""
    full_list = [item[LISTS[path]] for item in _items(filled, path)]
    assert len(full_list) > 1
    found: list[str] = []
    query = {"limit": "1"}
    while True:
        part = _get(filled, path, **query).json
        found += [item[LISTS[path]] for item in part["items"]]
        if part["next"] is None:
            break
        query["cursor"] = part["next"]
    assert found == full_list


def test_the_page_after_a_long_uri_does_not_repeat_it(staff: AdminSite) -> None:
    """A URI of 2,000 characters is 2,667 characters long in the cursor."""
    staff.local.admin.resources.add("https://a.example/".ljust(2_000, "a"), {}, {}, by=BY)
    first = _get(staff, "/api/resources", limit="1").json
    (other,) = _items(staff, "/api/resources", cursor=first["next"])
    assert (len(first["items"][0]["uri"]), other["uri"]) == (2_000, PAY)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", ["0", "201", "x", "", "-1", "1.5"])
def test_an_invalid_limit_is_refused(staff: AdminSite, path: str, limit: str) -> None:
    """The limit must be a whole number from 1 to 200."""
    assert _get(staff, path, limit=limit).refusal == (422, "invalid_body")


ODD = {
    "not base64": "a",
    "other letters": "a+/=",
    "not text": base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    "a character that no database takes": base64.urlsafe_b64encode(b"a\x00b").decode(),
    "too long": "A" * 4_000,
}


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("cursor", ODD.values(), ids=ODD)
def test_an_invalid_cursor_is_refused(staff: AdminSite, path: str, cursor: str) -> None:
    """Only a cursor from an earlier answer is valid."""
    assert _get(staff, path, cursor=cursor).refusal == (422, "invalid_body")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/admin/approvals", "agent"),
        ("/api/admin/delegations", "resource"),
        ("/api/admin/devices", "user"),
        ("/api/admin/consents", "client"),
        ("/api/audit", "actor"),
    ],
)
def test_a_null_character_in_a_filter_is_refused(staff: AdminSite, path: str, name: str) -> None:
    """PostgreSQL cannot store null characters; the answer is the same with every database."""
    for odd in ("\0", "a\0b"):
        assert _get(staff, path, **{name: odd}).refusal == (422, "invalid_body")


def test_a_null_character_in_a_body_is_refused(staff: AdminSite) -> None:
    """The names of owners and resources in a body are checked."""
    for body in ({"owner": "a\0"}, {"owner": "owner", "resources": ["a\0b"]}):
        answer = staff.people["admin"].administer("POST", "/api/invitations", body)
        assert answer.refusal == (422, "invalid_body")


@pytest.mark.parametrize(
    "path", ["/api/admin/approvals", "/api/admin/devices", "/api/admin/delegations"]
)
def test_a_cursor_of_another_list_is_refused(staff: AdminSite, path: str) -> None:
    """A list that is ordered by time does not accept a name as its cursor."""
    other = base64.urlsafe_b64encode(b"ana").rstrip(b"=").decode()
    assert _get(staff, path, cursor=other).refusal == (422, "invalid_body")


def test_an_owner_sees_only_their_own_agents(filled: AdminSite) -> None:
    """Administrators and auditors see all agents."""
    seen = {
        who: [item["name"] for item in _items(filled, "/api/agents", who)]
        for who in ("admin", "auditor", "owner", "stranger")
    }
    assert seen["admin"] == seen["auditor"] == ["one", "three", "two"]
    assert (seen["owner"], seen["stranger"]) == (["one", "two"], [])


def test_requests_are_filtered_by_state_agent_and_user(filled: AdminSite) -> None:
    """Filters take names or IDs, and an unknown name is an error."""
    path = "/api/admin/approvals"
    assert len(_items(filled, path)) == 3
    assert len(_items(filled, path, state="pending", agent="one", user="owner")) == 2
    assert _items(filled, path, state="denied") == []
    assert _get(filled, path, state="asleep").refusal == (422, "invalid_body")
    assert _get(filled, path, agent="nobody").refusal == (404, "not_found")
    (item,) = _items(filled, path, user="bystander")
    assert (item["agent"]["name"], item["user"]["name"]) == ("one", "bystander")


def test_tokens_are_filtered_by_client_user_and_resource(filled: AdminSite) -> None:
    """Expired tokens are listed only if the query asks for them."""
    path = "/api/admin/delegations"
    assert len(_items(filled, path)) == 3
    assert len(_items(filled, path, client="one", user="owner", resource=PAY)) == 2
    (item,) = _items(filled, path, user="bystander")
    assert (item["client"]["name"], item["user"]["name"], item["state"]) == (
        "one",
        "bystander",
        "live",
    )
    assert _items(filled, path, resource="https://other.example") == []
    assert _get(filled, path, ended="perhaps").refusal == (422, "invalid_body")
    assert _get(filled, path, client="nobody").refusal == (404, "not_found")
    filled.local.clock.forward(6 * MINUTE)
    assert _items(filled, path) == []
    assert len(_items(filled, path, ended="true")) == 3


def test_consents_are_filtered_by_client_and_user(filled: AdminSite) -> None:
    """Expired and revoked consents are listed only if the query includes them."""
    path = "/api/admin/consents"
    assert len(_items(filled, path)) == 2
    (item,) = _items(filled, path, client="one", user="owner")
    assert (item["client"]["name"], item["user"]["name"], item["state"]) == ("one", "owner", "live")
    assert item["scopes"] == ["payments:read"]
    assert _get(filled, path, ended="perhaps").refusal == (422, "invalid_body")
    assert _get(filled, path, client="nobody").refusal == (404, "not_found")
    ended = filled.people["admin"].call("POST", f"{path}/{item['id']}/revoke").json
    assert (ended["consent"]["state"], ended["tokens_revoked"]) == ("revoked", 0)
    again = filled.people["admin"].call("POST", f"{path}/{item['id']}/revoke")
    assert again.refusal == (409, "conflict")
    assert len(_items(filled, path)) == 1
    assert len(_items(filled, path, ended="true")) == 2


def test_devices_are_filtered_by_user(filled: AdminSite) -> None:
    """The state and the PIN attempts of each device are shown."""
    path = "/api/admin/devices"
    (item,) = _items(filled, path, user="owner")
    assert (item["name"], item["user"]["name"], item["state"]) == ("laptop", "owner", "active")
    assert item["pin"] == {"tries": 0, "left": 10, "locked": False, "exhausted": False}
    assert _get(filled, path, user="nobody").refusal == (404, "not_found")


SEARCHES: dict[str, dict[str, str]] = {
    "type": {"type": "agent.disabled"},
    "actor": {"actor": "operator"},
    "agent": {"agent": "AGENT"},
    "user": {"user": "USER"},
    "resource": {"resource": "https://pay.example"},
    "since": {"since": "2020-01-01T00:00:00Z"},
    "until": {"until": "2099-01-01T00:00:00+02:00"},
}


@pytest.mark.parametrize("query", SEARCHES.values(), ids=SEARCHES)
def test_the_audit_log_is_filtered_by_each_member(staff: AdminSite, query: dict[str, str]) -> None:
    """The newest entry comes first, and every entry found has the value."""
    ids = {"AGENT": staff.ids["agent"], "USER": staff.ids["user"]}
    filters = {name: ids.get(value, value) for name, value in query.items()}
    entries = _items(staff, "/api/audit", limit="200", **filters)
    assert entries
    assert [e["id"] for e in entries] == sorted((e["id"] for e in entries), reverse=True)
    column = {"agent": "agent_id", "user": "subject"}
    for name, value in filters.items():
        if name not in {"since", "until"}:
            assert {entry["members"][column.get(name, name)] for entry in entries} == {value}


def test_audit_log_filters_without_a_match_return_nothing(staff: AdminSite) -> None:
    """An invalid time is refused instead."""
    for query in (
        {"since": "2099-01-01T00:00:00Z"},
        {"until": "2020-01-01T00:00:00Z"},
        {"approval": staff.ids["approval"]},
        {"correlation": "none"},
    ):
        assert _items(staff, "/api/audit", **query) == []
    for time in ("yesterday", "2026-01-01T00:00:00", "99999-01-01T00:00:00Z"):
        assert _get(staff, "/api/audit", since=time).refusal == (422, "invalid_body")


def test_an_audit_log_entry_is_shown_with_its_leaf_hash(staff: AdminSite) -> None:
    """An owner may read the entries of their own agents."""
    entry = _get(staff, f"/api/audit/{staff.ids['entry']}").json
    assert (entry["id"], entry["members"]["id"]) == (staff.ids["entry"],) * 2
    assert _get(staff, "/api/audit/nothing").refusal == (404, "not_found")
    (disabled,) = _items(staff, "/api/audit", type="agent.disabled")
    path = f"/api/agents/{staff.ids['disabled agent']}/audit"
    own = _items(staff, path, "owner")
    assert disabled in own
    assert disabled["members"]["facts"] == {
        "tokens_revoked": 0,
        "descendants_revoked": 0,
        "requests_cancelled": 0,
        "approved_cancelled": 0,
    }
    assert len(disabled["leaf"]) == 64


def test_signing_keys_are_listed_and_rotated(staff: AdminSite) -> None:
    """The old key stays in the list with the time when it retires."""
    answer = staff.people["admin"].administer("POST", "/api/keys", {"alg": "EdDSA"})
    assert answer.status == 201
    (old,) = answer.json["retiring"]
    ends = {key["kid"]: key["retires_at"] for key in _items(staff, "/api/keys")}
    assert ends[answer.json["key"]["kid"]] is None
    assert ends[old].endswith("Z")
    bad = staff.people["admin"].administer("POST", "/api/keys", {"alg": "none"})
    assert bad.refusal == (422, "invalid")


def test_a_leaked_signing_key_is_revoked(staff: AdminSite) -> None:
    """A new key replaces an active one; a retiring key already has a successor."""
    path, admin = "/api/keys", staff.people["admin"]
    rotated = admin.administer("POST", path, {"alg": "EdDSA"}).json
    (old,) = rotated["retiring"]
    revoked = admin.call("POST", f"{path}/{old}/revoke").json
    assert revoked == {"kid": old, "alg": "EdDSA", "replaced_by": None}
    leaked = rotated["key"]["kid"]
    new = admin.call("POST", f"{path}/{leaked}/revoke").json["replaced_by"]
    assert (new["alg"], new["state"]) == ("EdDSA", "active")
    assert admin.call("POST", f"{path}/{leaked}/revoke").refusal == (404, "not_found")


@pytest.mark.parametrize(
    ("search", "names"),
    [
        ("ZO", ["zora", "zoë"]),
        ("oË", ["zoë"]),
        ("_", ["a_b"]),
        ("z%a", []),
        ("mail.EX", ["zora"]),
        ("nobody", []),
    ],
)
def test_users_are_searched_by_a_part_of_the_name_or_email_address(
    staff: AdminSite, search: str, names: list[str]
) -> None:
    """Case does not matter, and no character is a wildcard."""
    for name, email in (("zoë", None), ("zora", "z@mail.example"), ("a_b", None)):
        staff.local.admin.users.add(NewUser(name, email), by=BY)
    assert [item["name"] for item in _items(staff, "/api/users", search=search)] == names


def test_agents_are_searched_by_a_part_of_the_name(staff: AdminSite) -> None:
    """Callers find only agents that they may see; the next page has the rest of the matches."""
    services = staff.local.admin
    for name, owner in (("pay-1", "owner"), ("pay-2", "admin"), ("other", "admin")):
        register_agent(services, name=name, owners=(owner,))
    for person, expected in (("admin", ["pay-1", "pay-2"]), ("owner", ["pay-1"])):
        items = _items(staff, "/api/agents", person, search="PAY-")
        assert [item["name"] for item in items] == expected
    part = _get(staff, "/api/agents", search="pay", limit="1").json
    (rest,) = _items(staff, "/api/agents", search="pay", cursor=part["next"])
    assert rest["name"] == "pay-2"


def test_agents_are_filtered_by_external_id(staff: AdminSite) -> None:
    """The match is exact, and callers find only agents that they may see."""
    services = staff.local.admin
    agent = register_agent(services, name="three", owners=("owner",), external_id="crm-7").agent
    register_agent(services, name="four", owners=("admin",), external_id="crm-7")
    for person, expected in (("admin", ["four", "three"]), ("owner", ["three"])):
        items = _items(staff, "/api/agents", person, external_id="crm-7")
        assert items == _items(staff, "/api/agents", person, search="crm-7")
        assert [item["name"] for item in items] == expected
    for other in ("crm-8", "CRM-7", "crm", ""):
        assert _items(staff, "/api/agents", external_id=other) == []
    part = _get(staff, "/api/agents", external_id="crm-7", limit="1").json
    rest = _items(staff, "/api/agents", external_id="crm-7", cursor=part["next"])
    assert [item["client_id"] for item in rest] == [agent.id]
