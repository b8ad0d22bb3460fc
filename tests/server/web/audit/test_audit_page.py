"""The page of the audit log."""

import re
from datetime import UTC, datetime, timedelta

from tests.support.builders.console import Console


def _entries(console: Console, **query: object) -> list[str]:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    page = console.get("admin", f"/admin/audit?{asked}")
    assert page.status_code == 200, page.text
    return re.findall(r'<tr data-part="[^"]+">.*?</tr>', page.text)


def test_each_entry_names_whom_or_what_it_is_about(console: Console) -> None:
    """A user, else an agent, else a resource; the time has seconds."""
    added = _entries(console, type="user.added")[0]
    assert '<td data-label="About"><bdi>' in added
    assert re.search(r"data-seconds>[^<]*, \d\d:\d\d:\d\d UTC</time>", added)
    registered = _entries(console, type="agent.added")[0]
    assert '<td data-label="About"><bdi>two</bdi>' in registered


def test_entries_are_filtered_by_days(console: Console) -> None:
    """Both days are included."""
    now = datetime.fromtimestamp(console.staff.local.clock.now() / 1000, UTC)
    today, tomorrow = now.date(), now.date() + timedelta(days=1)
    whole = _entries(console)
    assert _entries(console, **{"from": today, "to": today}) == whole
    assert _entries(console, **{"from": tomorrow}) == []
    assert _entries(console, to=today - timedelta(days=1)) == []


def test_an_invalid_day_is_refused_by_an_example(console: Console) -> None:
    """A browser's own field does not send one."""
    page = console.get("admin", "/admin/audit?from=yesterday")
    assert page.status_code == 422
    assert "Enter days such as 2026-11-25." in page.text
