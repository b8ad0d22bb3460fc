"""Audit entries are shown and searched by name, although their stored bytes contain IDs."""

import json

import pytest
from sqlalchemy import update

from server.model.audit import Entry, EntrySearch
from server.services.audit import audit
from server.services.audit.entries import AuditEntries
from server.storage.users.tables import users
from tests.support.builders.installation import BY, PAY, LocalAdmin, add_user, register_agent


@pytest.fixture
def actor_ids(admin_services: LocalAdmin) -> dict[str, str]:
    """Writes entries by every kind of actor and returns the actors' IDs by kind."""
    person, agent = add_user(admin_services), register_agent(admin_services).agent
    resource = admin_services.resources.all()[0]
    actors = {
        "person": audit.by_user(person.id),
        "agent": audit.by_client(agent.id),
        "resource": audit.by_resource(resource.client_id),
        "gone": audit.by_user("sayso_us_gone"),
    }
    new_entries = [(actor, audit.Type.TOKEN_ISSUED) for actor in actors.values()] + [
        (audit.SYSTEM, audit.Type.APPROVAL_EXPIRED),
        (audit.SYSTEM, audit.Type.APPROVAL_ALLOWED),
        (audit.SYSTEM, audit.Type.APPROVAL_ESCALATED),
        (audit.SYSTEM, audit.Type.AGENT_QUARANTINED),
        (audit.SYSTEM, audit.Type.INCIDENT_OPENED),
        (audit.SYSTEM, audit.Type.KEY_DROPPED),
        (audit.OPERATOR, audit.Type.POLICY_SET),
    ]
    with admin_services.store.write() as tx:
        for actor, type_ in new_entries:
            tx.audit.add(Entry(type_, actor, agent_id=agent.id, subject=person.id))
    return {**actors, "agent id": agent.id, "person id": person.id}


def _search_entries(admin_services: LocalAdmin, **filters: str) -> list[tuple[str, str]]:
    """Return the types and actor names of the fixture's entries that the search finds."""
    found = AuditEntries(admin_services.store).search(EntrySearch(**filters), 50)
    without_facts = [entry for entry in found if json.loads(entry.body).get("facts") is None]
    return [(entry.type, entry.names.get("actor", "")) for entry in reversed(without_facts)]


@pytest.mark.usefixtures("actor_ids")
def test_entries_are_read_from_the_end_or_after_an_id(admin_services: LocalAdmin) -> None:
    """Entries are returned with the oldest first."""
    audit_entries = AuditEntries(admin_services.store)
    entries = audit_entries.newest(100)
    assert [entry.id for entry in entries] == sorted(entry.id for entry in entries)
    assert entries[-1].type == "policy.set"
    assert audit_entries.newest(1) == entries[-1:]
    assert audit_entries.newest(100, entries[-3].id) == entries[-2:]
    assert len(admin_services.entries()) == len(entries)


@pytest.mark.usefixtures("actor_ids")
def test_every_actor_in_the_audit_log_has_a_name(admin_services: LocalAdmin) -> None:
    """An actor is a person, a client, a resource, a part of the server, or the command line."""
    names = [name for _, name in _search_entries(admin_services, agent_id="invoice-bot")]
    assert names == [
        "admin",
        "invoice-bot",
        PAY,
        "",
        "expiry",
        "policy",
        "escalation",
        "orphan quarantine",
        "orphan quarantine",
        "server",
        "command line",
    ]


def test_entry_names_are_current_and_not_in_the_stored_bytes(
    admin_services: LocalAdmin, actor_ids: dict[str, str]
) -> None:
    """A deleted agent is shown as (deleted agent)."""
    (entry,) = AuditEntries(admin_services.store).search(EntrySearch(actor=actor_ids["agent"]), 1)
    assert entry.names == {"actor": "invoice-bot", "agent_id": "invoice-bot", "subject": "admin"}
    assert b"invoice-bot" not in entry.body
    admin_services.agents.delete("invoice-bot", by=BY)
    assert AuditEntries(admin_services.store).get(entry.id).names["actor"] == "(deleted agent)"


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"actor": "admin"}, [("token.issued", "admin")]),
        ({"actor": "ADMIN"}, [("token.issued", "admin")]),
        ({"actor": "invoice-bot"}, [("token.issued", "invoice-bot")]),
        ({"actor": "expiry"}, [("approval.expired", "expiry")]),
        ({"actor": "policy"}, [("approval.allowed", "policy")]),
        ({"actor": "policy", "type": "approval.allowed"}, [("approval.allowed", "policy")]),
        ({"actor": "policy", "type": "approval.expired"}, []),
        ({"actor": "nobody"}, []),
        ({"agent_id": "nobody"}, []),
        ({"subject": "nobody"}, []),
        ({"subject": "admin", "type": "policy.set"}, [("policy.set", "command line")]),
    ],
)
@pytest.mark.usefixtures("actor_ids")
def test_the_audit_log_is_searched_by_name(
    admin_services: LocalAdmin, filters: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    """The name can be an actor's, an agent's or a person's; an unknown name finds nothing."""
    assert _search_entries(admin_services, **filters) == expected


def test_a_name_shared_by_a_user_and_an_agent_finds_both(
    admin_services: LocalAdmin, actor_ids: dict[str, str]
) -> None:
    """In an older database, a user and an agent can have the same name."""
    namesake = add_user(admin_services, "namesake")
    shared = {"name": "invoice-bot", "name_key": "invoice-bot"}
    with admin_services.store.write() as tx:
        tx._connection.execute(update(users).where(users.c.id == namesake.id).values(shared))
        tx.audit.add(Entry(audit.Type.SIGN_IN_DONE, audit.by_user(namesake.id)))
    found = AuditEntries(admin_services.store).search(EntrySearch(actor="invoice-bot"), 9)
    assert {entry.actor for entry in found} == {actor_ids["agent"], audit.by_user(namesake.id)}
