"""Incidents in the database: complete, newest first, closed once."""

from dataclasses import replace

from server.model.incidents import Incident
from server.model.users import User
from server.storage.store import SqlStore
from tests.support.builders.clock import NOON
from tests.support.builders.installation import approval_row

ANN = User("sayso_us_ann", "ann", None, (), "enabled", NOON)
ASKED = approval_row("sayso_ap_1", "sayso_ag_1", ANN.id, NOON)
ONE = Incident(
    id="sayso_ic_1",
    state="open",
    scope="agent",
    approval_id=ASKED.id,
    user_id=ANN.id,
    device_id="sayso_dv_1",
    note="Not me",
    evidence="{}",
    opened_at=NOON,
)


def _stored(store: SqlStore, *incidents: Incident) -> None:
    with store.write() as tx:
        tx.users.add(ANN)
        tx.approvals.add(ASKED)
        for incident in incidents:
            tx.incidents.add(incident)


def test_an_incident_is_stored_unchanged(store: SqlStore) -> None:
    """Found by id, and as the open one of its request and scope."""
    _stored(store, ONE)
    with store.read() as view:
        assert view.incidents.get(ONE.id) == ONE
        assert view.incidents.get("sayso_ic_2") is None
        assert view.incidents.open_of(ASKED.id, "agent") == ONE
        assert view.incidents.open_of(ASKED.id, "every_agent") is None


def test_incidents_are_listed_newest_first_in_pages(store: SqlStore) -> None:
    """Those of one moment by id, so none is omitted."""
    later = replace(ONE, id="sayso_ic_2", opened_at=NOON + 1)
    same = replace(ONE, id="sayso_ic_3")
    _stored(store, ONE, later, same)
    with store.read() as view:
        first = view.incidents.search(closed=False, limit=2)
        assert first == [later, same]
        before = (same.opened_at, same.id)
        assert view.incidents.search(closed=False, limit=2, before=before) == [ONE]


def test_an_incident_is_closed_once(store: SqlStore) -> None:
    """Then it is listed only with closed ones."""
    _stored(store, ONE)
    with store.write() as tx:
        closed = tx.incidents.close(ONE.id, by="operator", note=None, now=NOON + 1)
        assert tx.incidents.close(ONE.id, by="another", note="x", now=NOON + 2) is None
    assert closed == replace(ONE, state="closed", closed_at=NOON + 1, closed_by="operator")
    with store.read() as view:
        assert view.incidents.search(closed=False, limit=9) == []
        assert view.incidents.search(closed=True, limit=9) == [closed]
        assert view.incidents.open_of(ASKED.id, "agent") is None
