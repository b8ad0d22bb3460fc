"""Names of the actors, users and clients in audit entries, and resolving names for a search.

Owns: the current names of actors. Never: the log's bytes, which contain IDs.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from server.model import display_names
from server.model.audit import EntrySearch, StoredEntry
from server.model.store import Directory, View
from server.protocol.names import PREFIX_AGENT, PREFIX_USER, is_app
from server.services.audit import audit

_SERVER_ACTORS: Final[Mapping[str, str]] = {
    "expiry": audit.Type.APPROVAL_EXPIRED,
    "policy": audit.Type.APPROVAL_ALLOWED,
    "escalation": audit.Type.APPROVAL_ESCALATED,
    "orphan quarantine": audit.Type.AGENT_QUARANTINED,
}
"""The name of each of the server's own actors → the type of entry that it writes."""
_ACTOR_NAMES: Final[Mapping[str, str]] = {
    **{str(kind): name for name, kind in _SERVER_ACTORS.items()},
    str(audit.Type.INCIDENT_OPENED): "orphan quarantine",
}
_MEMBERS: Final = ("agent_id", "caller_id", "subject")


def with_names(view: View, entry: StoredEntry) -> StoredEntry:
    """Add the current names of the users and clients in an entry."""
    body = entry.members
    ids = {member: body.get(member) or "" for member in _MEMBERS}
    ids["actor"] = entry.actor.partition(":")[2]
    names_by_member = {
        member: _name(view.directory, record_id) for member, record_id in ids.items()
    }
    if entry.actor == audit.SYSTEM:
        names_by_member["actor"] = _ACTOR_NAMES.get(entry.type, "server")
    if entry.actor == audit.OPERATOR:
        names_by_member["actor"] = "command line"
    return replace(entry, names={member: name for member, name in names_by_member.items() if name})


def resolve_names(view: View, entry_search: EntrySearch) -> EntrySearch:
    """Replace the names in a search with IDs; unknown names stay as they are."""
    directory = view.directory
    client_name = entry_search.agent_id or ""
    client = directory.find_agent(client_name) or directory.find_app(client_name)
    user = directory.find_user(entry_search.subject or "")
    return replace(
        _resolve_actor(directory, entry_search),
        agent_id=entry_search.agent_id if client is None else client.id,
        subject=entry_search.subject if user is None else user.id,
    )


def _resolve_actor(directory: Directory, entry_search: EntrySearch) -> EntrySearch:
    actor_name = entry_search.actor
    if actor_name is None:
        return entry_search
    kind = _SERVER_ACTORS.get(actor_name)
    if kind is not None and entry_search.type in {None, kind}:
        return replace(entry_search, actors=(audit.SYSTEM,), type=kind)
    return replace(entry_search, actors=_actors(directory, actor_name))


def _actors(directory: Directory, name_or_id: str) -> tuple[str, ...]:
    """Return all actors with this name; a user and an agent can share a name."""
    user = directory.find_user(name_or_id)
    agent, app = directory.find_agent(name_or_id), directory.find_app(name_or_id)
    people = () if user is None else (audit.by_user(user.id),)
    clients = tuple(audit.by_client(client.id) for client in (agent, app) if client is not None)
    return (name_or_id, *people, *clients)


def _name(directory: Directory, record_id: str) -> str:
    if record_id.startswith(PREFIX_USER):
        user = directory.user(record_id)
        return "" if user is None else user.name
    if record_id.startswith(PREFIX_AGENT) or is_app(record_id):
        return display_names.name_of(directory, record_id)
    resource = directory.resource_client(record_id)
    return "" if resource is None else resource.uri
