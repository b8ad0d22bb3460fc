"""RFC 8693 over real HTTP: refusals with their errors, and the issued tokens."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import jwt
import pytest

from server.protocol.names import GRANT_CIBA, GRANT_CLIENT_CREDENTIALS
from server.protocol.policy.risks import Risk
from server.protocol.tokens.token_exchange import ACCESS_TOKEN
from server.services.clients.agents import Agents
from server.services.users.users import Users
from tests.support.builders.installation import PAY
from tests.support.builders.token_chains import APP, BANK, DESK, LiveChains, signed
from tests.support.checks.refusals import assert_unchanged, check_refusal
from tests.support.clients.agent import Agent
from tests.support.clients.terminal import Terminal
from tests.support.inputs.dpop_proofs import proof, thumbprint
from tests.support.inputs.handmade_jwts import hmac_jwt, make_jwt, new_key
from tests.support.servers.server import BY, AgentKey, LiveServer

_TYPE = "urn:ietf:params:oauth:token-type:"
_ACTOR = {"actor_token_type": ACCESS_TOKEN}


@pytest.fixture(scope="module")
def chains(server: LiveServer, http: httpx.Client, person: Terminal) -> LiveChains:
    """Token chains that begin with a user of a chat app, and two resources."""
    chains = LiveChains(server, http, person.client.profile.user_id)
    chains.prepare()
    return chains


@pytest.fixture
def bot(chains: LiveChains) -> AgentKey:
    """An agent that serves the support desk, with consent to read and write at the bank."""
    agent = chains.agent()
    chains.consent(agent, "bank:read", "bank:write")
    return agent


_MALFORMED: dict[str, tuple[dict[str, Any], str]] = {
    "TX-002": ({"subject_token": None}, "invalid_request"),
    "TX-002-empty": ({"subject_token": ""}, "invalid_request"),
    "TX-003": ({"subject_token_type": None}, "invalid_request"),
    "TX-004": ({"subject_token_type": "urn:example:unknown"}, "invalid_request"),
    "TX-004-saml": ({"subject_token_type": f"{_TYPE}saml2"}, "invalid_request"),
    "TX-005": ({"actor_token": "x.y.z"}, "invalid_request"),
    "TX-006": (_ACTOR, "invalid_request"),
    "TX-007": ({"requested_token_type": f"{_TYPE}refresh_token"}, "invalid_request"),
    "TX-009": ({"resource": "bank"}, "invalid_target"),
    "TX-010": ({"resource": f"{BANK}#x"}, "invalid_target"),
    "TX-011": ({"resource": "https://unknown.example"}, "invalid_target"),
    "TX-011-audience": ({"resource": None, "audience": PAY}, "invalid_target"),
    "TX-012": ({"resource": [BANK, DESK]}, "invalid_target"),
    "TX-012-both": ({"audience": DESK}, "invalid_target"),
    "TX-013": ({"resource": [BANK] * 50}, "invalid_target"),
    "TX-014": ({"scope": "desk:use"}, "invalid_scope"),
    "TX-015": ({"subject_token": ["a", "a"]}, "invalid_request"),
    "TX-016": ({"subject_token": "x" * 5_000}, "invalid_request"),
    "TX-016-50kB": ({"subject_token": "x" * 50_000}, "invalid_request"),
    "TX-050": ({"scope": "admin"}, "invalid_scope"),
    "TX-054": ({"scope": "bank:read offline_access"}, "invalid_scope"),
    "TX-080": ({"scope": "bank:read", "subject_token": "xyzzyplugh"}, "invalid_request"),
    "TX-084": ({"scope": None}, "invalid_scope"),
    "TX-085": ({"resource": "https://api.example"}, "invalid_target"),
    "TX-087": (
        {"authorization_details": json.dumps([{"type": "unknown"}])},
        "invalid_authorization_details",
    ),
}


@pytest.mark.parametrize("line", _MALFORMED)
def test_a_malformed_exchange_is_refused(
    server: LiveServer, chains: LiveChains, bot: AgentKey, line: str
) -> None:
    """Each case breaks one line of the specification, and no token is issued."""
    parameters, error = _MALFORMED[line]
    token = chains.user_token()
    with assert_unchanged(server):
        answer = chains.exchange(bot, token, **parameters)
    check_refusal(answer, 400, error)


def test_an_exchange_of_a_megabyte_is_refused(
    server: LiveServer, chains: LiveChains, bot: AgentKey
) -> None:
    """TX-016, NG-041: the request is refused as too large, and no other grant answers it."""
    with assert_unchanged(server):
        answer = chains.exchange(bot, "x" * 1_000_000, scope="bank:read")
    assert answer.status_code in {400, 413}
    assert "access_token" not in answer.text


def test_without_a_requested_type_an_access_token_is_issued(
    chains: LiveChains, bot: AgentKey
) -> None:
    """TX-008, TX-060 to TX-064: the answer states what was issued."""
    answer = chains.exchange(bot, chains.user_token(), scope="bank:read bank:close")
    body = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert body.keys() == {
        "access_token",
        "issued_token_type",
        "token_type",
        "expires_in",
        "scope",
        "narrowed",
    }
    assert (body["issued_token_type"], body["token_type"]) == (ACCESS_TOKEN, "Bearer")
    assert (body["scope"], body["narrowed"]) == ("bank:read", True)
    claims = chains.claims(body["access_token"])
    assert jwt.get_unverified_header(body["access_token"])["typ"] == "at+jwt"
    assert claims["exp"] - claims["iat"] == body["expires_in"]


def test_the_exchange_grant_needs_registration_and_authentication(
    server: LiveServer, chains: LiveChains, bot: AgentKey
) -> None:
    """TX-001, TX-017, TX-081, TX-082: the agent needs the grant and its secret."""
    without = chains.agent(grant_types=(GRANT_CIBA, GRANT_CLIENT_CREDENTIALS))
    token = chains.user_token()
    with assert_unchanged(server):
        check_refusal(chains.exchange(without, token), 400, "unauthorized_client")
        wrong = chains.exchange(replace(bot, secret="wrong"), token)
        check = {"client_id": bot.id, "subject_token": token, "subject_token_type": ACCESS_TOKEN}
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", **check}
        public = chains.http.post("/token", data=form)
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    assert (public.status_code, public.json()["error"]) == (401, "invalid_client")


def _forgeries(chains: LiveChains, row: Any) -> Iterator[tuple[str, str]]:
    """Yields forged subject tokens with their names."""
    services = chains.server.services
    good = {
        "iss": chains.server.url,
        "sub": row.user_id,
        "aud": DESK,
        "client_id": APP,
        "jti": row.id,
        "iat": row.issued_at // 1000,
        "exp": row.expires_at // 1000,
    }
    (public,) = (k for k in chains.http.get("/jwks").json()["keys"] if k["alg"] == "ES256")
    key = new_key("ES256", public["kid"])
    yield "bad signature", key.sign(good, typ="at+jwt")
    yield "alg none", make_jwt({"alg": "none", "typ": "at+jwt", "kid": public["kid"]}, good)
    header = {"alg": "HS256", "typ": "at+jwt", "kid": public["kid"]}
    yield "HS256", hmac_jwt(header, good, json.dumps(public).encode())
    yield "unknown kid", new_key("ES256", "unknown").sign(good, typ="at+jwt")
    yield "wrong iss", signed(services, row, {"iss": "https://other.example"})
    yield "expired", signed(services, row, {"exp": 1})
    yield "missing sub", signed(services, row, {"sub": None})
    yield "another sub", signed(services, row, {"sub": "sayso_us_other"})
    yield "typ JWT", signed(services, row, typ="JWT")
    yield "client assertion", new_key("ES256").sign(good)
    yield "nobody's id", row.user_id
    yield "refresh token", "sayso_rt_abcdefgh"


def test_every_forged_subject_token_gets_the_same_error(
    server: LiveServer, chains: LiveChains, bot: AgentKey
) -> None:
    """The error does not tell what is wrong with the token.

    TX-020 to TX-027, TX-029, TX-031, TX-040, TX-088, NG-051.
    """
    row = chains.row(chains.user_token())
    descriptions = set()
    for what, token in _forgeries(chains, row):
        with assert_unchanged(server):
            answer = chains.exchange(bot, token)
        descriptions.add(check_refusal(answer, 400, "invalid_request")["error_description"])
        assert chains.reasons(bot)[0] == "subject_invalid", what
    assert len(descriptions) == 1


def test_a_token_that_is_not_valid_yet_is_refused(chains: LiveChains, bot: AgentKey) -> None:
    """TX-027: our tokens have no nbf, but an nbf that is present is checked."""
    row = chains.row(chains.user_token())
    later = chains.server.clock.now() // 1000 + 600
    token = signed(chains.server.services, row, {"nbf": later})
    check_refusal(chains.exchange(bot, token), 400, "invalid_request")


def test_an_id_token_is_not_an_access_token(
    chains: LiveChains, bot: AgentKey, agent: Agent, person: Terminal
) -> None:
    """TX-031, TX-032, NG-052: a token of a different kind, or named as one, is refused."""
    handle = agent.request_approval(person.user)
    person.approve(person.only_request())
    body = agent.poll(handle).json()
    id_token_type = f"{_TYPE}id_token"
    for token, kind in (
        (body["id_token"], ACCESS_TOKEN),
        (body["id_token"], id_token_type),
        (body["access_token"], id_token_type),
    ):
        answer = chains.exchange(bot, token, subject_token_type=kind)
        check_refusal(answer, 400, "invalid_request")


def test_a_revoked_token_or_one_of_a_disabled_user_is_refused(
    server: LiveServer, chains: LiveChains, bot: AgentKey
) -> None:
    """TX-028, TX-030, TX-020: an unexpired token with a valid signature is refused."""
    token = chains.user_token()
    chains.revoke(token)
    name, _ = server.user()
    services = server.services
    user, _ = Users(services.store, services.secrets).show(name)
    disabled = replace(chains, user_id=user.id).user_token()
    Users(services.store, services.secrets).disable(name, by=BY)
    deleted = replace(chains, user_id="sayso_us_nobody").user_token()
    for refused in (token, disabled, deleted):
        with assert_unchanged(server):
            check_refusal(chains.exchange(bot, refused), 400, "invalid_request")
    assert chains.reasons(bot) == ["user_disabled", "subject_revoked", "subject_revoked"]


def test_a_token_for_another_audience_is_refused(
    server: LiveServer, chains: LiveChains, bot: AgentKey
) -> None:
    """TX-033, NG-047, NG-055: the agent must serve the audience of the token."""
    for audience in (PAY, f"{server.url}/api", server.url):
        token = chains.user_token(resource=audience)
        with assert_unchanged(server):
            answer = chains.exchange(bot, token)
        check_refusal(answer, 400, "invalid_request")
    assert set(chains.reasons(bot)) == {"not_served"}


@pytest.mark.parametrize(
    ("may_act", "allowed"),
    [
        ({"sub": "{me}"}, True),
        ({"sub": "{me}", "client_id": "{me}"}, True),
        ({"sub": "sayso_ag_other"}, False),
        ({"client_id": "sayso_ag_other"}, False),
        ([], False),
        ({"sub": 7}, False),
    ],
)
def test_may_act_allows_exactly_one_agent(
    chains: LiveChains, may_act: Any, *, allowed: bool
) -> None:
    """TX-034, TX-076: the issued token does not repeat the claim."""
    bot = chains.agent(serves=() if allowed else (DESK,))
    chains.consent(bot, "bank:read")
    claim = json.loads(json.dumps(may_act).replace("{me}", bot.id))
    answer = chains.exchange(bot, chains.user_token({"may_act": claim}))
    if allowed:
        assert "may_act" not in chains.claims(answer.json()["access_token"])
    else:
        check_refusal(answer, 400, "invalid_request")


def test_an_actor_token_must_be_the_callers_own_and_replaces_no_audience(
    chains: LiveChains, bot: AgentKey
) -> None:
    """TX-035, TX-036, NG-049: another agent's actor token is refused."""
    own, other = (_own_token(chains, actor_key) for actor_key in (bot, chains.agent()))
    assert chains.exchange(bot, chains.user_token(), actor_token=own, **_ACTOR).is_success
    for token, actor in (
        (chains.user_token(), other),
        (chains.user_token(), "x.y.z"),
        (chains.user_token(resource=PAY), own),
    ):
        answer = chains.exchange(bot, token, actor_token=actor, **_ACTOR)
        check_refusal(answer, 400, "invalid_request")


