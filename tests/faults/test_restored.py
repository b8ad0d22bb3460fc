"""A restored backup: nothing that was revoked or consumed comes back, and work continues."""

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

_CHEAP_PINS = {
    **PAYMENT,
    "type": "payment.small",
    "risk": "low",
    "amount": "/amount",
    "target": "/payee",
}


@dataclass(slots=True)
class Scene:
    """The state at the moment of the backup, and the objects that are used up later."""

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


def _run_serve(server: LiveServer) -> subprocess.CompletedProcess[str]:
    """Runs `sayso serve` itself, which must refuse to start."""
    return subprocess.run(
        [sys.executable, "-m", "server", "serve", "--port", str(server.port)],
        cwd=ROOT,
        env=server.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _run_json(server: LiveServer, *arguments: str) -> dict[str, Any]:
    result = _sayso(server, *arguments, "--json")
    assert result.returncode == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def _start_again(server: LiveServer) -> None:
    """Starts the server a second later: proofs of the restore's own second are refused."""
    server.clock.forward(SECOND)
    server.start()


def _close(server: LiveServer) -> None:
    """Closes the test's own connections to the database."""
    server.services.store.close()
    server._services = None


def _add_consent(server: LiveServer, user: str, agent_id: str) -> str:
    with server.services.store.write() as tx:
        row = tx.directory.find_user(user)
        assert row is not None
        day = 24 * 60 * 60 * 1000
        consent = Consent(
            "sayso_co_drill",
            row.id,
            agent_id,
            None,
            PAY,
            ("payments:read",),
            tx.now,
            tx.now + 30 * day,
            None,
            None,
        )
        tx.consents.add(consent)
    return consent.id


def _create_grant(person: Terminal, agent: Agent) -> str:
    agent.request_approval(person.user, **_small())
    proposal = StandingGrantProposal(
        person.only_request().id, 3_600, 3, "30", (VaryingFact("/amount", "20"),), notify=True
    )
    person.approve(StandingGrantsClient(person.client).request(proposal, person.only_request()))
    (grant,) = StandingGrantsClient(person.client).grants()
    return str(grant.id)


def _tokens(person: Terminal) -> Tokens:
    return load(person.client.session.tokens._vault)


def _prepare_scene(server: LiveServer) -> Scene:
    ActionTypes(server.services.store).add(json.dumps(_CHEAP_PINS), by=BY)
    rotated = server.resources.rotate_secret(PAY, by=BY)
    resource = AgentKey(rotated.resource.client_id, rotated.secret, PAY)
    agent, disabled, ann = new_agent(server), new_agent(server), new_person(server)
    removed = terminal(server, ann.user, _code(server, ann.user), name="old-phone")
    handle = agent.ask_payment(ann.user).json()["auth_req_id"]
    ann.approve(ann.only_request())
    paid = agent.poll(handle).json()["access_token"]
    approved = agent.request_approval(ann.user)
    ann.approve(ann.only_request())
    return Scene(
        server,
        resource,
        agent,
        disabled,
        ann,
        removed,
        server.user("carl"),
        _add_consent(server, ann.user, agent.key.id),
        _create_grant(ann, agent),
        approved,
        paid,
        _tokens(ann),
    )


def _code(server: LiveServer, user: str) -> str:
    return str(_run_json(server, "users", "enroll", user)["enrollment_code"])


def _use_up(scene: Scene) -> None:
    """Makes the changes that the backup does not contain."""
    server, agent, ann = scene.server, scene.agent, scene.ann
    assert agent.poll(scene.approved).status_code == 200
    for _ in range(3):
        assert agent.poll(agent.request_approval(ann.user, **_small(500))).status_code == 200
    devices = {item["name"]: item["id"] for item in _run_json(server, "devices", "list")["items"]}
    _run_json(server, "devices", "revoke", devices["old-phone"])
    _run_json(server, "agents", "disable", scene.disabled.key.name)
    terminal(server, *scene.code)
    _run_json(server, "consents", "revoke", scene.consent)
    assert _consume(scene, "INV-1").status_code == 200
    ann.client.session.tokens.replace_refused(scene.before.access_token)
    assert _tokens(ann) != scene.before


def _consume(scene: Scene, execution: str) -> httpx.Response:
    body = {
        "token": scene.paid,
        "authorization_details": PAYMENT_DETAILS,
        "execution_id": execution,
    }
    return scene.agent.http.post("/api/approvals/consume", json=body, auth=scene.resource.basic)


def _is_active(scene: Scene) -> bool:
    answer = scene.agent.http.post(
        "/introspect", data={"token": scene.paid}, auth=scene.resource.basic
    )
    return bool(answer.json()["active"])


def _check_nothing_comes_back(scene: Scene) -> None:
    """Checks that everything that was revoked or used before the restore still is."""
    server, agent, ann = scene.server, scene.agent, scene.ann
    assert agent.poll(scene.approved).json()["error"] == "invalid_grant"
    assert not _is_active(scene)
    assert _consume(scene, "INV-2").json()["code"] == "token_inactive"
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
    assert _run_json(server, "consents", "list")["items"] == []
    assert {item["state"] for item in _run_json(server, "grants", "list")["items"]} <= {
        "ended",
        "spent",
    }


def _check_work_continues(scene: Scene) -> None:
    """Checks that the user can approve, and that a payment gets its token."""
    agent, ann = scene.agent, scene.ann
    handle = agent.request_approval(ann.user, **_small(500))
    ann.approve(ann.only_request())  # no standing grant answered it
    assert agent.poll(handle).status_code == 200
    paid = agent.ask_payment(ann.user).json()["auth_req_id"]
    ann.approve(ann.only_request())
    assert agent.poll(paid).status_code == 200


def _laptop(scene: Scene) -> str:
    devices = _run_json(scene.server, "devices", "list", "--user", scene.ann.user)["items"]
    return next(str(device["id"]) for device in devices if device["name"] == "laptop")


def _enable(scene: Scene) -> None:
    """Enables all legitimate objects, but neither the removed phone nor the disabled agent."""
    _run_json(scene.server, "devices", "enable", _laptop(scene))
    _run_json(scene.server, "agents", "enable", scene.agent.key.name)


def _check_no_high_risk_yet(scene: Scene) -> None:
    """Checks that the enabled device waits: it may have been revoked after the backup."""
    assert scene.agent.ask_payment(scene.ann.user).is_success
    pending = scene.ann.only_request()
    with pytest.raises(ApiError) as refused:
        scene.ann.approve(pending)
    assert refused.value.code == "device_too_new"
    scene.ann.deny(pending)


@dataclass(frozen=True, slots=True)
class Database:
    """A database of either kind, which can be lost."""

    server: LiveServer
    postgres: PostgresServer | None

    def lose(self) -> None:
        """Replaces the database by an empty one. The key files are kept."""
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
    """A running server, on each kind of database."""
    settings, postgres = {}, None
    if request.param == "postgresql":
        postgres = request.getfixturevalue("postgres_server")
        settings = {"database_url": upgraded_database(postgres)}
    with live_server(tmp_path, forked=True, **settings) as running:
        yield Database(running, postgres)


def test_restoring_over_the_existing_database_brings_nothing_back(database: Database) -> None:
    """Later changes are read from the existing database, and everything else continues."""
    server = database.server
    scene = _prepare_scene(server)
    file = server.folder / "monday.sayso"
    backup = _run_json(server, "db", "backup", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    assert [Path(key).name for key in backup["keys_apart"]] == ["master.key", "pin.key", "log.key"]
    _use_up(scene)
    running = _sayso(server, "db", "restore", str(file), "--force", "--json")
    assert (running.returncode, json.loads(running.stderr)["code"]) == (6, "in_use")
    server.stop()
    _close(server)
    unforced = _sayso(server, "db", "restore", str(file), "--json")
    assert (unforced.returncode, json.loads(unforced.stderr)["code"]) == (6, "conflict")
    output = _run_json(server, "db", "restore", str(file), "--force")
    assert output["compared"] is True
    assert output["held"] == {
        **dict.fromkeys(("users", "apps", "passwords", "deputies"), 0),
        **dict.fromkeys(("devices", "agents", "consents", "grants"), 1),
    }
    _start_again(server)
    _check_nothing_comes_back(scene)
    _check_work_continues(scene)
    entry = _run_json(server, "audit", "search", "--type", "installation.restored")["items"][0]
    assert entry["facts"]["requests"] >= 1


def test_restoring_without_the_old_database_holds_everything_until_it_is_enabled(
    database: Database,
) -> None:
    """Nobody knows what changed later, so `sayso doctor` lists the commands that enable things."""
    server = database.server
    scene = _prepare_scene(server)
    file = server.folder / "monday.sayso"
    _run_json(server, "db", "backup", str(file))
    _use_up(scene)
    server.stop()
    _close(server)
    database.lose()
    output = _run_json(server, "db", "restore", str(file))
    assert (output["compared"], output["held"]["devices"], output["held"]["agents"]) == (
        False,
        2,
        2,
    )
    _start_again(server)
    with pytest.raises(ApiError):
        scene.ann.client.me()
    assert scene.agent.ask(scene.ann.user).json()["error"] == "unauthorized_client"
    fixes = "\n".join(item["fix"] for item in _run_json(server, "doctor")["items"])
    assert f"Run: sayso agents enable {scene.agent.key.name}" in fixes
    assert f"Run: sayso devices enable {_laptop(scene)}" in fixes
    _enable(scene)
    _check_nothing_comes_back(scene)
    _check_no_high_risk_yet(scene)
    server.clock.forward(DAY)
    _check_work_continues(scene)


def test_a_database_copied_back_by_hand_is_refused(tmp_path: Path) -> None:
    """The server has seen a newer database. After a restore in place, the copy can be used."""
    with live_server(tmp_path, forked=True) as server:
        scene = _prepare_scene(server)
        server.stop()
        _close(server)
        file = tmp_path / "data" / "sayso.db"
        copy = file.read_bytes()
        server.start()
        _use_up(scene)
        newest = _run_json(server, "audit", "tail", "-n", "1")["items"][0]["id"]
        until(lambda: (tmp_path / "data" / "last-seen").read_text().strip() >= newest, 30)
        server.stop()
        _close(server)
        file.write_bytes(copy)
        refused = _run_serve(server)
        assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
        assert "Run: sayso db restore --in-place" in refused.stderr
        assert _sayso(server, "agents", "list").returncode == 1
        _run_json(server, "db", "restore", "--in-place")
        _start_again(server)
        _enable(scene)
        _check_nothing_comes_back(scene)
        _check_no_high_risk_yet(scene)
        server.clock.forward(DAY)
        _check_work_continues(scene)
