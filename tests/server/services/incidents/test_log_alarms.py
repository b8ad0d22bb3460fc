"""A device that sees a changed audit log opens an incident."""

from server.services.incidents.incidents import Incidents
from tests.support.builders.callers import LocalTerminal, new_person
from tests.support.builders.installation import BY
from tests.support.builders.site import Answer, LocalSite

_NOTES = {"kept": "sayso.example/log\n12\nAAAA\n", "shown": "sayso.example/log\n7\nBBBB\n"}


def _report(person: LocalTerminal, **members: object) -> Answer:
    return person.call("POST", "/api/audit/alarms", {**_NOTES, **members})


def test_an_alarm_opens_one_incident_for_each_device(
    person: LocalTerminal, local: LocalSite
) -> None:
    """A repeated report gets the same incident until that incident is closed."""
    first, repeated = _report(person), _report(person, shown="other")
    other = _report(new_person(local, "ben"))
    assert first.status == 200
    assert first.json == repeated.json != other.json
    incidents = Incidents(local.services.store)
    shown = incidents.show(first.json["incident"])
    assert (shown.incident.cause, shown.user_name) == ("log_changed", "ana")
    assert (shown.evidence["log"], shown.states) == (_NOTES, {})
    (entry, _) = local.admin.entries("incident.opened")
    assert (entry["cause"], entry["facts"]["log"]) == ("log_changed", _NOTES)
    incidents.close(first.json["incident"], None, by=BY)
    assert _report(person).json not in (first.json, other.json)


def test_an_alarm_has_a_maximum_length(person: LocalTerminal) -> None:
    """The reported checkpoints are stored unchanged, so their length is limited."""
    refused = _report(person, kept="x" * 4_001)
    assert (refused.status, refused.json["member"]) == (422, "kept")
