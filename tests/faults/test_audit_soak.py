"""The audit log verifies at all times while its server is killed and its database restarts.

A usual run has a few rounds, and `scripts/test --deep` has a hundred.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from server.audit_log import bundles
from server.audit_log.verify import verify_file
from server.model.store import Busy
from server.services.refusals import Conflict
from tests.support.builders.databases import upgraded_database
from tests.support.checks.ledger import read_ledger
from tests.support.checks.log_and_rows import verify_log
from tests.support.checks.waiting import in_background, until
from tests.support.inputs.random_cases import DEEP
from tests.support.servers.load import WITHOUT_LIMITS, Load, new_load
from tests.support.servers.postgres import PostgresServer
from tests.support.servers.server import LiveServer, live_server

_ROUNDS = 100 if DEEP else 2
_EACH_SECONDS = 1.0


@contextmanager
def _auditor(server: LiveServer) -> Iterator[list[str]]:
    """Exports and verifies the log every second; yields the verdicts. Raises `Broken`."""
    verdicts, stop = list[str](), threading.Event()

    def audit() -> None:
        while not stop.wait(_EACH_SECONDS):
            with suppress(Busy, Conflict):  # the database restarts, or there is no checkpoint yet
                verdicts.append(_verdict(server))

    with in_background(audit) as audited:
        try:
            yield verdicts
        finally:
            stop.set()
            audited.result(60)


def _verdict(server: LiveServer) -> str:
    """Verifies the log, and checks that it still contains the previous checkpoint."""
    log, checkpoint_file, file = (
        server.services.audit_log,
        server.folder / "kept",
        server.folder / "bundle",
    )
    newest = log.newest()
    file.write_text("".join(f"{line}\n" for line in bundles.write(log.origin, log.lines())))
    verdict = verify_file(
        file, [log.key.text], checkpoint_file if checkpoint_file.exists() else None, sys.stderr
    )
    checkpoint_file.write_text(newest)
    return verdict


def _soak(load: Load, postgres: PostgresServer | None) -> None:
    """In each round, decides requests and verifies the log; then kills a process."""

    def work() -> None:
        decided, verified = len(load.answers) + 2, len(verdicts) + 1
        until(lambda: len(load.answers) >= decided and len(verdicts) >= verified)

    with load.running(), _auditor(load.server) as verdicts:
        for _ in range(_ROUNDS):
            work()
            load.server.kill()
            load.server.start()
            if postgres is not None:
                work()
                postgres.restart(immediate=True)
        work()


def _check(load: Load) -> None:
    """Checks that each effect has its entry, and that the log has every stored entry."""
    url = load.server.services.settings.sqlalchemy_url
    ledger = read_ledger(url)
    assert load.faults == []
    assert ledger.discrepancies() == []
    assert {name: ledger.decisions.get(name) for name in load.answers} == load.answers
    assert set(load.tokens) <= set(ledger.tokens.values())
    verified = verify_log(load.server)
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        stored = connection.execute(sa.text("SELECT count(*) FROM audit_entries")).scalar_one()
    engine.dispose()
    assert verified.frontier.size == stored
    assert verified.meaning.signatures >= len(load.answers)


@pytest.mark.timeout(7200 if DEEP else 300)
@pytest.mark.parametrize("on", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def test_the_log_verifies_each_second_while_everything_is_killed(
    request: pytest.FixtureRequest, tmp_path: Path, on: str
) -> None:
    """I8: the log verifies although the server is killed and PostgreSQL restarts immediately."""
    postgres, settings = None, dict(WITHOUT_LIMITS)
    if on == "postgresql":
        postgres = request.getfixturevalue("postgres_server")
        settings["database_url"] = upgraded_database(postgres)
    with live_server(tmp_path, forked=True, **settings) as server:
        load = new_load(server)
        _soak(load, postgres)
        _check(load)
        load.close()
