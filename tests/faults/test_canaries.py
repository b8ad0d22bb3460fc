"""Every secret is used everywhere, and then everything that was written is searched for it.

This includes the files of the installation, its debug log, a backup, the exported audit log in each
format, the metrics, pages and error messages.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from approver_tui.client.jose import SigningKey
from server.services.users.users import UserChanges, Users
from tests.support.browsers.push_calls import PATH
from tests.support.browsers.web_person import new_web_person
from tests.support.clients.agent import new_agent
from tests.support.clients.terminal import PIN, new_person
from tests.support.fakes.push_service import PushService, push_service
from tests.support.inputs import handles
from tests.support.inputs.handle_endpoints import places
from tests.support.inputs.handles import World
from tests.support.servers import forking
from tests.support.servers.load import WITHOUT_LIMITS
from tests.support.servers.server import BY, LiveServer, live_server

_NOT_SECRET = {
    *("app", "agent", "resource", "approval", "device", "user", "group", "nothing"),
    *("consent", "standing grant", "deputy", "incident", "invitation", "push subscription"),
}
"""IDs and names, which may appear anywhere."""
_KEPT_AS_PROOF = {"decision", "statement"}
"""Signed statements, which are stored as they were signed."""
_SHOWN_SECRETS = {"user code"}
"""A new device's code is in the request in which its user compares it, and is then used up."""
_PAGES = ("/", "/devices", "/settings", "/agents", "/history", "/admin", "/admin/audit")
_NOTIFICATION_TOKEN = "canary-notification-token-4711"
_IDEMPOTENCY_KEY = "canary-idempotency-key-4711"
_USER_CODE = "canary-27-heron"
_WORDS = "Canary Wharf 7731"
_LOG = "server.log"

Starter = Callable[..., LiveServer]


@pytest.fixture
def service() -> Iterator[PushService]:
    """A push service for browsers."""
    with push_service() as running:
        yield running


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starter]:
    """Starts a server with a debug log, with or without planted faults."""
    with ExitStack() as running:

        def starter(*seeds: str, **more: str) -> LiveServer:
            # Without a fault it starts as in production, and everything that a start logs is read.
            planted = tuple(word for seed in seeds for word in ("--seed", seed))
            settings = {"log_level": "debug", **WITHOUT_LIMITS, **more}
            return running.enter_context(
                live_server(tmp_path, forked=bool(seeds), options=planted, **settings)
            )

        yield starter


def _canaries(world: World) -> Mapping[str, str]:
    """Returns every secret by its kind."""
    public = _NOT_SECRET | _KEPT_AS_PROOF | _SHOWN_SECRETS
    unused = handles._device_handles(world.server, world.http, SigningKey.generate())
    return {kind: text for kind, text in world.handles.items() if kind not in public} | {
        "PIN": PIN,
        "notification token": _NOTIFICATION_TOKEN,
        "idempotency key": _IDEMPOTENCY_KEY,
        "person's code": _USER_CODE,
        "unused user code": unused["user code"],
        "unused device code": unused["device code"],
    }


def _put_everywhere(world: World, wanted: Sequence[str]) -> list[str]:
    """Sends each secret to the named positions, or to all; returns the error messages.

    The last positions revoke what was issued, so a user's actions come first.
    """
    agent = new_agent(world.server, delivery="ping", notification_endpoint="http://127.0.0.1:9/x")
    parameters = {"client_notification_token": _NOTIFICATION_TOKEN, "binding_message": _WORDS}
    assert agent.ask(
        world.person.user, {"Idempotency-Key": _IDEMPOTENCY_KEY}, **parameters
    ).is_success
    world.person.decider.change_user_code(_USER_CODE, PIN)
    taking = new_agent(world.server, takes_user_code=True)
    assert taking.ask(world.person.user, user_code=_USER_CODE).is_success
    answers = [taking.ask(world.person.user, user_code=f"{_USER_CODE}!")]
    chosen = [call for name, call in places(world).items() if name in wanted or not wanted]
    answers += [call(text) for call in chosen for text in world.handles.values()]
    return [answer.text for answer in answers if answer.status_code >= httpx.codes.BAD_REQUEST]


