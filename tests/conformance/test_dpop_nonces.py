"""RFC 9449 8, on a server that requires nonces."""

import httpx
import pytest

from tests.support.checks.refusals import assert_unchanged, check_refusal
from tests.support.clients.agent import Agent
from tests.support.inputs.dpop_proofs import proof
from tests.support.inputs.handmade_jwts import new_key
from tests.support.servers.server import LiveServer

KEY = new_key("ES256")
_FORM = {"grant_type": "client_credentials", "scope": "payments:read"}


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Settings with which the server requires nonces."""
    return {"dpop_nonce": "required", "log_level": "debug"}


def _ask(server: LiveServer, agent: Agent, **claims: object) -> httpx.Response:
    proved = proof(KEY, f"{server.url}/token", server.clock.now(), **claims)
    return agent.http.post("/token", data=_FORM, auth=agent.key.basic, headers={"DPoP": proved})


def test_a_client_gets_a_nonce_and_uses_it(server: LiveServer, agent: Agent) -> None:
    """DP-40: the refusal has one nonce header, and a proof with that nonce is accepted."""
    with assert_unchanged(server):
        refused = _ask(server, agent)
    check_refusal(refused, 400, "use_dpop_nonce")
    (nonce,) = refused.headers.get_list("DPoP-Nonce")
    answer = _ask(server, agent, nonce=nonce)
    assert (answer.status_code, answer.json()["token_type"]) == (200, "DPoP")


def test_each_answer_has_the_next_nonce(server: LiveServer, agent: Agent) -> None:
    """DP-44: a client that uses the newest nonce is never refused, although each one expires."""
    nonce = _ask(server, agent).headers["DPoP-Nonce"]
    first = nonce
    for _ in range(4):
        answer = _ask(server, agent, nonce=nonce)
        assert answer.status_code == 200, answer.text
        nonce = answer.headers["DPoP-Nonce"]
        server.clock.forward(4 * 60_000)
    assert nonce != first
    check_refusal(_ask(server, agent, nonce=first), 400, "use_dpop_nonce")


@pytest.mark.parametrize("nonce", ["", "x", "A" * 43, 1, ["x"], {}])
def test_an_invented_nonce_is_refused(server: LiveServer, agent: Agent, nonce: object) -> None:
    """DP-18, DP-42, DP-43: an invented nonce is refused, whatever its type is."""
    with assert_unchanged(server):
        check_refusal(_ask(server, agent, nonce=nonce), 400, "use_dpop_nonce")


def test_a_client_without_a_proof_needs_no_nonce(server: LiveServer, agent: Agent) -> None:
    """A nonce belongs to a proof, so a bearer token needs none."""
    answer = agent.http.post("/token", data=_FORM, auth=agent.key.basic)
    assert (answer.status_code, answer.json()["token_type"]) == (200, "Bearer")
    assert "DPoP-Nonce" not in answer.headers
    assert server.url
