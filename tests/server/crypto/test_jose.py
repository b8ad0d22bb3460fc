"""Signing and verifying: the key determines the algorithm, and headers are checked strictly."""

import json
from dataclasses import replace

import jwt
import pytest

from approver_tui.client.jose import Signer as DeviceSigner
from approver_tui.client.jose import SigningKey as DeviceKey
from approver_tui.client.jose import b64, dpop_proof, signed_statement
from server.crypto import jose
from server.crypto.jose import JwtSigner, JwtVerifier
from server.crypto.secrets import KeyedSecrets
from server.model.ports import BadToken
from server.protocol import errors
from tests.support.inputs.handmade_jwts import hmac_jwt, make_jwt, new_key

ALGS = ("ES256", "EdDSA", "RS256")
STATEMENT = "sayso-statement+jws"
SIGNER = JwtSigner(KeyedSecrets(bytes(32), bytes(32)))
KEYS = {alg: SIGNER.new_key(alg, 0) for alg in ALGS}
AGENTS = {alg: new_key(alg) for alg in ALGS}
DEVICE = DeviceKey.generate()


@pytest.fixture
def verifier():
    """A verifier with an empty cache."""
    return JwtVerifier()


def test_a_key_id_never_starts_with_a_dash(monkeypatch):
    """One digest in 64 starts with a dash, and the command line would take it for an option."""
    monkeypatch.setattr(jose.decisions, "digest", lambda _text: f"--{'k' * 41}")
    assert SIGNER.new_key("ES256", 0).kid == "k" * 16


@pytest.mark.parametrize("alg", ALGS)
def test_a_signed_token_verifies_with_the_published_key(verifier, alg):
    """Our verifier and an independent library accept it."""
    token = SIGNER.sign(list(KEYS.values()), alg, "at+jwt", {"sub": "ana"})
    assert jwt.get_unverified_header(token) == {
        "alg": alg,
        "typ": "at+jwt",
        "kid": KEYS[alg].kid,
    }
    public = jwt.PyJWK(dict(KEYS[alg].public_jwk)).key
    assert jwt.decode(token, public, algorithms=[alg]) == {"sub": "ana"}
    assert verifier.own_token(token, "AT+JWT", list(KEYS.values())) == {"sub": "ana"}


@pytest.mark.parametrize("alg", ALGS)
def test_a_new_key_is_published_without_its_private_key(alg):
    """The public JWK has only public members."""
    key = KEYS[alg]
    assert set(key.public_jwk) <= {"kty", "crv", "x", "y", "n", "e", "kid", "alg", "use"}
    assert (key.public_jwk["use"], key.public_jwk["alg"], key.state) == ("sig", alg, "active")
    assert len({other.kid for other in KEYS.values()}) == len(ALGS)


def test_a_cached_token_is_valid_only_while_its_key_and_type_match(verifier):
    """The cache stores that the signature is valid. Key and type are checked every time."""
    keys = [KEYS["ES256"]]
    token = SIGNER.sign(keys, "ES256", "at+jwt", {"sub": "ana"})
    assert verifier.own_token(token, "at+jwt", keys) == verifier.own_token(token, "at+jwt", keys)
    for typ, valid_keys in (("at+jwt", []), ("at+jwt", [KEYS["EdDSA"]]), ("JWT", keys)):
        with pytest.raises(BadToken):
            verifier.own_token(token, typ, valid_keys)


def test_cached_claims_cannot_be_modified(verifier):
    """One caller cannot change what the next one gets."""
    keys = [KEYS["ES256"]]
    token = SIGNER.sign(keys, "ES256", "at+jwt", {"sub": "ana"})
    with pytest.raises(TypeError):
        verifier.own_token(token, "at+jwt", keys)["sub"] = "eva"
    assert verifier.own_token(token, "at+jwt", keys) == {"sub": "ana"}


def test_the_token_cache_is_bounded(verifier, monkeypatch):
    """The oldest entry is dropped first and verified again when it returns."""
    monkeypatch.setattr(jose, "_MAX_CACHED_TOKENS", 3)
    keys = [KEYS["EdDSA"]]
    tokens = [SIGNER.sign(keys, "EdDSA", "at+jwt", {"n": n}) for n in range(5)]
    for _ in range(2):
        assert [verifier.own_token(t, "at+jwt", keys)["n"] for t in tokens] == [0, 1, 2, 3, 4]
    assert list(verifier._verified) == tokens[2:]


@pytest.mark.parametrize("header", ["W10", "MQ", "eyJ", "e30_", "e31"])
def test_a_header_that_is_not_a_json_object_is_refused(verifier, header):
    """Invalid JSON and non-canonical base64url are refused as well."""
    with pytest.raises(BadToken):
        verifier.own_token(f"{header}.e30.AA", "at+jwt", list(KEYS.values()))


