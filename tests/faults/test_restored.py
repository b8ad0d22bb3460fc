"""A restored backup: nothing that had ended comes back, and work continues."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from approver_tui.client.errors import ApiError, LoginFirst
from approver_tui.client.sign_in.tokens import Tokens, load
from approver_tui.client.standing_grants.standing_grants import StandingGrantsClient
from approver_tui.state.standing_grants.standing_grants import StandingGrantProposal, VaryingFact
from server.model.consents import Consent
from server.services.policy.action_types import ActionTypes
from tests.support.builders.clock import DAY, SECOND
from tests.support.builders.databases import upgraded_database
from tests.support.builders.installation import PAY, PAYMENT
from tests.support.checks.waiting import until
from tests.support.clients.agent import PAYMENT_DETAILS, Agent, new_agent
from tests.support.clients.terminal import Terminal, new_person, terminal
from tests.support.servers import forking
from tests.support.servers.postgres import PostgresServer
from tests.support.servers.server import BY, ROOT, AgentKey, LiveServer, live_server

_CHEAP = {
    **PAYMENT,
    "type": "payment.small",
    "risk": "low",
    "amount": "/amount",
    "target": "/payee",
}


@dataclass(slots=True)
class Scene:
    """The state at the moment of the backup, and what is used up after it."""

    server: LiveServer
    resource: AgentKey
    agent: Agent
    disabled: Agent
    ann: Terminal
    removed: Terminal
    code: tuple[str, str]
    consent: str
    grant: str
    approved: str
    paid: str
    before: Tokens


def _small(minor: int = 1_000) -> dict[str, str]:
    amount = {"minor": minor, "currency": "EUR"}
    details = [{"type": "payment.small", "amount": amount, "payee": "Nord"}]
    return {"scope": "openid", "authorization_details": json.dumps(details)}


def _sayso(server: LiveServer, *arguments: str) -> subprocess.CompletedProcess[str]:
    return forking.run(arguments, server.environment)


def _served(server: LiveServer) -> subprocess.CompletedProcess[str]:
    """`sayso serve` itself, which must refuse to start."""
    return subprocess.run(
        [sys.executable, "-m", "server", "serve", "--port", str(server.port)],
        cwd=ROOT,
        env=server.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _done(server: LiveServer, *arguments: str) -> dict[str, Any]:
    done = _sayso(server, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def _started_again(server: LiveServer) -> None:
    """A proof of the second in which the restore ran counts as one from before it."""
    server.clock.forward(SECOND)
    server.start()


def _close(server: LiveServer) -> None:
    """Closes the test's own connections to the database."""
    server.services.store.close()
    server._services = None


def _consent(server: LiveServer, user: str, agent_id: str) -> str:
    with server.services.store.write() as tx:
        found = tx.directory.user_called(user)
        assert found is not None
        day = 24 * 60 * 60 * 1000
        made = Consent(
            "sayso_co_drill",
            found.id,
            agent_id,
            None,
            PAY,
            ("payments:read",),
            tx.now,
            tx.now + 30 * day,
            None,
            None,
        )
        tx.consents.add(made)
    return made.id


def _given(person: Terminal, agent: Agent) -> str:
    agent.asked(person.user, **_small())
    proposal = StandingGrantProposal(
        person.only().id, 3_600, 3, "30", (VaryingFact("/amount", "20"),), notify=True
    )
    person.approve(StandingGrantsClient(person.client).request(proposal, person.only()))
    (grant,) = StandingGrantsClient(person.client).grants()
    return str(grant.id)


def _tokens(person: Terminal) -> Tokens:
    return load(person.client.session.tokens._vault)


def _scene(server: LiveServer) -> Scene:
    ActionTypes(server.services.store).add(json.dumps(_CHEAP), by=BY)
    given = server.resources.rotate_secret(PAY, by=BY)
    resource = AgentKey(given.resource.client_id, given.secret, PAY)
    agent, disabled, ann = new_agent(server), new_agent(server), new_person(server)
    removed = terminal(server, ann.user, _code(server, ann.user), name="old-phone")
    handle = agent.ask_payment(ann.user).json()["auth_req_id"]
    ann.approve(ann.only())
    paid = agent.poll(handle).json()["access_token"]
    approved = agent.asked(ann.user)
    ann.approve(ann.only())
    return Scene(
        server,
        resource,
        agent,
        disabled,
        ann,
        removed,
        server.user("carl"),
        _consent(server, ann.user, agent.key.id),
        _given(ann, agent),
        approved,
        paid,
        _tokens(ann),
    )


