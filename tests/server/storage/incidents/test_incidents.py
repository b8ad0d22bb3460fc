"""Incidents in the database are complete, are listed newest first, and are closed once."""

from dataclasses import replace

from server.model.incidents import Incident
from server.model.users import User
from server.storage.store import SqlStore
from tests.support.builders.clock import NOON
from tests.support.builders.installation import approval_row

ANN = User("sayso_us_ann", "ann", None, (), "enabled", NOON)
REQUEST = approval_row("sayso_ap_1", "sayso_ag_1", ANN.id, NOON)
INCIDENT = Incident(
    id="sayso_ic_1",
    state="open",
    scope="agent",
    approval_id=REQUEST.id,
    user_id=ANN.id,
    device_id="sayso_dv_1",
    note="Not me",
    evidence="{}",
    opened_at=NOON,
)


def _add(store: SqlStore, *incidents: Incident) -> None:
    with store.write() as tx:
        tx.users.add(ANN)
        tx.approvals.add(REQUEST)
        for incident in incidents:
            tx.incidents.add(incident)


def test_an_incident_is_stored_unchanged(store: SqlStore) -> None:
    """An incident is found by id, and as the open incident of its request and scope."""
    _add(store, INCIDENT)
    with store.read() as view:
        assert view.incidents.get(INCIDENT.id) == INCIDENT
        assert view.incidents.get("sayso_ic_2") is None
        assert view.incidents.open_of(REQUEST.id, "agent") == INCIDENT
        assert view.incidents.open_of(REQUEST.id, "every_agent") is None


def test_incidents_are_listed_newest_first_in_pages(store: SqlStore) -> None:
    """Incidents of the same time are sorted by id, so that none is omitted."""
    later = replace(INCIDENT, id="sayso_ic_2", opened_at=NOON + 1)
    same = replace(INCIDENT, id="sayso_ic_3")
    _add(store, INCIDENT, later, same)
    with store.read() as view:
        first = view.incidents.search(closed=False, limit=2)
        assert first == [later, same]
        before = (same.opened_at, same.id)
        assert view.incidents.search(closed=False, limit=2, before=before) == [INCIDENT]


def test_an_incident_is_closed_once(store: SqlStore) -> None:
    """A closed incident is listed only if closed incidents are requested."""
    _add(store, INCIDENT)
    with store.write() as tx:
        closed = tx.incidents.close(INCIDENT.id, by="operator", note=None, now=NOON + 1)
        assert tx.incidents.close(INCIDENT.id, by="someone else", note="x", now=NOON + 2) is None
    assert closed == replace(INCIDENT, state="closed", closed_at=NOON + 1, closed_by="operator")
    with store.read() as view:
        assert view.incidents.search(closed=False, limit=9) == []
        assert view.incidents.search(closed=True, limit=9) == [closed]
        assert view.incidents.open_of(REQUEST.id, "agent") is None