def _own_token(chains: LiveChains, agent: AgentKey) -> str:
    form = {"grant_type": "client_credentials", "scope": "bank:read", "resource": BANK}
    answer = chains.http.post("/token", data=form, auth=agent.basic)
    access_token: str = answer.json()["access_token"]
    return access_token


def test_a_bound_token_needs_its_key(chains: LiveChains, bot: AgentKey) -> None:
    """TX-038, TX-057, TX-086: the exchange needs a fresh proof of the key. The binding stays."""
    key, now, url = new_key("ES256"), chains.server.clock.now(), f"{chains.server.url}/token"
    token = chains.user_token(jkt=thumbprint(key))
    for headers in (
        {},
        {"DPoP": proof(new_key("ES256"), url, now)},
        {"DPoP": proof(key, url, now - 600_000)},
    ):
        answer = chains.exchange(bot, token, headers=headers)
        check_refusal(answer, 400, "invalid_dpop_proof")
    exchanged = chains.exchange(bot, token, headers={"DPoP": proof(key, url, now)}).json()
    assert exchanged["token_type"] == "DPoP"
    assert chains.claims(exchanged["access_token"])["cnf"] == {"jkt": thumbprint(key)}


def test_an_exchanged_token_is_never_wider_than_its_subject(
    chains: LiveChains, bot: AgentKey
) -> None:
    """TX-050 to TX-053, NG-040, NG-042, NG-048: scope, expiry and target do not grow."""
    now = chains.server.clock.now() // 1000
    claim = {"acr": "urn:x", "amr": ["pwd"], "auth_time": now - 3_600}
    token = chains.user_token(claim, expires_at=(now + 45) * 1000)
    body = chains.exchange(bot, token, scope="bank:read bank:close").json()
    claims = chains.claims(body["access_token"])
    assert (body["scope"], claims["scope"]) == ("bank:read", "bank:read")
    assert claims["exp"] <= now + 45
    assert {name: claims[name] for name in claim} == claim
    answer = chains.exchange(bot, token, resource=PAY, scope="payments:read")
    check_refusal(answer, 400, "invalid_target")
    details = json.dumps([{"type": "payment.transfer"}])
    answer = chains.exchange(bot, token, authorization_details=details)
    check_refusal(answer, 400, "invalid_authorization_details")