def test_a_retiring_key_verifies_but_does_not_sign(verifier):
    """Tokens that it signed stay valid until it is removed."""
    key = KEYS["ES256"]
    token = SIGNER.sign([key], "ES256", "at+jwt", {"sub": "ana"})
    retiring = replace(key, state="retiring")
    with pytest.raises(LookupError, match="ES256"):
        SIGNER.sign([retiring], "ES256", "at+jwt", {})
    assert verifier.own_token(token, "at+jwt", [retiring]) == {"sub": "ana"}


def test_an_own_token_needs_the_right_type_key_and_signature(verifier):
    """AT-24: a token is refused if its type, key or signature is wrong."""
    key, other = KEYS["ES256"], KEYS["EdDSA"]
    token = SIGNER.sign([key], "ES256", "at+jwt", {"sub": "ana"})
    head, payload, signature = token.split(".")
    forged = f"{head}.{b64(json.dumps({'sub': 'ben'}).encode())}.{signature}"
    for text, typ, keys in (
        (token, "JWT", [key]),
        (token, "at+jwt", [other]),
        (token, "at+jwt", []),
        (forged, "at+jwt", [key]),
        (f"{head}.{payload}.", "at+jwt", [key]),
        ("nonsense", "at+jwt", [key]),
        ("", "at+jwt", [key]),
        ("a" * 65_537, "at+jwt", [key]),
    ):
        with pytest.raises(BadToken):
            verifier.own_token(text, typ, keys)


@pytest.mark.parametrize("alg", ["none", "HS256", "ES256", "RS256"])
def test_the_header_does_not_choose_the_algorithm(verifier, alg):
    """AT-23: "none" and an HMAC with the public key as secret are refused (RFC 8725 3.1)."""
    key = KEYS["EdDSA"]
    header = {"alg": alg, "typ": "at+jwt", "kid": key.kid}
    public = json.dumps(dict(key.public_jwk)).encode()
    for token in (make_jwt(header, {"sub": "x"}), hmac_jwt(header, {"sub": "x"}, public)):
        with pytest.raises(BadToken):
            verifier.own_token(token, "at+jwt", [key])


@pytest.mark.parametrize("member", ["jku", "x5u", "x5c", "jwk", "crit"])
def test_a_disallowed_header_member_is_refused(verifier, member):
    """Keys never come from the token (RFC 8725 3.10), and `crit` is not supported."""
    agent = AGENTS["ES256"]
    claims = {"sub": "a"}
    with pytest.raises(BadToken):
        verifier.client_assertion(agent.sign(claims, **{member: ["exp"]}), [agent.jwk])


@pytest.mark.parametrize("alg", ALGS)
def test_an_assertion_verifies_with_a_registered_key(verifier, alg):
    """A kid is optional, and both type names are accepted."""
    agent = AGENTS[alg]
    jwks = [key.jwk for key in AGENTS.values()]
    for header in ({}, {"kid": None}, {"typ": "JWT"}, {"typ": "client-authentication+jwt"}):
        assert verifier.client_assertion(agent.sign({"sub": "a"}, **header), jwks)[1] == {
            "sub": "a"
        }


def test_an_assertion_may_use_the_newer_algorithm_name(verifier):
    """RFC 9864: WebCrypto names the algorithm Ed25519. The key must still match."""
    key = AGENTS["EdDSA"]
    newer = replace(key, alg="Ed25519")
    assert verifier.client_assertion(newer.sign({"sub": "a"}), [key.jwk])[1] == {"sub": "a"}
    other_key = {**AGENTS["ES256"].jwk, "kid": key.kid}
    with pytest.raises(BadToken, match="no registered key"):
        verifier.client_assertion(newer.sign({"sub": "a"}), [other_key])


def test_either_of_two_registered_keys_of_one_kind_verifies(verifier):
    """During a rotation the agent does not have to send a kid."""
    old, new = new_key("ES256", "old"), new_key("ES256", "new")
    token = new.sign({"sub": "a"}, kid=None)
    assert verifier.client_assertion(token, [old.jwk, new.jwk]) == ("new", {"sub": "a"})


def test_an_assertion_by_an_unregistered_key_is_refused(verifier):
    """A different kid, algorithm or key is refused, and so is a missing key."""
    agent = AGENTS["ES256"]
    token = agent.sign({"sub": "a"})
    for jwks in (
        [],
        [{**agent.jwk, "kid": "other"}],
        [new_key("ES256", agent.kid).jwk],
        [{**AGENTS["EdDSA"].jwk, "kid": agent.kid}],
        [{**agent.jwk, "kty": "oct"}],
    ):
        with pytest.raises(BadToken, match="no registered key"):
            verifier.client_assertion(token, jwks)


