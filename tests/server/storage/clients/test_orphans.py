"""Agents without an enabled owner are found, and quarantined once by many workers."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from server.crypto.secrets import KeyedSecrets, read_or_make_key
from server.model.clients import Agent
from server.model.users import User
from server.services.incidents.orphan_quarantine import OrphanQuarantine
from server.storage.store import SqlStore
from tests.support.builders.clock import DAY, NOON, MovableClock
from tests.support.builders.installation import SERVER_POLICY

WORKERS = 4
ANN = User("sayso_us_ann", "ann", None, (), "enabled", NOON)
GONE = User("sayso_us_gone", "gone", None, (), "disabled", NOON, disabled_at=NOON)
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
    owners=(GONE.id,),
    secrets=(),
    id_token_alg="RS256",
    state="enabled",
    expires_at=None,
    created_at=NOON,
)
BOTS = (
    BOT,
    replace(BOT, id="sayso_ag_both", name="both", owners=(GONE.id, ANN.id)),
    replace(BOT, id="sayso_ag_anns", name="anns", owners=(ANN.id,)),
    replace(BOT, id="sayso_ag_off", name="off", state="disabled"),
    replace(BOT, id="sayso_ag_also", name="also"),
)


def _stored(store: SqlStore) -> None:
    with store.administer() as tx:
        for user in (ANN, GONE):
            tx.users.add(user)
        for agent in BOTS:
            tx.agents.add(agent, NOON)


def test_an_orphan_is_an_enabled_agent_without_an_enabled_owner(store: SqlStore) -> None:
    """Listed by name; an owner's agents are found too."""
    _stored(store)
    with store.read() as view:
        assert [one.name for one in view.agents.orphans()] == ["also", "bot"]
        assert [one.name for one in view.agents.owned_by(ANN.id)] == ["anns", "both"]
        assert view.users.get(GONE.id) == GONE


def test_many_workers_quarantine_an_orphan_once(
    url: str, open_database: Callable[[str], SqlStore], clock: MovableClock, tmp_path: Path
) -> None:
    """Each sees it is due, one quarantines it, and there is one incident per agent."""
    stores = [open_database(url) for _ in range(WORKERS)]
    _stored(stores[0])
    clock.forward(14 * DAY)
    secrets = KeyedSecrets(*(read_or_make_key(tmp_path / name) for name in ("master", "pin")))
    together = threading.Barrier(WORKERS)

    def look(store: SqlStore) -> int:
        together.wait()
        return OrphanQuarantine(store, secrets, SERVER_POLICY).round()

    with ThreadPoolExecutor(WORKERS) as pool:
        stopped = list(pool.map(look, stores))
    assert sum(stopped) == 2
    with stores[0].read() as view:
        assert view.agents.orphans() == []
        assert len(view.incidents.search(closed=True, limit=9)) == 2
        entries = [entry.type for entry in view.audit.tail(99)]
    assert sorted(entries) == ["agent.quarantined"] * 2 + ["incident.opened"] * 2
