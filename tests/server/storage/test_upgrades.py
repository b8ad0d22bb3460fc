"""What is there already when the tables are brought forward."""

import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from server.services.approval_records import Approver, Decision
from server.services.records import User
from server.storage import open as opening
from server.storage import upgrade as upgrading
from server.storage.approvals import Approvals
from server.storage.approvers import Approvers
from server.storage.open import upgrade_database
from server.storage.store import SqlStore
from server.storage.users import Users
from tests.support.clock import NOON
from tests.support.installation import approval_row
from tests.support.postgres import PostgresServer

ANN, BOB, CLEO = "sayso_us_ann", "sayso_us_bob", "sayso_us_cleo"
ASKED = "sayso_ap_waiting"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def first_tables(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """A database of the very first schema, of each kind."""
    url = f"sqlite:///{tmp_path / 'first.db'}"
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.new_database()
    scripts = tmp_path / "migrations"
    shutil.copytree(upgrading._SCRIPTS, scripts)
    for later in (scripts / "versions").glob("0*.py"):
        if not later.name.startswith("0001"):
            later.unlink()
    with monkeypatch.context() as then:
        then.setattr(upgrading, "_SCRIPTS", scripts)
        then.setattr(opening, "SCHEMA", "0001")
        upgrade_database(url, NOON)
    return url


def _before(url: str) -> None:
    """Bob has said yes in Ann's place, and Cleo for herself; nobody kept whose yes it is."""
    row = approval_row(ASKED, "sayso_ag_bot", ANN, NOON)
    deputy = Approver(ASKED, BOB, "deputy", NOON, row.expires_at, row.risk, stands_for=ANN)
    said = ("sayso_dv_1", "approve", None, None, "confirm", "terminal", "signed", NOON)
    answers = [asdict(Decision(ASKED, who, *said)) for who in (BOB, CLEO)]
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        for who in (ANN, BOB, CLEO):
            Users(connection).add(User(who, who, None, (), "enabled", NOON))
        Approvals(connection).add(replace(row, quorum=3))
        Approvers(connection).add(deputy)
        columns = [sa.column(name) for name in answers[0] if name != "stands_for"]
        then = sa.table("decisions", *columns)
        connection.execute(sa.insert(then), [{c.name: a[c.name] for c in columns} for a in answers])
    engine.dispose()


def test_an_answer_that_was_given_keeps_whose_it_is(
    first_tables: str, open_one: Callable[[str], SqlStore]
) -> None:
    """Who was asked in somebody's place answered in it, whatever becomes of the two."""
    _before(first_tables)
    assert upgrade_database(first_tables, NOON) == "0001"
    with open_one(first_tables).read() as view:
        answers = view.decisions.of_approval(ASKED)
    assert {one.user_id: one.whose for one in answers} == {BOB: ANN, CLEO: CLEO}