def _browser_secrets(world: World, service: PushService) -> dict[str, str]:
    """Returns a browser's secrets: its cookie, and its push endpoint and key."""
    eva = new_web_person(world.server)
    subscription = service.mint(eva.http.get(PATH).json()["public_key"]).to_json()
    assert eva.http.post(PATH, json=subscription).is_success
    keys = subscription["keys"]
    return {
        "cookie": eva.cookie,
        "push address": subscription["endpoint"],
        "push key": keys["auth"],
    }


def _pages(world: World) -> dict[str, bytes]:
    """Returns the pages that a new administrator sees."""
    admin = new_web_person(world.server)
    services = world.server.services
    Users(services.store, services.secrets).update(admin.name, UserChanges(roles=("admin",)), by=BY)
    answers = {path: admin.http.get(path) for path in _PAGES}
    assert {page.status_code for page in answers.values()} == {200}
    return {path: page.content for path, page in answers.items()}


def _command(server: LiveServer, *words: str) -> bytes:
    result = forking.run(words, server.environment)
    assert result.returncode == 0, result.stderr
    return (result.stdout + result.stderr).encode()


def _export(server: LiveServer, name: str, *format_flag: str) -> bytes:
    """Returns the exported log in one of its formats."""
    file = server.folder / name
    _command(server, "audit", "export", str(file), *format_flag)
    exported = file.read_bytes()
    assert b"token.issued" in exported
    return exported


def _written(world: World) -> dict[str, bytes]:
    """Returns everything that the installation wrote or shows an operator, by kind."""
    server = world.server
    backup = server.folder / "backup.db"
    output = _command(server, "db", "backup", str(backup))
    keys = {".key"}
    files = [*(server.folder / "data").rglob("*"), backup, server.folder / _LOG]
    return {
        "what the backup said": output,
        "bundle": _export(server, "bundle"),
        "OCSF": _export(server, "ocsf", "--format", "ocsf"),
        "tail": _command(server, "audit", "tail", "-n", "1000", "--jsonl"),
        "metrics": world.http.get("/metrics").content,
        **{f.name: f.read_bytes() for f in files if f.is_file() and f.suffix not in keys},
    }


def _findings(canaries: Mapping[str, str], places: Mapping[str, bytes]) -> list[str]:
    """Lists which secret is found in which text."""
    return [
        f"{kind} in {place}"
        for place, text in places.items()
        for kind, canary in canaries.items()
        if canary.encode() in text
    ]


def _leaks(server: LiveServer, service: PushService, *wanted: str) -> list[str]:
    """Lists every secret that is found unencrypted anywhere."""
    person = new_person(server)
    world = handles.world(server, server.client(), person)
    canaries = {**_canaries(world), **_browser_secrets(world, service)}
    refusals = _put_everywhere(world, wanted)
    places = {**_written(world), **_pages(world), "refusals": "".join(refusals).encode()}
    assert len(canaries) > 25
    assert {"sayso.db", "backup.db", _LOG} <= set(places)
    words = {place: places[place] for place in (_LOG, "metrics", "refusals")}
    return _findings(canaries, places) + _findings({"an agent's words": _WORDS}, words)


def test_no_secret_is_stored_or_shown_unencrypted(start: Starter, service: PushService) -> None:
    """I18: an agent's text is shown only to its user, and not in logs or other operator output."""
    assert _leaks(start(push_origins=service.origin), service) == []


def test_the_search_detects_a_careless_log_line(start: Starter, service: PushService) -> None:
    """I18: the search finds a handle if the server logs what agents send."""
    server = start("bodies_in_the_log", push_origins=service.origin)
    leaks = _leaks(server, service, "auth_req_id")
    assert f"auth_req_id in {_LOG}" in leaks