def _code(server: LiveServer, user: str) -> str:
    return str(_done(server, "users", "enroll", user)["enrollment_code"])


def _use_up(scene: Scene) -> None:
    """Changes made after the backup."""
    server, agent, ann = scene.server, scene.agent, scene.ann
    assert agent.poll(scene.approved).status_code == 200
    for _ in range(3):
        assert agent.poll(agent.asked(ann.user, **_small(500))).status_code == 200
    devices = {item["name"]: item["id"] for item in _done(server, "devices", "list")["items"]}
    _done(server, "devices", "revoke", devices["old-phone"])
    _done(server, "agents", "disable", scene.disabled.key.name)
    terminal(server, *scene.code)
    _done(server, "consents", "revoke", scene.consent)
    assert _consumed(scene, "INV-1").status_code == 200
    ann.client.session.tokens.replace_refused(scene.before.access_token)
    assert _tokens(ann) != scene.before


def _consumed(scene: Scene, execution: str) -> httpx.Response:
    body = {
        "token": scene.paid,
        "authorization_details": PAYMENT_DETAILS,
        "execution_id": execution,
    }
    return scene.agent.http.post("/api/approvals/consume", json=body, auth=scene.resource.basic)


def _active(scene: Scene) -> bool:
    answer = scene.agent.http.post(
        "/introspect", data={"token": scene.paid}, auth=scene.resource.basic
    )
    return bool(answer.json()["active"])


def _nothing_comes_back(scene: Scene) -> None:
    """Each thing that had ended before the restore is still ended."""
    server, agent, ann = scene.server, scene.agent, scene.ann
    assert agent.poll(scene.approved).json()["error"] == "invalid_grant"
    assert not _active(scene)
    assert _consumed(scene, "INV-2").json()["code"] == "token_inactive"
    with pytest.raises(LoginFirst):
        scene.removed.client.me()
    with pytest.raises(ApiError):
        scene.removed.client.session._renew(_tokens(scene.removed).refresh_token)
    with pytest.raises(ApiError):
        terminal(server, *scene.code, name="again")
    with pytest.raises(LoginFirst):
        ann.client.session._renew(scene.before.refresh_token)
    answer = scene.disabled.ask(ann.user)
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")
    assert _done(server, "consents", "list")["items"] == []
    assert {item["state"] for item in _done(server, "grants", "list")["items"]} <= {
        "ended",
        "spent",
    }


def _work_goes_on(scene: Scene) -> None:
    """Kept users sign in again, and a new request is asked, approved and paid."""
    agent, ann = scene.agent, scene.ann
    handle = agent.asked(ann.user, **_small(500))
    ann.approve(ann.only())  # no standing grant answered it
    assert agent.poll(handle).status_code == 200
    paid = agent.ask_payment(ann.user).json()["auth_req_id"]
    ann.approve(ann.only())
    assert agent.poll(paid).status_code == 200


def _laptop(scene: Scene) -> str:
    devices = _done(scene.server, "devices", "list", "--user", scene.ann.user)["items"]
    return next(str(device["id"]) for device in devices if device["name"] == "laptop")


def _enable(scene: Scene) -> None:
    """Enable what is legitimate: neither the removed phone nor the disabled agent."""
    _done(scene.server, "devices", "enable", _laptop(scene))
    _done(scene.server, "agents", "enable", scene.agent.key.name)


def _nothing_high_yet(scene: Scene) -> None:
    """A device that was enabled again may have been revoked after the backup: it waits."""
    assert scene.agent.ask_payment(scene.ann.user).is_success
    waiting = scene.ann.only()
    with pytest.raises(ApiError) as refused:
        scene.ann.approve(waiting)
    assert refused.value.code == "device_too_new"
    scene.ann.deny(waiting)


