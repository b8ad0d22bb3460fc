"""Agents without an enabled owner are found, and only one of many workers quarantines them."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from server.crypto.secrets import KeyedSecrets, read_or_create_key
from server.model.clients import Agent
from server.model.users import User
from server.services.incidents.orphan_quarantine import OrphanQuarantine
from server.storage.store import SqlStore
from tests.support.builders.clock import DAY, NOON, MovableClock
from tests.support.builders.installation import SERVER_POLICY

WORKERS = 4
ANN = User("sayso_us_ann", "ann", None, (), "enabled", NOON)
DISABLED = User("sayso_us_gone", "gone", None, (), "disabled", NOON, disabled_at=NOON)
BOT = Agent(
    id="sayso_ag_bot",
    name="bot",
    description="",
    auth_method="private_key_jwt",
    jwks=(),
    grant_types=(),
    delivery="poll",
    resources=(),
    scopes=(),
    action_types=None,
    asks=None,
    owners=(DISABLED.id,),
    secrets=(),
    id_token_alg="RS256",
    state="enabled",
    expires_at=None,
    created_at=NOON,
)
BOTS = (
    BOT,
    replace(BOT, id="sayso_ag_both", name="both", owners=(DISABLED.id, ANN.id)),
    replace(BOT, id="sayso_ag_anns", name="anns", owners=(ANN.id,)),
    replace(BOT, id="sayso_ag_off", name="off", state="disabled"),
    replace(BOT, id="sayso_ag_also", name="also"),
)


def _add_all(store: SqlStore) -> None:
    with store.administer() as tx:
        for user in (ANN, DISABLED):
            tx.users.add(user)
        for agent in BOTS:
            tx.agents.add(agent, NOON)


def test_an_orphan_is_an_enabled_agent_without_an_enabled_owner(store: SqlStore) -> None:
    """Orphans are listed by name, and so are the agents of an owner."""
    _add_all(store)
    with store.read() as view:
        assert [agent.name for agent in view.agents.orphans()] == ["also", "bot"]
        assert [agent.name for agent in view.agents.owned_by(ANN.id)] == ["anns", "both"]
        assert view.users.get(DISABLED.id) == DISABLED


def test_many_workers_quarantine_an_orphan_once(
    url: str, open_database: Callable[[str], SqlStore], clock: MovableClock, tmp_path: Path
) -> None:
    """Quarantine is due for all workers; one carries it out, with one incident per agent."""
    stores = [open_database(url) for _ in range(WORKERS)]
    _add_all(stores[0])
    clock.forward(14 * DAY)
    secrets = KeyedSecrets(*(read_or_create_key(tmp_path / name) for name in ("master", "pin")))
    barrier = threading.Barrier(WORKERS)

    def run(store: SqlStore) -> int:
        barrier.wait()
        return OrphanQuarantine(store, secrets, SERVER_POLICY).round()

    with ThreadPoolExecutor(WORKERS) as pool:
        counts = list(pool.map(run, stores))
    assert sum(counts) == 2
    with stores[0].read() as view:
        assert view.agents.orphans() == []
        assert len(view.incidents.search(closed=True, limit=9)) == 2
        entries = [entry.type for entry in view.audit.tail(99)]
    assert sorted(entries) == ["agent.quarantined"] * 2 + ["incident.opened"] * 2
