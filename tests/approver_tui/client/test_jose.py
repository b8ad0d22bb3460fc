"""What the terminal signs matches the server's bytes."""

import json
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path

import jwt
import pytest
from jwt.algorithms import ECAlgorithm

from approver_tui.client.jose import (
    Signer,
    SigningKey,
    dpop_proof,
    signed_decision,
    signed_statement,
    thumbprint,
)

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "decisions.json").read_text())
OPENING = ("iss", "sub", "aud")


def verified(key: SigningKey, compact: str) -> tuple[dict[str, object], bytes]:
    """The header and the payload, if PyJWT takes the signature."""
    public = ECAlgorithm.from_jwk(key.jwk)
    parts = jwt.api_jws.decode_complete(compact, public, algorithms=["ES256"])
    return parts["header"], parts["payload"]


def split(members: dict[str, object]) -> tuple[Signer, dict[str, object]]:
    """Who signs, and what else is said."""
    signer = Signer(device=members["iss"], user=members["sub"], issuer=members["aud"])
    return signer, {name: value for name, value in members.items() if name not in OPENING}


@pytest.mark.parametrize("vector", VECTORS["decisions"], ids=range(len(VECTORS["decisions"])))
def test_a_decision_matches_the_shared_vector(vector):
    """Members, order and bytes; the header has three members."""
    key = SigningKey.generate()
    signer, others = split(vector["members"])
    header, payload = verified(key, signed_decision(key, signer, others))
    assert payload.decode() == vector["text"]
    assert header == {"alg": "ES256", "kid": key.thumbprint, "typ": "sayso-decision+jws"}


@pytest.mark.parametrize("vector", VECTORS["statements"], ids=range(len(VECTORS["statements"])))
def test_a_statement_matches_the_shared_vector(vector):
    """It has another type, so it never passes for a decision."""
    key = SigningKey.generate()
    signer, others = split(vector["members"])
    header, payload = verified(key, signed_statement(key, signer, **others))
    assert payload.decode() == vector["text"]
    assert header["typ"] == "sayso-statement+jws"


@pytest.mark.parametrize("vector", VECTORS["thumbprints"], ids=lambda v: v["thumbprint"][:6])
def test_the_thumbprint_is_that_of_rfc_7638(vector):
    """It covers the required public members."""
    assert thumbprint(vector["jwk"]) == vector["thumbprint"]


def test_a_proof_is_for_one_request():
    """Method, address, time, token and its own ID; the key is in the header."""
    key = SigningKey.generate()
    proof = dpop_proof(key, method="GET", uri="https://as.example/api/me", at=7, access_token="t")
    header, payload = verified(key, proof)
    claims = json.loads(payload)
    assert header == {"alg": "ES256", "jwk": key.jwk, "typ": "dpop+jwt"}
    assert claims.pop("jti")
    assert claims == {
        "htm": "GET",
        "htu": "https://as.example/api/me",
        "iat": 7,
        "ath": urlsafe_b64encode(sha256(b"t").digest()).rstrip(b"=").decode(),
    }


def test_a_key_can_be_restored_from_its_scalar():
    """The private number is the whole key."""
    key = SigningKey.generate()
    assert SigningKey.from_scalar(key.scalar).jwk == key.jwk
    assert len(key.scalar) == 32