def test_exchanging_ones_own_token_gains_nothing(chains: LiveChains) -> None:
    """TX-055, NG-050: scope, audience and expiry do not grow, and no offline access is added."""
    bot = chains.agent()
    chains.consent(bot, "desk:use", resource=DESK)
    token = chains.user_token()
    exchanged = chains.exchanged(bot, token, resource=DESK, scope="desk:use")
    exchanged_again = chains.exchanged(bot, exchanged, resource=DESK, scope="desk:use")
    first, second = chains.claims(exchanged), chains.claims(exchanged_again)
    assert (first["scope"], first["aud"]) == (second["scope"], second["aud"])
    assert second["exp"] <= first["exp"]
    answer = chains.exchange(bot, exchanged, resource=DESK, scope="desk:use offline_access")
    check_refusal(answer, 400, "invalid_scope")


def test_an_exchange_issues_no_refresh_token(chains: LiveChains, bot: AgentKey) -> None:
    """TX-054: an exchange issues neither a refresh token nor an ID token."""
    body = chains.exchange(bot, chains.user_token()).json()
    assert not {"refresh_token", "id_token"} & body.keys()


def test_revoking_a_token_revokes_exchanged_ones(chains: LiveChains, bot: AgentKey) -> None:
    """TX-056, TX-037: introspection shows it immediately, although the signature is valid."""
    token = chains.user_token()
    exchanged = chains.exchanged(bot, token)
    assert _introspect(chains, bot, exchanged)["active"] is True
    assert chains.revoke(token) == 2
    assert _introspect(chains, bot, exchanged) == {"active": False}


