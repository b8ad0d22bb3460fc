"""Public keys that an agent may register."""

import base64

import pytest

from server.protocol.clients import jwks

EC = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
"""RFC 7515, appendix A.3."""
ED = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
"""RFC 8037, appendix A.2."""


def _rsa(bits):
    modulus = (1 << (bits - 1)) | 1
    return {"kty": "RSA", "n": _b64(modulus.to_bytes(bits // 8)), "e": "AQAB"}


def _b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.mark.parametrize(("key", "alg"), [(EC, "ES256"), (ED, "EdDSA"), (_rsa(2048), "RS256")])
def test_a_key_is_stored_with_its_algorithm_and_a_kid(key, alg):
    """A key without a kid gets its thumbprint as kid."""
    (kept,) = jwks.read_keys({"keys": [key]})
    assert kept == {**key, "alg": alg, "kid": kept["kid"]}
    assert len(kept["kid"]) == 43
    assert jwks.read_keys(dict(key)) == (kept,)


def test_a_key_may_use_the_newer_algorithm_name():
    """RFC 9864: the newer name is stored as the older one; only an Ed25519 key may use it."""
    assert jwks.read_keys({**ED, "alg": "Ed25519"}) == jwks.read_keys(dict(ED))
    with pytest.raises(ValueError, match="alg ES256"):
        jwks.read_keys({**EC, "alg": "Ed25519"})


@pytest.mark.parametrize("alg", [[], {}, ["ES256"], {"a": 1}, None, 1])
def test_an_algorithm_that_is_not_a_string_is_refused(alg):
    """The error names the wrong member and the valid algorithm."""
    with pytest.raises(ValueError, match="must have alg ES256"):
        jwks.read_keys({**EC, "alg": alg})


def test_an_rsa_key_may_be_registered_for_ps256():
    """A key with this algorithm signs only with PS256; other types of keys may not use it."""
    (kept,) = jwks.read_keys({"keys": [{**_rsa(2048), "alg": "PS256"}]})
    assert kept["alg"] == "PS256"
    with pytest.raises(ValueError, match="alg ES256"):
        jwks.read_keys({"keys": [{**EC, "alg": "PS256"}]})


@pytest.mark.parametrize(
    "other",
    [
        {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"},
        {"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"},
        {**_rsa(2048), "use": "enc", "alg": "RSA-OAEP"},
        {**ED, "crv": "X25519"},
    ],
)
def test_keys_that_the_server_cannot_use_are_ignored(other):
    """RFC 7517 5: a key set may contain keys for other servers, but needs one for us."""
    assert jwks.read_keys({"keys": [other, EC]}) == jwks.read_keys({"keys": [EC]})
    with pytest.raises(ValueError, match="key 1 must"):
        jwks.read_keys({"keys": [other]})


def test_the_thumbprint_matches_rfc8037():
    """The kid equals the example thumbprint in RFC 8037, appendix A.3."""
    (kept,) = jwks.read_keys(dict(ED))
    assert kept["kid"] == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_other_members_of_a_key_are_dropped():
    """Certificates and URLs inside a key are never used."""
    (kept,) = jwks.read_keys({"keys": [{**EC, "kid": "a", "x5u": "https://evil.example"}]})
    assert set(kept) == {"kty", "crv", "x", "y", "kid", "alg"}


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ([], "1 to 10 keys"),
        ({"keys": []}, "1 to 10 keys"),
        ({"keys": "x"}, "1 to 10 keys"),
        ({"keys": [EC] * 11}, "1 to 10 keys"),
        ({"keys": [1]}, "not a JSON object"),
        ({"keys": [{**EC, "d": "AA"}]}, "is private"),
        ({"keys": [{"kty": "oct", "k": "AA"}]}, "is private"),
        ({"keys": [{"kty": "oct"}]}, "EC, OKP or RSA"),
        ({"keys": [{**EC, "crv": "P-384"}]}, "P-256"),
        ({"keys": [{**EC, "x": EC["y"]}]}, "not a point"),
        ({"keys": [{**EC, "x": EC["x"] + "="}]}, "without padding"),
        ({"keys": [{**EC, "x": "AA"}]}, "x as base64url"),
        ({"keys": [{**EC, "x": "A"}]}, "x as base64url"),
        ({"keys": [{**EC, "x": "é"}]}, "x as base64url"),
        ({"keys": [{**EC, "y": 5}]}, "y as base64url"),
        ({"keys": [{**ED, "crv": "X25519"}]}, "Ed25519"),
        ({"keys": [_rsa(1024)]}, "2048"),
        ({"keys": [{**_rsa(2048), "e": "AQ"}]}, "65537"),
        ({"keys": [{**EC, "alg": "RS256"}]}, "alg ES256"),
        ({"keys": [{**EC, "use": "enc"}]}, "use sig"),
        ({"keys": [{**EC, "kid": ""}]}, "kid"),
        ({"keys": [{**EC, "kid": "a\x1b"}]}, "kid"),
        ({"keys": [{**EC, "kid": 7}]}, "kid"),
        ({"keys": [{**EC, "kid": "a"}, {**ED, "kid": "a"}]}, "same kid"),
    ],
)
def test_an_unsuitable_key_is_refused_with_the_reason(document, says):
    """Keys that are private, malformed, too weak or of the wrong type are refused."""
    with pytest.raises(ValueError, match=says):
        jwks.read_keys(document)
