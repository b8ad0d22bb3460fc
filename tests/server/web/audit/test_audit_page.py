"""The audit log page: entries, filters, downloads and timelines."""

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from server import telemetry
from server.model.audit import Entry
from server.services.audit import audit
from tests.support.builders.console import Console
from tests.support.builders.installation import PAY


def _entries(console: Console, **query: object) -> list[str]:
    query_string = "&".join(f"{name}={value}" for name, value in query.items())
    page = console.get("admin", f"/admin/audit?{query_string}")
    assert page.status_code == 200, page.text
    return re.findall(r'<tr data-part="[^"]+">.*?</tr>', page.text)


def test_each_entry_names_its_user_agent_or_resource(console: Console) -> None:
    """The column has the user, else the agent, else the resource; times have seconds."""
    added = _entries(console, type="user.added")[0]
    assert '<td data-label="Target"><bdi>' in added
    assert re.search(r"data-seconds>[^<]*, \d\d:\d\d:\d\d UTC</time>", added)
    registered = _entries(console, type="agent.added")[0]
    assert '<td data-label="Target"><bdi>two</bdi>' in registered


def test_entries_are_filtered_by_days(console: Console) -> None:
    """Both days of the range are included."""
    now = datetime.fromtimestamp(console.staff.local.clock.now() / 1000, UTC)
    today, tomorrow = now.date(), now.date() + timedelta(days=1)
    all_entries = _entries(console)
    assert _entries(console, **{"from": today, "to": today}) == all_entries
    assert _entries(console, **{"from": tomorrow}) == []
    assert _entries(console, to=today - timedelta(days=1)) == []


def test_an_invalid_day_is_refused_with_an_example(console: Console) -> None:
    """A day that no date field would send gets 422 and an example of a valid day."""
    page = console.get("admin", "/admin/audit?from=yesterday")
    assert page.status_code == 422
    assert "Enter dates such as 2026-11-25." in page.text


def test_all_results_of_a_search_can_be_downloaded(console: Console) -> None:
    """A download in either format has all pages of the API, with the page's filters."""
    with console.staff.local.services.store.write() as tx:
        for number in range(230):
            entry = Entry(audit.Type.USER_UPDATED, actor="=cmd()", subject=f"user-{number}")
            tx.audit.add(entry)
    page = console.get("admin", "/admin/audit?type=user.updated").text
    hrefs = re.findall('href="(/admin/audit[?][^"]+format=[^"]+)"', page)
    links = [link.replace("&amp;", "&") for link in hrefs]
    assert [link.partition("?")[2] for link in links] == [
        "type=user.updated&format=csv",
        "type=user.updated&format=jsonl",
    ]
    table, lines = (console.get("admin", link) for link in links)
    rows = list(csv.DictReader(io.StringIO(table.text)))
    entries = [json.loads(line) for line in lines.text.splitlines()]
    assert len(rows) == len(entries) >= 230
    assert {row["type"] for row in rows} == {"user.updated"}
    assert [row["id"] for row in rows] == [entry["id"] for entry in entries]
    assert rows[0]["actor"] == "'=cmd()"
    assert json.loads(rows[0]["members"]) == entries[0]["members"]
    assert table.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'
    assert table.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("who", ["admin", "auditor", "owner", "stranger"])
def test_the_download_has_the_access_rule_of_the_page(console: Console, who: str) -> None:
    """Only the roles that may read the page may download the audit log."""
    page = console.get(who, "/admin/audit").status_code
    assert console.get(who, "/admin/audit?format=jsonl").status_code == page
    assert (page == 200) is (who in {"admin", "auditor"})


def test_an_unknown_format_or_day_is_refused(console: Console) -> None:
    """The message says which values are valid."""
    for query, words in (
        ("format=x", "format must be csv or jsonl."),
        ("to=x&format=csv", "Enter dates such"),
    ):
        assert words in console.get("admin", f"/admin/audit?{query}").text


def test_a_timeline_has_every_entry_of_a_request(console: Console) -> None:
    """An entry shows actor, user, resource and decision; the request and its entries link it."""
    request = console.staff.ids["approval"]
    telemetry.correlate("local")  # not the last call of this test
    with console.staff.local.services.store.write() as tx:
        approval = tx.approvals.get(request)
        request_entry = audit.approval_entry(
            approval,
            audit.Type.APPROVAL_REQUESTED,
            actor=audit.by_client(approval.agent_id),
            decision="asked",
            facts={"policy": {"rules": ["big payments"]}},
        )
        entry = tx.audit.add(request_entry)
    page = console.get("admin", f"/admin/audit/timelines/{request}").text
    ((shown_entry, cells),) = re.findall(r'<tr data-part="([^"]+)">(.*?)</tr>', page)
    assert shown_entry == entry
    for text in ("0.0 s", "approval.requested", PAY, "asked", approval.risk, "big payments"):
        assert text in cells
    for linked in (f"/admin/approvals/{request}", f"/admin/audit/{entry}"):
        assert "/admin/audit/timelines/" in console.get("admin", linked).text
    lines = console.get("admin", f"/admin/audit/timelines/{request}?format=jsonl").text
    assert [json.loads(line)["id"] for line in lines.splitlines()] == [entry]
    assert console.get("admin", "/admin/audit/timelines/none").status_code == 404
