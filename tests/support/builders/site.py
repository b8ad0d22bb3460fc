"""A whole server inside the test: wired as in production, over real SQLite, without a socket.

Owns: sending requests as plain values, reading rows and tokens. The agents and people that send
them are in `callers.py`.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import select

from server import app, outward
from server.app import Services
from server.delivery.outbox import run_inline
from server.http import dispatch
from server.http.route import HttpRequest, Route
from server.http.site import Site
from server.model.approvals import Approval
from server.model.devices import Device
from server.services.clients.agents import Agents
from server.services.clients.apps import Apps
from server.services.operations.installation import Installation
from server.services.policy.action_types import ActionTypes
from server.services.resources.resources import Resources
from server.services.server_policy import ServerPolicy
from server.services.tokens.keys import SigningKeys
from server.services.users.users import Users
from server.settings import Settings
from server.storage.notifications.tables import outbox
from tests.support.builders.clock import MovableClock
from tests.support.builders.databases import place_database
from tests.support.builders.installation import LocalAdmin

ISSUER = "http://localhost:8470"
PEER = "192.0.2.7"
_Capability = TypeVar("_Capability")
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response from the server."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """Return the members of the JSON body."""
        members: dict[str, Any] = json.loads(self.body)
        return members

    @property
    def refusal(self) -> tuple[int, str]:
        """Return the status and the error code of a refusal, from `error` or `code`."""
        assert self.status >= 400, self.body
        return self.status, self.json.get("error") or self.json["code"]


@dataclass(frozen=True)
class LocalSite:
    """The server, its administration and its clock."""

    admin: LocalAdmin
    services: Services
    site: Site

    @cached_property
    def app(self) -> Flask:
        """Return the Flask app; made on first use, because it takes longer than most tests."""
        return app.create_app(self.site)

    @property
    def clock(self) -> MovableClock:
        """Return the server's clock, which the test moves."""
        return self.admin.clock

    @property
    def server_policy(self) -> ServerPolicy:
        """Return the settings that the services apply."""
        return self.services.server_policy

    def send(  # noqa: PLR0913  # the members of a request
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        proofs: Sequence[str] = (),
        body: bytes = b"",
        at: int | None = None,
    ) -> Answer:
        """Send one request to the dispatcher, as the HTTP adapters do."""
        route, params = self.route(method, path)
        request = HttpRequest(
            method=method,
            path=path,
            params=params,
            query=query or {},
            headers=headers or {},
            proofs=proofs,
            body=body,
            peer=PEER,
            at=self.clock.now() if at is None else at,
        )
        response = dispatch.answer(self.site, route, request)
        return Answer(response.status, response.headers, response.body)

    def post_form(
        self,
        path: str,
        form: Mapping[str, Any],
        headers: Mapping[str, str] | None = None,
        proofs: Sequence[str] = (),
    ) -> Answer:
        """Post a form; a list sends its parameter several times, None leaves it out."""
        parameters = {name: value for name, value in form.items() if value is not None}
        body = urlencode(parameters, doseq=True).encode()
        all_headers = {"content-type": FORM, **(headers or {})}
        return self.send("POST", path, headers=all_headers, proofs=proofs, body=body)

    def route(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """Return the route of this request and its path parameters."""
        for route in self.site.routes:
            pattern = re.sub(r"<(\w+)>", r"(?P<\1>[^/]+)", route.path)
            match = re.fullmatch(pattern, path)
            if match and route.method == method:
                return route, match.groupdict()
        raise LookupError(f"no route for {method} {path}")

    def stored_approval(self, approval_id: str) -> Approval:
        """Return the stored approval."""
        with self.services.store.read() as view:
            row = view.approvals.get(approval_id)
        assert row is not None
        return row

    def device(self, device_id: str) -> Device:
        """Return the stored device."""
        with self.services.store.read() as view:
            row = view.devices.get(device_id)
        assert row is not None
        return row

    def approval_for(self, handle: str) -> Approval:
        """Return the stored approval with this `auth_req_id`."""
        with self.services.store.read() as view:
            row = view.approvals.by_handle(hashlib.sha256(handle.encode()).digest())
        assert row is not None
        return row

    def messages(self) -> list[dict[str, Any]]:
        """Return the queued webhook messages."""
        rows = select(outbox.c.body).where(outbox.c.channel == "webhook").order_by(outbox.c.id)
        with self.services.store.read() as view:
            return [json.loads(body) for body in view._connection.execute(rows).scalars()]

    def deliver(self) -> int:
        """Deliver all outbox messages now; return how many were handled."""
        worker = app.outbox_worker(self.services, run_inline)
        return sum(iter(worker.round, 0))

    def claims(self, token: str, typ: str = "at+jwt") -> Mapping[str, Any]:
        """Return the claims of a token that this server signed."""
        with self.services.store.read() as view:
            keys = view.directory.signing_keys()
        return self.services.verifier.own_token(token, typ, keys)


def altered(services: _Capability, **members: Any) -> _Capability:
    """Return a copy of these services with some of them replaced."""
    copied = copy(services)
    vars(copied).update(members)
    return copied


def open_site(folder: Path, **settings: Any) -> LocalSite:
    """Open a server on this folder; it hashes passwords with the lowest cost."""
    clock = MovableClock()
    all_settings: dict[str, Any] = {"data_dir": folder, "issuer": ISSUER, **settings}
    if "database_url" not in settings:
        place_database(folder / "sayso.db", clock.now())
    services = app.build(Settings(**all_settings), clock)
    services.passwords._argon2 = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    return LocalSite(admin_over(services, clock), services, app.create_site(services))


def admin_over(services: Services, clock: MovableClock) -> LocalAdmin:
    """Return the administrative services of an open installation."""
    store, secrets, signer = services.store, services.secrets, services.signer
    return LocalAdmin(
        clock=clock,
        store=store,
        secrets=secrets,
        users=Users(store, secrets),
        agents=Agents(store, secrets, partial(outward.endpoint_problem, services.settings)),
        apps=Apps(store, secrets),
        resources=Resources(store, secrets, services.server_policy.issuer),
        actions=ActionTypes(store),
        keys=SigningKeys(store, signer, services.server_policy),
        installation=Installation(store, secrets, signer),
    )