def _introspect(chains: LiveChains, agent: AgentKey, token: str) -> dict[str, Any]:
    answer = chains.http.post("/introspect", data={"token": token}, auth=agent.basic)
    reply: dict[str, Any] = answer.json()
    return reply


def _hops(chains: LiveChains, count: int) -> list[AgentKey]:
    """Makes agents that each serve a resource which the agent before it may call."""
    uris = [DESK, *(f"https://hop{n}.example" for n in range(1, count))]
    names = [f"hop{n}:use" for n in range(1, count)]
    existing = {resource.uri for resource in chains.server.resources.all()}
    for uri, name in zip(uris[1:], names, strict=True):
        if uri not in existing:
            chains.server.resources.add(uri, {name: Risk.LOW}, {}, by=BY)
    ceiling = {"resources": (*uris, BANK), "scopes": ("desk:use", "bank:read", *names)}
    agents = [chains.agent(serves=(uri,), **ceiling) for uri in uris]
    for uri, name in zip(uris[1:], names, strict=True):
        chains.consent(agents[0], name, resource=uri)
    chains.consent(agents[0], "bank:read")
    return agents


def _walk(chains: LiveChains, agents: list[AgentKey]) -> str:
    token = chains.user_token()
    for n, agent in enumerate(agents[:-1], 1):
        target = {"resource": f"https://hop{n}.example", "scope": f"hop{n}:use"}
        token = chains.exchanged(agent, token, **target)
    return token


