"""Signatures and signed bytes match those of the server."""

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
SIGNER_MEMBERS = ("iss", "sub", "aud")


def verify(key: SigningKey, compact: str) -> tuple[dict[str, object], bytes]:
    """Return the header and the payload if PyJWT accepts the signature."""
    public = ECAlgorithm.from_jwk(key.jwk)
    parts = jwt.api_jws.decode_complete(compact, public, algorithms=["ES256"])
    return parts["header"], parts["payload"]


def split_signer(members: dict[str, object]) -> tuple[Signer, dict[str, object]]:
    """Return the signer and the remaining members."""
    signer = Signer(device=members["iss"], user=members["sub"], issuer=members["aud"])
    return signer, {name: value for name, value in members.items() if name not in SIGNER_MEMBERS}


@pytest.mark.parametrize("vector", VECTORS["decisions"], ids=range(len(VECTORS["decisions"])))
def test_a_decision_matches_the_shared_vector(vector):
    """The members, their order and the bytes match, and the header has three members."""
    key = SigningKey.generate()
    signer, others = split_signer(vector["members"])
    header, payload = verify(key, signed_decision(key, signer, others))
    assert payload.decode() == vector["text"]
    assert header == {"alg": "ES256", "kid": key.thumbprint, "typ": "sayso-decision+jws"}


@pytest.mark.parametrize("vector", VECTORS["statements"], ids=range(len(VECTORS["statements"])))
def test_a_statement_matches_the_shared_vector(vector):
    """A statement has a different `typ`, so it is never accepted as a decision."""
    key = SigningKey.generate()
    signer, others = split_signer(vector["members"])
    header, payload = verify(key, signed_statement(key, signer, **others))
    assert payload.decode() == vector["text"]
    assert header["typ"] == "sayso-statement+jws"


@pytest.mark.parametrize("vector", VECTORS["thumbprints"], ids=lambda v: v["thumbprint"][:6])
def test_the_thumbprint_is_that_of_rfc_7638(vector):
    """The thumbprint of each JWK equals the one in the shared vectors."""
    assert thumbprint(vector["jwk"]) == vector["thumbprint"]


def test_a_proof_is_for_one_request():
    """A proof covers the method, URL, time and token, and has its own ID and the key."""
    key = SigningKey.generate()
    proof = dpop_proof(key, method="GET", uri="https://as.example/api/me", at=7, access_token="t")
    header, payload = verify(key, proof)
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
    """The private scalar is enough to restore the whole key."""
    key = SigningKey.generate()
    assert SigningKey.from_scalar(key.scalar).jwk == key.jwk
    assert len(key.scalar) == 32
