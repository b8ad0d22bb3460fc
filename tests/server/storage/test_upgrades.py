"""An upgrade of a database converts the existing data."""
# ruff: noqa: RUF001  # the tests are about look-alike letters

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from server.model.approvals import Approver, Decision
from server.model.audit import Entry
from server.model.granted import differences_of, granted_headline
from server.model.store import Taken
from server.protocol.confusables import name_keys
from server.services.reactions import react
from server.storage.open import SCHEMA, SchemaMismatch, open_store, upgrade_database
from server.storage.store import SqlStore
from tests.support.builders import earlier_databases
from tests.support.builders.clock import NOON, MovableClock
from tests.support.builders.installation import approval_row
from tests.support.servers.postgres import PostgresServer

Opener = Callable[[str], SqlStore]
ANN, BOB, CLEO = "sayso_us_ann", "sayso_us_bob", "sayso_us_cleo"
REQUEST, NARROWED = "sayso_ap_waiting", "sayso_ap_narrowed"
BOT, LATER, APP = "sayso_ag_bot", "sayso_ag_later", "sayso_cl_app"
ROW = {"label": "Amount", "asked": "9", "granted": "5"}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new database, of each kind in turn."""
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        return server.new_database()
    return f"sqlite:///{tmp_path / 'old.db'}"


def _named_row(name_id: str, name: str, created_at: int = NOON) -> dict[str, object]:
    lists = dict.fromkeys(("jwks", "grant_types", "resources", "scopes", "roles"), "[]")
    more = {"only": "{}", "serves": "[]", "labels": "[]", "redirect_uris": "[]"}
    row = {"id": name_id, "name": name, "name_key": name.casefold(), "state": "enabled"}
    return {**lists, **more, **row, "created_at": created_at, "post_logout_redirect_uris": "[]"}


def _user(name_id: str, name: str, created_at: int = NOON) -> dict[str, object]:
    columns = {"id", "name", "name_key", "roles", "state", "created_at"}
    return {name: v for name, v in _named_row(name_id, name, created_at).items() if name in columns}


def _agent(name_id: str, name: str, created_at: int = NOON) -> dict[str, object]:
    omitted = {"roles", "redirect_uris", "post_logout_redirect_uris"}
    row = _named_row(name_id, name, created_at)
    return {name: value for name, value in row.items() if name not in omitted}


def _app(name_id: str, name: str, created_at: int) -> dict[str, object]:
    omitted = {"roles", "only", "serves", "labels"}
    row = _named_row(name_id, name, created_at)
    return {name: value for name, value in row.items() if name not in omitted}


def _approval(approval_id: str, **members: object) -> dict[str, object]:
    """A row of a request in the earlier schema."""
    row = asdict(approval_row(approval_id, BOT, ANN, NOON))
    del row["hint_hash"]
    return {**row, "past": '{"codes":["new_agent"],"marks":["m"],"amounts":{"a":5}}', **members}


def _rows() -> earlier_databases.Rows:
    """One or more rows for each table that changes."""
    device = {"id": "sayso_dv_1", "user_id": ANN, "session_id": "s1", "keys": "{}", "kids": "{}"}
    code = {"id": "EA05", "user_id": ANN, "secret_hash": b"c", "first": True}
    return {
        "users": [_user(ANN, "ann"), _user(BOB, "bob"), _user(CLEO, "аnn", NOON + 1)],
        "agents": [
            _agent(LATER, "deploy-b0t", NOON + 2) | {"name_key": "deploy-b0t"},
            _agent(BOT, "Deploy-Bot", NOON + 1),
            _agent("sayso_ag_greek", "ΝΟΤΑ") | {"name_key": "nota"},
        ],
        "apps": [_app(APP, "DeployB0t", NOON + 3)],
        "agent_owners": [{"agent_id": BOT, "user_id": ANN, "since": NOON}],
        "agent_secrets": [{"id": "x", "agent_id": BOT, "hash": b"s", "created_at": NOON}],
        "groups": [{"id": "sayso_gr_1", "name": "ops", "name_key": "ops", "created_at": NOON}],
        "resources": [
            {"uri": uri, "client_id": uri, "scopes": "{}", "requires": "{}", "created_at": at}
            for uri, at in (("https://pay.example", NOON), ("https://Pay.examp1e", NOON + 1))
        ],
        "enrolment_codes": [code],
        "sessions": [
            {
                "id": "s1",
                "user_id": ANN,
                "public_jwk": "{}",
                "refresh_hash": b"r",
                "device_id": "sayso_dv_1",
                "expires_at": NOON + 9_000_000,
                "first": True,
            }
        ],
        "devices": [device | {"kind": "terminal", "state": "active", "name": "laptop"}],
        "passkeys": [{"device_id": "sayso_dv_1", "credential": b"c", "signs": 7}],
        "approvals": [
            _approval(REQUEST),
            _approval(NARROWED, state="approved", granted="{}", granted_rows=json.dumps([ROW])),
        ],
        "consents": [
            {
                "id": "sayso_co_1",
                "user_id": ANN,
                "client_id": BOT,
                "scopes": '["payments:read"]',
                "expires_at": NOON + 9_000_000,
            }
        ],
        "signing_keys": [{"kid": "k1", "alg": "ES256", "public_jwk": "{}", "sealed": b"s"}],
        "audit_entries": [{"id": "02", "leaf": b"2"}, {"id": "01", "leaf": b"1"}],
        "history": [{"owner": BOT, "key": "m", "count": 3}],
    }


@pytest.fixture
def upgraded_url(old: str) -> str:
    """A database of schema 0002 with rows, upgraded_url to the current one."""
    earlier_databases.make(old, "0002", _rows())
    assert upgrade_database(old, NOON) == "0002"
    assert upgrade_database(old, NOON) == SCHEMA
    return old


def test_a_decision_by_a_deputy_keeps_its_principal(old: str, open_database: Opener) -> None:
    """The upgrade stores the principal in the decision itself."""
    row = approval_row(REQUEST, BOT, ANN, NOON)
    deputy = Approver(REQUEST, BOB, "deputy", NOON, row.expires_at, row.risk, stands_for=ANN)
    vote = ("sayso_dv_1", "approve", None, None, "confirm", "terminal", "signed", NOON)
    answers = [asdict(Decision(REQUEST, who, *vote)) for who in (BOB, CLEO)]
    for answer in answers:
        del answer["stands_for"]
    rows: earlier_databases.Rows = {
        "users": [_user(who, who) for who in (ANN, BOB, CLEO)],
        "approvals": [_approval(REQUEST, quorum=3)],
        "approvers": [asdict(deputy)],
        "decisions": answers,
    }
    earlier_databases.make(old, "0001", rows)
    assert upgrade_database(old, NOON) == "0001"
    with open_database(old).read() as view:
        decisions = view.decisions.of_approval(REQUEST)
    assert {decision.user_id: decision.voter_id for decision in decisions} == {BOB: ANN, CLEO: CLEO}


def test_every_upgraded_row_is_readable(upgraded_url: str, open_database: Opener) -> None:
    """No rows are lost except history, which starts over."""
    with open_database(upgraded_url).read() as view:
        agent = view.agents.get(BOT)
        assert agent is not None
        assert (agent.named_at, agent.owners, len(agent.secrets)) == (NOON + 1, (ANN,), 1)
        session, code = view.sessions.get("s1"), view.codes.get("EA05")
        assert session is not None
        assert (session.resumes, session.device_id) == (False, "sayso_dv_1")
        assert code is not None
        device, passkey = view.devices.get("sayso_dv_1"), view.passkeys.get("sayso_dv_1")
        assert device is not None
        assert device.alarmed_at is None
        assert passkey is not None
        assert (passkey.signs, passkey.last_signed) == (7, None)
        consents = view.consents.of_user(ANN, NOON, ended=False)
        assert [consent.id for consent in consents] == ["sayso_co_1"]
        assert [key.kid for key in view.directory.signing_keys()] == ["k1"]
        assert not view.history.fetch([(BOT, "m")])
        installation = view.installation.row()
    assert len(bytes.fromhex(installation.epoch)) == 16
    assert (installation.created_at, installation.restored_at) == (NOON, None)


def test_upgraded_audit_entries_are_numbered(upgraded_url: str, open_database: Opener) -> None:
    """Old entries are numbered by id, which begins with the time. New entries follow."""
    store = open_database(upgraded_url)
    with store.write() as tx:
        tx.audit.add(Entry("type.new", "operator"))
    store.sequence()
    with store.read() as view:
        assert view.audit_log.leaves(0, 2) == [b"1", b"2"]
        assert view.audit_log.size() == 3


def test_upgraded_requests_are_readable(upgraded_url: str, open_database: Opener) -> None:
    """A narrowed grant gets the headline of the request."""
    with open_database(upgraded_url).read() as view:
        pending, narrowed = view.approvals.get(REQUEST), view.approvals.get(NARROWED)
    assert pending is not None
    assert (pending.hint_hash, differences_of(pending)) == (None, [])
    assert narrowed is not None
    assert granted_headline(narrowed) == "Read payments"
    assert [row.label for row in differences_of(narrowed)] == ["Amount"]


def test_the_oldest_of_similar_names_is_protected_after_an_upgrade(
    upgraded_url: str, open_database: Opener
) -> None:
    """The other agents keep their names, and can be changed and renamed."""
    store = open_database(upgraded_url)
    with store.read() as view:
        assert view.names.ids_with_name_like("client", name_keys("deployb0t")) == [BOT]
        assert view.names.ids_with_name_like("user", name_keys("ann")) == [ANN]
        assert view.names.ids_with_name_like("group", name_keys("0ps")) == ["sayso_gr_1"]
        assert view.names.ids_with_name_like("resource", name_keys("https://pay.example")) == [
            "https://pay.example"
        ]
        bearers = {name.bearer for name in view.names.unprotected()}
        assert bearers == {LATER, APP, CLEO, "https://Pay.examp1e"}
        later = view.agents.get(LATER)
    assert later is not None
    with store.administer() as tx:
        tx.agents.replace(replace(later, state="disabled"), NOON)
    with pytest.raises(Taken), store.administer() as tx:
        tx.agents.replace(replace(later, name="DEPLOY-BOT-"), NOON)
    with store.administer() as tx:
        tx.agents.replace(replace(later, name="releases"), NOON)
    with store.read() as view:
        assert view.names.ids_with_name_like("client", name_keys("releases")) == [LATER]


def test_names_are_found_ignoring_case_after_an_upgrade(
    upgraded_url: str, open_database: Opener
) -> None:
    """Look-alike letters no longer find a name."""
    with open_database(upgraded_url).read() as view:
        agent = view.agents.by_name("νοτα")
        assert agent is not None
        assert agent.id == "sayso_ag_greek"
        assert view.agents.by_name("nota") is None
        assert view.agents.by_name("deploy-bot") is not None


def test_an_upgrade_that_would_break_a_reference_changes_nothing(tmp_path: Path) -> None:
    """Foreign keys are off while tables are rebuilt, and are checked at the end."""
    url = f"sqlite:///{tmp_path / 'old.db'}"
    owner = {"agent_id": "sayso_ag_gone", "user_id": ANN, "since": NOON}
    earlier_databases.make(url, "0002", {"users": [_user(ANN, "ann")], "agent_owners": [owner]})
    with pytest.raises(SchemaMismatch, match="agent_owners refers to a missing row of agents"):
        open_store(url, MovableClock(), str, react, serving=False)
    with earlier_databases.connected(url) as connection:
        version = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    assert version == "0002"
