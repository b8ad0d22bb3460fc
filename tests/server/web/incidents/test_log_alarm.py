"""The console: the incident of a device that saw a different audit log."""

from types import SimpleNamespace
from typing import Any

from server.services.incidents.log_alarms import LogAlarm, LogAlarms
from tests.support.builders.console import Console

_HOSTILE_TEXT = "</pre><script>\u202e"


def test_the_incident_shows_who_saw_it_and_both_checkpoints(console: Console) -> None:
    """The page shows what the device sent as escaped text, line by line."""
    services = console.staff.local.services
    with services.store.read() as view:
        user = view.directory.find_user("bystander")
    person: Any = SimpleNamespace(user=user, registered_device=SimpleNamespace(id="sayso_de_1"))
    alarm = LogAlarm("sayso.example/log\n12\n", f"sayso.example/log\n7\n{_HOSTILE_TEXT}")
    incident = LogAlarms(services.store, services.secrets).report(person, alarm)
    assert "saw a different audit log" in console.get("admin", "/admin/incidents").text
    page = console.get("admin", f"/admin/incidents/{incident}").text
    assert "<bdi>bystander</bdi> saw a different audit log" in page
    assert "does not release agents" not in page
    assert "sayso audit verify" in page
    assert "sayso.example/log\n12\n" in page
    assert "&lt;/pre&gt;&lt;script&gt;\\u{202e}" in page
