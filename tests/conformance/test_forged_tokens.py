"""A forged version of one of our tokens is refused everywhere."""

import base64
import json
from collections.abc import Iterator

import httpx
import jwt
import pytest

from tests.support.builders.installation import PAY
from tests.support.checks.refusals import assert_unchanged, check_refusal
from tests.support.clients.terminal import Terminal
from tests.support.inputs import handles
from tests.support.inputs.handle_endpoints import places
from tests.support.inputs.handles import World
from tests.support.inputs.handmade_jwts import hmac_jwt, make_jwt, new_key
from tests.support.servers.server import LiveServer


@pytest.fixture(scope="module")
def world(server: LiveServer, http: httpx.Client, person: Terminal) -> Iterator[World]:
    """A handle of every kind."""
    return handles.world(server, http, person)


def _forgeries(world: World) -> dict[str, str]:
    """Returns forgeries of the token with which the agent acts for the user."""
    token = world.handles["delegated token"]
    head, payload, signature = token.split(".")
    header, claims = jwt.get_unverified_header(token), _claims(token)
    (published,) = [
        key for key in world.http.get("/jwks").json()["keys"] if key["kid"] == header["kid"]
    ]
    public = json.dumps(published).encode()
    other = new_key("ES256", header["kid"])
    return {
        "TX-021 another signature": f"{head}.{payload}.{signature[::-1]}",
        "TX-021 another payload": f"{head}.{_encode_payload({**claims, 'sub': 'x'})}.{signature}",
        "TX-021 another key under our kid": other.sign(claims, typ="at+jwt"),
        "TX-022 alg none": make_jwt({**header, "alg": "none"}, claims),
        "TX-022 alg none, capital": make_jwt({**header, "alg": "None"}, claims, b"x"),
        "TX-023 HS256 by the public key": hmac_jwt({**header, "alg": "HS256"}, claims, public),
        "TX-024 unknown kid": new_key("ES256", "unknown").sign(claims, typ="at+jwt"),
        "TX-024 no kid": other.sign(claims, typ="at+jwt", kid=None),
        "NG-067 key in the header": other.sign(claims, typ="at+jwt", jwk=other.jwk),
        "NG-066 unknown crit": other.sign(claims, typ="at+jwt", crit=["exp"]),
        "NG-083 shorter": token[:-1],
        "NG-083 longer": token + "A",
        "NG-083 padded": token + "=",
        "NG-083 twice": f"{token}.{signature}",
        "empty signature": f"{head}.{payload}.",
    }


def _claims(token: str) -> dict[str, object]:
    claims: dict[str, object] = jwt.decode(token, options={"verify_signature": False})
    return claims


def _encode_payload(claims: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("place", ["subject_token", "actor_token"])
def test_a_forged_token_is_not_exchanged(world: World, place: str) -> None:
    """TX-020, TX-021, TX-022, TX-023, TX-024, NG-065, NG-066, NG-067: the error is the same."""
    descriptions = set()
    for kind, token in _forgeries(world).items():
        with assert_unchanged(world.server):
            answer = places(world)[place](token)
        assert answer.status_code == 400, (kind, answer.text)
        descriptions.add(check_refusal(answer, 400, "invalid_request")["error_description"])
    assert len(descriptions) == 1


@pytest.mark.parametrize("name", ["subject_token", "subject_token_type", "actor_token", "resource"])
def test_a_repeated_exchange_parameter_is_refused(world: World, name: str) -> None:
    """TX-015: a repeated parameter is refused even if both values are equal."""
    kind = "urn:ietf:params:oauth:token-type:access_token"
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": world.handles["delegated token"],
        "subject_token_type": kind,
        "actor_token": world.handles["access token"],
        "actor_token_type": kind,
        "scope": "payments:read",
        "resource": PAY,
    }
    twice = {**form, name: [form[name], form[name]]}
    with assert_unchanged(world.server):
        answer = world.http.post("/token", data=twice, auth=world.agent.key.basic)
    check_refusal(answer, 400, "invalid_target" if name == "resource" else "invalid_request")
    assert world.http.post("/token", data=form, auth=world.agent.key.basic).status_code == 200


def test_a_forged_token_is_inactive_and_cannot_be_consumed(world: World) -> None:
    """IN-08, IN-12, NG-083: the answer does not reveal which part is wrong."""
    for kind, token in _forgeries(world).items():
        assert world.introspect(token) == {"active": False}, kind
        answer = places(world)["token to consume"](token)
        assert (answer.status_code, answer.json()["code"]) == (403, "token_inactive"), kind


def test_a_forged_token_is_refused_by_our_own_api(world: World) -> None:
    """AT-23, AT-24: a forged token is refused even if it is bound to the right key."""
    for kind, token in _forgeries(world).items():
        answer = places(world)["token of the API"](token)
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token"), kind


def test_the_original_token_is_valid(world: World) -> None:
    """The original token is accepted, so the refusals are due to the forgeries."""
    token = world.handles["delegated token"]
    assert world.introspect(token)["active"] is True
    assert places(world)["subject_token"](token).status_code == 200