def test_a_chain_names_every_actor_in_order(chains: LiveChains) -> None:
    """TX-070 to TX-073, TX-077, TX-078: the chain has the agents' IDs and not their permissions."""
    agents = _hops(chains, 3)
    exchanged = chains.exchanged(agents[2], _walk(chains, agents))
    claims = chains.claims(exchanged)
    assert claims["sub"] == chains.user_id
    assert claims["client_id"] == agents[2].id
    act, actors = claims["act"], []
    while act is not None:
        assert act.keys() <= {"sub", "iss", "sub_profile", "act"}
        assert act["iss"] == chains.server.url
        actors.append(act["sub"])
        act = act.get("act")
    assert actors == [agent.id for agent in reversed(agents)]
    introspection = _introspect(chains, agents[2], exchanged)
    for name in ("sub", "act", "client_id", "scope", "aud"):
        assert introspection[name] == claims[name]


def test_a_chain_has_four_actors_at_most(server: LiveServer, chains: LiveChains) -> None:
    """TX-074, NG-056: an exchange by a fifth agent is refused."""
    agents = _hops(chains, 5)
    token = _walk(chains, agents)
    with assert_unchanged(server):
        check_refusal(chains.exchange(agents[4], token), 400, "invalid_request")
    assert chains.reasons(agents[4]) == ["too_deep"]


@pytest.mark.parametrize(
    "act", ["x", ["x"], {"sub": 7}, {"sub": "x", "act": "y"}, {"act": {}}, {"sub": "x", "act": 1}]
)
def test_a_malformed_chain_is_refused(chains: LiveChains, bot: AgentKey, act: Any) -> None:
    """TX-074: a malformed `act` is refused without an internal error."""
    token = chains.user_token({"act": act}, chain=json.dumps(act), depth=1, client_id=bot.id)
    check_refusal(chains.exchange(bot, token), 400, "invalid_request")


def test_an_acting_agent_is_always_named(chains: LiveChains, bot: AgentKey) -> None:
    """TX-075: delegation is possible, and impersonation is not."""
    claims = chains.claims(chains.exchanged(bot, chains.user_token()))
    assert claims["act"]["sub"] == bot.id


def test_a_token_of_a_disabled_agent_is_refused(server: LiveServer, chains: LiveChains) -> None:
    """NG-043: the agent to which the token was issued was disabled later."""
    agents = _hops(chains, 2)
    token = _walk(chains, agents)
    services = server.services
    Agents(services.store, services.secrets).disable(agents[0].name, by=BY)
    with assert_unchanged(server):
        check_refusal(chains.exchange(agents[1], token), 400, "invalid_request")


def test_a_token_unknown_to_the_ledger_is_refused(
    server: LiveServer, chains: LiveChains, bot: AgentKey
) -> None:
    """TX-037, NG-054: a valid signature is not enough if the token was never recorded."""
    row = replace(chains.row(chains.user_token()), id="sayso_at_unknown")
    with assert_unchanged(server):
        answer = chains.exchange(bot, signed(server.services, row))
    check_refusal(answer, 400, "invalid_request")
    assert chains.reasons(bot) == ["subject_unknown"]
