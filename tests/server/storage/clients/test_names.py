"""Names that look alike are unique in both databases, even when they are stored concurrently."""
# ruff: noqa: RUF001  # the tests are about look-alike letters

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeAlias

import pytest

from server.model.approvers import Group
from server.model.clients import FormerName
from server.model.store import Taken
from server.protocol.confusables import name_keys
from server.storage.store import SqlStore
from tests.server.storage.notifications.test_attention import AGENT
from tests.support.builders.clock import NOON

Opener: TypeAlias = Callable[[str], SqlStore]
LOOK_ALIKES = ("finance", "Flnance", "f1nance", "FINANCE", "finаnce")


def _add(store: SqlStore, number: int, name: str) -> bool:
    group = Group(f"sayso_gr_{number}", name, (), NOON)
    try:
        with store.write() as tx:
            tx.groups.add(group)
    except Taken:
        return False
    return True


def test_one_of_several_similar_names_is_stored(
    store: SqlStore, url: str, open_database: Opener
) -> None:
    """Two processes with several threads each store them without checking first."""
    stores = [store, open_database(url)]
    with ThreadPoolExecutor(8) as threads:
        attempts = [
            threads.submit(_add, stores[number % 2], number, name)
            for number, name in enumerate(LOOK_ALIKES * 2)
        ]
    assert sum(attempt.result(30) for attempt in attempts) == 1
    assert _add(store, 99, "finance-2")


def test_a_name_is_free_after_its_owner_is_renamed_or_deleted(store: SqlStore) -> None:
    """Renaming and deleting both release the old name."""
    assert _add(store, 1, "finance")
    with store.write() as tx:
        tx.groups.replace(Group("sayso_gr_1", "money", (), NOON))
        assert tx.names.ids_with_name_like("group", name_keys("Finance")) == []
        assert tx.names.ids_with_name_like("group", name_keys("M0NEY")) == ["sayso_gr_1"]
        assert tx.names.ids_with_name_like("client", name_keys("money")) == []
    assert _add(store, 2, "Finance")
    with store.write() as tx:
        tx.groups.delete("sayso_gr_2")
    assert _add(store, 3, "f1nance")


def test_an_agent_cannot_be_stored_with_a_name_similar_to_another(store: SqlStore) -> None:
    """Adding or renaming an agent to a similar name fails and stores nothing."""
    other = replace(AGENT, id="sayso_ag_other", name="other", secrets=(), owners=())
    agent = replace(AGENT, id="sayso_ag_pay", name="pay-bot", secrets=(), owners=())
    with store.write() as tx:
        tx.agents.add(agent, NOON)
        tx.agents.add(other, NOON)
    third = replace(other, id="sayso_ag_third", name="Pay Bot")
    with pytest.raises(Taken), store.write() as tx:
        tx.agents.add(third, NOON)
    with pytest.raises(Taken), store.write() as tx:
        tx.agents.replace(replace(other, name="раy_bot"), NOON)
    with store.read() as view:
        assert [agent.name for agent in view.agents.all()] == ["other", "pay-bot"]


def test_former_names_are_stored_newest_first_and_once(store: SqlStore) -> None:
    """Deleting the agent also deletes its former names."""
    agent = replace(AGENT, secrets=(), owners=())
    with store.write() as tx:
        tx.agents.add(agent, NOON)
        for name, until in (("a", NOON), ("b", NOON + 1), ("a", NOON + 2), ("a", NOON + 2)):
            tx.names.add_former(agent.id, FormerName(name, until))
    with store.write() as tx:
        names = [(former.name, former.until - NOON) for former in tx.names.former(agent.id)]
        assert names == [("a", 2), ("b", 1), ("a", 0)]
        tx.agents.delete(agent.id)
        assert tx.names.former(agent.id) == []