@pytest.mark.parametrize("typ", ["at+jwt", "dpop+jwt", "sayso-decision+jws"])
def test_a_token_of_a_different_type_is_not_accepted_as_an_assertion(verifier, typ):
    """A token that was signed for a different purpose does not authenticate the agent."""
    agent = AGENTS["ES256"]
    with pytest.raises(BadToken, match="another kind"):
        verifier.client_assertion(agent.sign({"sub": "a"}, typ=typ), [agent.jwk])


@pytest.mark.parametrize("payload", [b"[]", b"text", b'{"a":1,"a":2}', b"\xff", b"[" * 5_000])
def test_claims_that_are_not_a_plain_object_are_refused(verifier, payload):
    """Such claims are refused even if the signature is valid."""
    agent = AGENTS["ES256"]
    with pytest.raises(BadToken):
        verifier.client_assertion(agent.sign(payload), [agent.jwk])


def test_a_dpop_proof_returns_the_key_that_signed_it(verifier):
    """RFC 9449 4.2: the key is in the proof, so no key is looked up."""
    proof = dpop_proof(DEVICE, method="POST", uri="https://a.example/token", at=0)
    jwk, claims = verifier.dpop(proof)
    assert (jwk, claims["htm"]) == (DEVICE.jwk, "POST")


def _proof(**changes):
    """A proof that is built by hand, with its own key."""
    header = {
        "typ": "dpop+jwt",
        "jwk": {n: AGENTS["ES256"].jwk[n] for n in ("kty", "crv", "x", "y")},
    }
    payload = changes.pop("payload", {"jti": "a"})
    return AGENTS["ES256"].sign(payload, **{"kid": None, **header, **changes})


def test_a_dpop_proof_not_signed_by_its_own_key_is_refused(verifier):
    """A different key, a point off the curve, and unreadable claims or tokens are refused."""
    assert verifier.dpop(_proof())[1] == {"jti": "a"}
    off_curve = {**DEVICE.jwk, "x": b64(bytes(32))}
    for proof in (
        _proof(jwk=DEVICE.jwk),
        _proof(jwk=off_curve),
        _proof(payload=b"[]"),
        _proof(payload=b"text"),
        "nonsense",
        "a.b.c",
    ):
        with pytest.raises(errors.InvalidDpopProof):
            verifier.dpop(proof)


def _statement(key=DEVICE):
    signer = DeviceSigner("dv", "us", "https://a.example")
    return signed_statement(key, signer, purpose="pin", subject="dv", at=0, nonce="n")


def test_a_statement_is_read_with_its_own_key_and_type(verifier):
    """The signed bytes of the statement are returned."""
    jws = _statement()
    assert verifier.key_of(jws) == DEVICE.thumbprint
    raw = verifier.verify_signed_payload(jws, STATEMENT, DEVICE.jwk, DEVICE.thumbprint)
    assert json.loads(raw)["purpose"] == "pin"


def test_a_statement_with_a_different_key_or_type_is_refused(verifier):
    """A statement with a changed signature is also refused."""
    jws, other = _statement(), DeviceKey.generate()
    head, payload, signature = jws.split(".")
    forged = f"{head}.{payload}.{'B' if signature[0] != 'B' else 'C'}{signature[1:]}"
    for text, typ, key, kid in (
        (jws, "sayso-decision+jws", DEVICE, DEVICE.thumbprint),
        (jws, STATEMENT, DEVICE, other.thumbprint),
        (jws, STATEMENT, other, DEVICE.thumbprint),
        (forged, STATEMENT, DEVICE, DEVICE.thumbprint),
        ("nonsense", STATEMENT, DEVICE, DEVICE.thumbprint),
    ):
        with pytest.raises(BadToken):
            verifier.verify_signed_payload(text, typ, key.jwk, kid)
    with pytest.raises(BadToken):
        verifier.key_of("nonsense")


def test_the_unverified_subject_of_an_assertion_is_read(verifier):
    """The subject is used only to find the key. An unreadable assertion is refused."""
    agent = AGENTS["ES256"]
    assert verifier.unverified_subject(agent.sign({"sub": "sayso_ag_a"})) == "sayso_ag_a"
    for token in ("nonsense", "", agent.sign({"sub": 7}), agent.sign({}), agent.sign(b"[]")):
        with pytest.raises(BadToken):
            verifier.unverified_subject(token)


def test_the_key_cache_is_bounded(verifier):
    """Proofs contain new keys. A dropped key is loaded again."""
    first = dpop_proof(DEVICE, method="GET", uri="https://a.example", at=0)
    verifier.dpop(first)
    for number in range(1_000):
        verifier._keys[str(number)] = None
    assert len(verifier._keys) == 1_001
    other = DeviceKey.generate()
    verifier.dpop(dpop_proof(other, method="GET", uri="https://a.example", at=0))
    assert len(verifier._keys) == 1
    assert verifier.dpop(first)[0] == DEVICE.jwk