@dataclass(frozen=True, slots=True)
class Database:
    """A database of either kind, and how it is lost."""

    server: LiveServer
    postgres: PostgresServer | None

    def lose(self) -> None:
        """Replaces the database by an empty one; the key files are kept."""
        if self.postgres is None:
            for path in (self.server.folder / "data").glob("sayso.db*"):
                path.unlink()
        else:
            url = self.server.settings["database_url"].replace("+psycopg", "")
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("DROP SCHEMA public CASCADE")
                connection.execute("CREATE SCHEMA public")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A running server on each kind of database."""
    settings, postgres = {}, None
    if request.param == "postgresql":
        postgres = request.getfixturevalue("postgres_server")
        settings = {"database_url": upgraded_database(postgres)}
    with live_server(tmp_path, forked=True, **settings) as running:
        yield Database(running, postgres)


def test_restoring_over_the_existing_database_brings_nothing_back(database: Database) -> None:
    """Changes since the backup are read from it; everything else continues unasked."""
    server = database.server
    scene = _scene(server)
    file = server.folder / "monday.sayso"
    backup = _done(server, "db", "backup", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    assert [Path(key).name for key in backup["keys_apart"]] == ["master.key", "pin.key", "log.key"]
    _use_up(scene)
    running = _sayso(server, "db", "restore", str(file), "--force", "--json")
    assert (running.returncode, json.loads(running.stderr)["code"]) == (6, "in_use")
    server.stop()
    _close(server)
    unforced = _sayso(server, "db", "restore", str(file), "--json")
    assert (unforced.returncode, json.loads(unforced.stderr)["code"]) == (6, "conflict")
    output = _done(server, "db", "restore", str(file), "--force")
    assert output["compared"] is True
    assert output["held"] == {
        **dict.fromkeys(("users", "apps", "passwords", "deputies"), 0),
        **dict.fromkeys(("devices", "agents", "consents", "grants"), 1),
    }
    _started_again(server)
    _nothing_comes_back(scene)
    _work_goes_on(scene)
    entry = _done(server, "audit", "search", "--type", "installation.restored")["items"][0]
    assert entry["facts"]["requests"] >= 1


def test_restoring_without_the_old_database_holds_everything_until_it_is_enabled(
    database: Database,
) -> None:
    """Nobody knows what changed; `doctor` lists what waits, with one command each."""
    server = database.server
    scene = _scene(server)
    file = server.folder / "monday.sayso"
    _done(server, "db", "backup", str(file))
    _use_up(scene)
    server.stop()
    _close(server)
    database.lose()
    output = _done(server, "db", "restore", str(file))
    assert (output["compared"], output["held"]["devices"], output["held"]["agents"]) == (
        False,
        2,
        2,
    )
    _started_again(server)
    with pytest.raises(ApiError):
        scene.ann.client.me()
    assert scene.agent.ask(scene.ann.user).json()["error"] == "unauthorized_client"
    fixes = "\n".join(item["fix"] for item in _done(server, "doctor")["items"])
    assert f"Run: sayso agents enable {scene.agent.key.name}" in fixes
    assert f"Run: sayso devices enable {_laptop(scene)}" in fixes
    _enable(scene)
    _nothing_comes_back(scene)
    _nothing_high_yet(scene)
    server.clock.forward(DAY)
    _work_goes_on(scene)


def test_a_database_copied_back_by_hand_is_refused(tmp_path: Path) -> None:
    """It is older than the server last saw it; after a restore in place it can be used."""
    with live_server(tmp_path, forked=True) as server:
        scene = _scene(server)
        server.stop()
        _close(server)
        place = tmp_path / "data" / "sayso.db"
        kept = place.read_bytes()
        server.start()
        _use_up(scene)
        newest = _done(server, "audit", "tail", "-n", "1")["items"][0]["id"]
        until(lambda: (tmp_path / "data" / "last-seen").read_text().strip() >= newest, 30)
        server.stop()
        _close(server)
        place.write_bytes(kept)
        refused = _served(server)
        assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
        assert "Run: sayso db restore --in-place" in refused.stderr
        assert _sayso(server, "agents", "list").returncode == 1
        _done(server, "db", "restore", "--in-place")
        _started_again(server)
        _enable(scene)
        _nothing_comes_back(scene)
        _nothing_high_yet(scene)
        server.clock.forward(DAY)
        _work_goes_on(scene)
