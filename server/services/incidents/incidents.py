"""Opens, lists, shows and closes incidents.

Closing an incident does not release agents; an administrator enables quarantined agents separately.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from server.model.audit import Entry
from server.model.incidents import Incident
from server.model.store import Store, View
from server.protocol.text import check_prose
from server.services.audit import audit
from server.services.refusals import Conflict, NotFound, one_line, valid

if TYPE_CHECKING:
    from server.model.clients import Agent
    from server.services.clients.agents import DisabledAgent

MAX_NOTE: Final = 500
MAX_LISTED: Final = 200


@dataclass(frozen=True, slots=True)
class NamedIncident:
    """An incident with the current names and states of its user and agents."""

    incident: Incident
    user_name: str
    """The name of its user; "" if there is none."""
    states: Mapping[str, str]
    """The current state of each agent ID, or "deleted"."""
    evidence: Mapping[str, Any]
    """The stored evidence, limited to agents that the viewer may see."""


@dataclass(frozen=True, slots=True)
class Incidents:
    """Lists, shows and closes incidents, for administrators, auditors and owners of the agents."""

    store: Store

    def search(
        self,
        *,
        closed: bool = False,
        limit: int = MAX_LISTED,
        before: tuple[int, str] | None = None,
        owner: str | None = None,
    ) -> list[NamedIncident]:
        """Return the newest open incidents; `closed` adds closed ones.

        `owner` limits the list to incidents about this user's agents.
        """
        with self.store.read() as view:
            return list(islice(_all_matching(view, before, owner, closed=closed), limit))

    def show(self, incident_id: str, owner: str | None = None) -> NamedIncident:
        """Return an incident with its evidence; for an `owner`, only one about their agents.

        Raises `NotFound`.
        """
        with self.store.read() as view:
            incident = _with_names(view, _find(view, incident_id), owner)
            if owner is not None and not incident.states:
                raise NotFound("incident", incident_id)
            return incident

    def close(self, incident_id: str, note: str | None, *, by: str) -> NamedIncident:
        """Close an incident. Raises `NotFound`, `Conflict` or `Invalid`."""
        note = _check_note(note)
        with self.store.write() as tx:
            _find(tx, incident_id)
            closed = tx.incidents.close(incident_id, by=by, note=note, now=tx.now)
            if closed is None:
                raise Conflict("This incident is already closed.")
            tx.audit.add(
                Entry(
                    type=audit.Type.INCIDENT_CLOSED,
                    actor=by,
                    subject=closed.user_id,
                    approval_id=closed.approval_id,
                    facts={"incident": closed.id, "note": note},
                )
            )
            return _with_names(tx, closed)


def agent_evidence(before: "Agent", quarantined: "DisabledAgent") -> dict[str, object]:
    """Return the agent's identity and credentials before the quarantine, and the revoked items."""
    return {
        "id": before.id,
        "name": before.name,
        "state_before": before.state,
        "state": quarantined.agent.state,
        "owners": list(before.owners),
        "auth_method": before.auth_method,
        "keys": [key.get("kid", "") for key in before.jwks],
        "secrets": [
            {"id": secret.id, "hint": secret.hint, "last_used_at": secret.last_used_at}
            for secret in before.secrets
        ],
        **quarantined.counts,
    }


def _find(view: View, incident_id: str) -> Incident:
    incident = view.incidents.get(incident_id)
    if incident is None:
        raise NotFound("incident", incident_id)
    return incident


def _all_matching(
    view: View, before: tuple[int, str] | None, owner: str | None, *, closed: bool
) -> Iterator[NamedIncident]:
    """Yield matching incidents, newest first, reading them in batches."""
    while incidents := view.incidents.search(closed=closed, limit=MAX_LISTED, before=before):
        named_incidents = (_with_names(view, incident, owner) for incident in incidents)
        yield from (incident for incident in named_incidents if owner is None or incident.states)
        before = (incidents[-1].opened_at, incidents[-1].id)


def _with_names(view: View, incident: Incident, owner: str | None = None) -> NamedIncident:
    user = None if incident.user_id is None else view.directory.user(incident.user_id)
    evidence, states = json.loads(incident.evidence), {}
    for involved in evidence["agents"]:
        agent = view.directory.agent(involved["id"])
        owners = involved["owners"] if agent is None else agent.owners
        if owner is None or owner in owners:
            states[involved["id"]] = "deleted" if agent is None else agent.state
    visible_agents = [agent for agent in evidence["agents"] if agent["id"] in states]
    return NamedIncident(
        incident, "" if user is None else user.name, states, evidence | {"agents": visible_agents}
    )


def _check_note(note: str | None) -> str | None:
    note = one_line(note or "")
    return valid(check_prose, note, what="The note", max_chars=MAX_NOTE) if note else None
