"""Lists that are read in pages contain each row once and in order, in both databases."""

from dataclasses import replace
from typing import Any

import pytest

from server.model.audit import Entry, EntrySearch
from server.model.users import User
from server.storage.store import SqlStore
from tests.support.builders.clock import NOON
from tests.support.builders.installation import approval_row, device_row

NAMES = ("Ana", "ben", "Cleo", "Ölaf", "zoe")
PEOPLE = [
    User(f"sayso_us_{number}", name, None, (), "enabled", NOON) for number, name in enumerate(NAMES)
]


@pytest.fixture
def people(store: SqlStore) -> SqlStore:
    """A store with five users, who have one device each."""
    with store.write() as tx:
        for user in PEOPLE:
            tx.users.add(user)
            tx.devices.add(device_row(f"sayso_dv_{user.id}", user, NOON))
    return store


def test_users_are_listed_by_name(people: SqlStore) -> None:
    """The order of names ignores case."""
    with people.read() as view:
        all_names = [user.name for user in view.users.all()]
        names: list[str] = []
        while page := view.users.page(names[-1] if names else "", 2):
            names += [user.name for user in page]
    assert sorted(names) == sorted(NAMES)
    assert names == all_names


def test_devices_are_listed_by_age_or_for_one_user(people: SqlStore) -> None:
    """Devices of the same age are listed by id."""
    with people.write() as tx:
        young = device_row("sayso_dv_young", PEOPLE[0], NOON + 1)
        tx.devices.add(replace(young, session_id="other"))
    with people.read() as view:
        listed: list[Any] = []
        while page := view.devices.page(None, _cursor(listed), 4):
            listed += page
        own = view.devices.page(PEOPLE[0].id, (0, ""), 10)
    assert [device.id for device in listed] == [device.id for device in _sort_by_age(listed)]
    assert (len(listed), listed[-1].id) == (6, "sayso_dv_young")
    assert [device.id for device in own] == ["sayso_dv_sayso_us_0", "sayso_dv_young"]


def _cursor(listed: list[Any]) -> tuple[int, str]:
    return (listed[-1].created_at, listed[-1].id) if listed else (0, "")


def _sort_by_age(devices: list[Any]) -> list[Any]:
    return sorted(devices, key=lambda device: (device.created_at, device.id))


def test_a_statement_of_a_device_is_counted_once(people: SqlStore) -> None:
    """A statement counts only if the number of earlier statements is right."""
    with people.write() as tx:
        assert tx.devices.count_statement("sayso_dv_sayso_us_0", 0)
        assert not tx.devices.count_statement("sayso_dv_sayso_us_0", 0)
        assert tx.devices.count_statement("sayso_dv_sayso_us_0", 1)
        assert not tx.devices.count_statement("nobody", 0)


def test_requests_are_listed_newest_first_after_a_cursor(people: SqlStore) -> None:
    """Requests of the same time are listed by id."""
    with people.write() as tx:
        for number in range(4):
            created_at = NOON + number // 2
            row = approval_row(f"sayso_ap_{number}", "sayso_ag_a", PEOPLE[0].id, created_at)
            tx.approvals.add(replace(row, auth_req_hash=bytes([number])))
    filters: dict[str, Any] = {"state": None, "agent_id": None, "user_id": None}
    with people.read() as view:
        first = view.approvals.search(**filters, limit=3)
        cursor = (first[-1].created_at, first[-1].id)
        rest = view.approvals.search(**filters, limit=3, before=cursor)
    assert [row.id[-1] for row in (*first, *rest)] == ["3", "2", "1", "0"]


def test_audit_log_entries_match_every_filter(store: SqlStore) -> None:
    """The newest entries before an id come first."""
    with store.write() as tx:
        for kind, agent in (("a", "one"), ("b", "one"), ("a", "two"), ("a", "one")):
            tx.audit.add(Entry(kind, "operator", agent_id=agent, subject="s", resource="r"))
    with store.read() as view:
        search = view.audit.search
        newest = search(EntrySearch(type="a"), None, 2)
        older = search(EntrySearch(type="a"), newest[-1].id, 2)
        both = search(EntrySearch(type="a", agent_id="one", subject="s", resource="r"), None, 9)
        without_match = search(EntrySearch(type="a", actors=("system",)), None, 9)
        since = search(EntrySearch(since=NOON), None, 9)
        before = search(EntrySearch(until=NOON), None, 9)
        entry = view.audit.get(newest[0].id)
    assert len({entry.id for entry in (*newest, *older)}) == 3
    assert (len(both), without_match, len(since), before) == (2, [], 4, [])
    assert entry == newest[0]
