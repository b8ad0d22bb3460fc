"""Answers to generated requests match the OpenAPI document.

Schemathesis makes requests from the schemas and checks the answers against them. The tests add what
no schema says: the caller and the IDs of existing objects. The seed is fixed.
"""

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from requests.auth import _basic_auth_str
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup
from schemathesis.core.parameters import ParameterLocation
from schemathesis.schemas import BaseSchema

from server.http.route import Caller, Route
from server.http.routes import ROUTES
from server.protocol.names import GRANT_TOKEN_EXCHANGE
from server.protocol.tokens.token_exchange import ACCESS_TOKEN
from server.services.clients.app_forms import NewApp
from server.services.clients.apps import Apps
from server.services.clients.invitations import Invitations, NewInvitation
from server.services.users.users import UserChanges, Users
from tests.support.browsers.browser import CALLBACK, request_of
from tests.support.builders.clock import DAY
from tests.support.builders.installation import BY, PAY
from tests.support.clients.agent import CIBA, PAYMENT_DETAILS, Agent
from tests.support.clients.terminal import Terminal, new_person, terminal
from tests.support.inputs.random_cases import cases
from tests.support.inputs.raw_api import RawApi
from tests.support.servers.server import LiveServer

load_all_checks()
_SEED = 20_261_125
_EXAMPLES = cases(2)
_MEANING = ("positive_data_acceptance", "missing_required_header")
"""Checks for which a schema would have to know what exists and what has happened before."""
_SKIPPED = [CHECKS.get_one(name) for name in _MEANING]
_FAULTS = [CHECKS.get_one("not_a_server_error")]
_UNAVAILABLE = 503
_TOO_LONG = 413
_REFUSALS = [CHECKS.get_one("negative_data_rejection")]
"""Schemathesis does not list 413, the status for a body that is too long, as a refusal."""
_SILENT = {"client_id", "client_secret", "client_assertion", "client_assertion_type"}
_ROUTES = {route.name: route for route in ROUTES}

_BODIES = {"/api/devices/self/pin": {"x": ["A" * 43], "for": ["session"]}}

Good = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class World:
    """The callers and the objects that exist."""

    server: LiveServer
    session: requests.Session
    described: BaseSchema
    agent: Agent
    person: Terminal
    resource: tuple[str, str]
    app: tuple[str, str]
    ids: tuple[str, ...]
    good: Mapping[str, Good]

    def send(self, route: Route, case: Case, *, known: bool) -> requests.Response:
        """Sends a request, as a permitted caller of this route if the caller is known."""
        headers: dict[str, str] = {}
        if route.caller is Caller.CLIENT and known:
            headers["Authorization"] = self._client(route)
        if route.caller is Caller.RESOURCE and known:
            headers["Authorization"] = _basic_auth_str(*self.resource)
        if route.caller is Caller.PERSON and known:
            raw = RawApi(self.person, self.agent.http)
            headers["Authorization"] = f"DPoP {raw.token}"
            headers["DPoP"] = raw.proof(raw.claims(case.method, case.formatted_path))
        return case.call(base_url=self.server.url, session=self.session, headers=headers)

    def _client(self, route: Route) -> str:
        """Returns the credentials of a client for this route."""
        if route.path.startswith("/register"):
            with self.server.services.store.write() as tx:
                tx.counters.prune(
                    tx.now + DAY
                )  # the wrong tokens of this test must not lock it out
            invitations = Invitations(self.server.services.store, self.server.services.secrets)
            ceiling = NewInvitation(self.person.user, resources=(PAY,), scopes=("payments:read",))
            return f"Bearer {invitations.issue(ceiling, by=BY).token}"
        return _basic_auth_str(*(self.app if route.path == "/par" else self.agent.key.basic))


@pytest.fixture(scope="module")
def world(server: LiveServer) -> Iterator[World]:
    """A server with an agent that has sent a request to a user."""
    with server.client() as http, requests.Session() as session:
        session.trust_env = False
        agent, person = Agent(server.agent(), http), new_person(server)
        handle = agent.request_approval(person.user)
        _users(server).update(person.user, UserChanges(roles=("admin",)), by=BY)
        document = http.get("/api/openapi.json").json()
        yield World(
            server=server,
            session=session,
            described=schemathesis.openapi.from_dict(document),
            agent=agent,
            person=person,
            resource=_resource(server),
            app=_app(server),
            ids=(person.only_request().id, _another_device(server, person)),
            good=_valid_forms(person.user, handle, _own_token(agent)) | _BODIES,
        )
        person.client.close()


def _users(server: LiveServer) -> Users:
    return Users(server.services.store, server.services.secrets)


def _another_device(server: LiveServer, person: Terminal) -> str:
    """Enrolls a device that may be revoked, and returns its ID."""
    _, issued = _users(server).enroll(person.user, by=BY)
    other = terminal(server, person.user, issued.code, name="desktop")
    other.client.close()
    return other.client.profile.device_id


def _resource(server: LiveServer) -> tuple[str, str]:
    """Returns the credentials of the payment API."""
    rotated = server.resources.rotate_secret(PAY, by=BY)
    return rotated.resource.client_id, rotated.secret


