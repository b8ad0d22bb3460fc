"""Calls of an API with the token of an approval."""

from typing import Any

import httpx
import jwt
import pytest

from sayso.approved import read_approved
from sayso.dpop import ProofKey
from sayso.keys import dpop_key

URL = "https://pay.example/payments"
_UNVERIFIED: Any = {"verify_signature": False}


def test_calls_at_the_same_time_repeat_a_proof_with_the_same_new_nonce() -> None:
    """Each call sends its own second proof, even if the other call stored the nonce first."""
    response = {"access_token": "a.b.c", "token_type": "DPoP"}
    auth = read_approved(response, ProofKey(dpop_key(b"seed"))).auth
    flows = [auth.auth_flow(httpx.Request("POST", URL)) for _ in range(2)]
    assert [_nonce(next(flow)) for flow in flows] == [None, None]
    refused = httpx.Response(401, headers={"DPoP-Nonce": "n1"})
    assert [_nonce(flow.send(refused)) for flow in flows] == ["n1", "n1"]
    for flow in flows:
        with pytest.raises(StopIteration):
            flow.send(refused)


def test_a_call_is_not_repeated_with_the_nonce_that_was_refused() -> None:
    """The API refused the token, and not the proof."""
    response = {"access_token": "a.b.c", "token_type": "DPoP"}
    auth = read_approved(response, ProofKey(dpop_key(b"seed"))).auth
    refused = httpx.Response(401, headers={"DPoP-Nonce": "n1"})
    first = auth.auth_flow(httpx.Request("POST", URL))
    next(first)
    first.send(refused)
    second = auth.auth_flow(httpx.Request("POST", URL))
    assert _nonce(next(second)) == "n1"
    with pytest.raises(StopIteration):
        second.send(refused)


def _nonce(request: httpx.Request) -> str | None:
    claims = jwt.decode(request.headers["DPoP"], options=_UNVERIFIED)
    nonce: str | None = claims.get("nonce")
    return nonce