def _app(server: LiveServer) -> tuple[str, str]:
    """Adds an app with access to the payment API and returns its credentials."""
    new = NewApp("pushing", (CALLBACK,), resources=(PAY,), scopes=("payments:read",))
    added = Apps(server.services.store, server.services.secrets).add(new, by=BY)
    return added.app.id, added.secret or ""


def _own_token(agent: Agent) -> str:
    """Returns a token of the agent for the payment API."""
    form = {"grant_type": "client_credentials", "scope": "payments:read"}
    answer = agent.http.post("/token", data=form, auth=agent.key.basic)
    access_token: str = answer.json()["access_token"]
    return access_token


def _valid_forms(user: str, handle: str, access_token: str) -> Mapping[str, Good]:
    """Returns parameters that are valid, for each endpoint."""
    request = {
        "scope": ["openid payments:read", "openid payments:transfer"],
        "login_hint": [user],
        "resource": [PAY],
        "authorization_details": [json.dumps(PAYMENT_DETAILS)],
        "binding_message": ["INV-2291 is due"],
        "requested_expiry": ["60"],
    }
    token = {
        "grant_type": [CIBA, "client_credentials", "refresh_token", GRANT_TOKEN_EXCHANGE],
        "subject_token": [access_token],
        "subject_token_type": [ACCESS_TOKEN],
        "auth_req_id": [handle],
        "scope": ["payments:read"],
        "resource": [PAY],
    }
    about = {"token": [access_token, handle]}
    pushed = {name: [value] for name, value in request_of("").items() if name != "client_id"}
    pushed |= {"scope": ["openid payments:read"], "resource": [PAY]}
    consume = {"token": [access_token], "authorization_details": [PAYMENT_DETAILS]}
    return {
        "/bc-authorize": request,
        "/token": token,
        "/par": pushed,
        "/introspect": about,
        "/revoke": about,
        "/api/approvals/consume": consume,
        "/api/approvals/outcome": {"outcome": ["executed"], "executed_digest": [None]},
    }


def _modes() -> list[tuple[str, GenerationMode]]:
    """Lists every route with valid input, and with invalid input if its schema can be violated."""
    takes = {r.name for r in ROUTES if r.body or r.form or r.query or "<" in r.path}
    good = [(name, GenerationMode.POSITIVE) for name in _ROUTES]
    return [*good, *((name, GenerationMode.NEGATIVE) for name in _ROUTES if name in takes)]


@pytest.mark.parametrize(("name", "mode"), _modes(), ids=lambda part: getattr(part, "value", part))
def test_every_answer_is_documented(world: World, name: str, mode: GenerationMode) -> None:
    """Status, media type and schema are documented, and invalid input is never a 500."""
    _check_route(world, world.described, name, mode)


def test_an_undocumented_answer_is_detected(world: World) -> None:
    """The check fails if the document omits a refusal or promises a different body."""
    document = world.described.raw_schema
    silent, other = copy.deepcopy(document), copy.deepcopy(document)
    del silent["paths"]["/api/me"]["get"]["responses"]["401"]
    schema = {"type": "object", "required": ["secrets"]}
    content = {"application/json": {"schema": schema}}
    other["paths"]["/jwks"]["get"]["responses"]["200"]["content"] = content
    for lie, name in ((silent, "GET /api/me"), (other, "GET /jwks")):
        described = schemathesis.openapi.from_dict(lie)
        with pytest.raises(FailureGroup):
            _check_route(world, described, name, GenerationMode.POSITIVE)


def _check_route(world: World, described: BaseSchema, name: str, mode: GenerationMode) -> None:
    route = _ROUTES[name]
    path = route.path.replace("<", "{").replace(">", "}")
    cases = described[path][route.method].as_strategy(generation_mode=mode)

    @seed(_SEED)
    @settings(
        max_examples=_EXAMPLES,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, chance=st.data())
    def check_answer(case: Case, chance: st.DataObject) -> None:
        is_authenticated = chance.draw(st.integers(0, 3)) > 0 and not _has_broken_headers(case)
        if mode is GenerationMode.POSITIVE:
            _use_valid_values(case, chance, world)
        answer = world.send(route, case, known=is_authenticated)
        later = answer.status_code == _UNAVAILABLE and "retry-after" in {
            *map(str.lower, answer.headers)
        }
        excused = [*(_FAULTS if later else ())]
        excused += _REFUSALS if answer.status_code == _TOO_LONG else ()
        case.validate_response(answer, excluded_checks=[*_SKIPPED, *excused])

    check_answer()


def _has_broken_headers(case: Case) -> bool:
    """Returns whether the headers were broken on purpose and must stay so."""
    broken = case.meta.components.get(ParameterLocation.HEADER) if case.meta else None
    return broken is not None and broken.mode is GenerationMode.NEGATIVE


def _use_valid_values(case: Case, chance: st.DataObject, world: World) -> None:
    """Replaces some generated values with valid ones."""
    if case.path_parameters and chance.draw(st.booleans()):
        case.path_parameters["id"] = chance.draw(st.sampled_from(world.ids))
    valid = world.good.get(case.path, {})
    if valid and isinstance(case.body, dict):
        generated = {name: value for name, value in case.body.items() if name not in _SILENT}
        chosen = chance.draw(st.sets(st.sampled_from(sorted(valid)), min_size=1))
        case.body = generated | {name: chance.draw(st.sampled_from(valid[name])) for name in chosen}
