"""Action digests, fingerprints and signed decisions: what is hashed, signed and compared."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from server.protocol import errors, json_text
from server.protocol.approvals import decisions

VECTORS = json.loads(
    Path(__file__).parents[3].joinpath("vectors/decisions.json").read_text(encoding="utf-8")
)
NOW = 1_795_566_864
APPROVE = VECTORS["decisions"][0]["members"]
DENY = VECTORS["decisions"][2]["members"]
PIN = VECTORS["statements"][0]["members"]
KEY = VECTORS["thumbprints"][0]["jwk"]


def expected(**changes):
    """Return the expected values that match the approving vector, with changes."""
    members = {
        name: APPROVE[name] for name in decisions.ExpectedDecision.__slots__ if name in APPROVE
    }
    return replace(decisions.ExpectedDecision(**{**members, "at": NOW}), **changes)


def expected_statement(**changes):
    """Return the expected values that match the PIN vector, with changes."""
    return replace(decisions.Statement(**{**PIN, "at": NOW}), **changes)


@pytest.mark.parametrize("vector", VECTORS["actions"], ids=map(str, range(3)))
def test_action_text_digest_and_fingerprint_match_the_shared_vectors(vector):
    """The digest is the hash of the text, and the fingerprint comes from the digest."""
    members = {n: v for n, v in vector.items() if n not in {"text", "digest", "fingerprint"}}
    text = decisions.action_text(**members)
    assert text == vector["text"]
    assert decisions.digest(text) == vector["digest"]
    assert decisions.fingerprint(vector["digest"]) == vector["fingerprint"]


def test_action_text_does_not_depend_on_the_order_or_repetition_of_scopes():
    """Scopes are a set, so their order and repetition do not change the action text."""
    action = {k: v for k, v in VECTORS["actions"][0].items() if k in "agent resource salt user"}
    texts = {
        decisions.action_text(**action, authorization_details=[], scope=scope)
        for scope in (["a", "b"], ["b", "a"], ["b", "a", "b"])
    }
    assert len(texts) == 1


@pytest.mark.parametrize("text", ["", "x" * 43, "A" * 42, "A" * 44, "é" * 43, "A" * 42 + "="])
def test_the_fingerprint_of_an_invalid_digest_is_refused(text):
    """A digest must have 43 characters of base64url without spare bits."""
    with pytest.raises(ValueError, match="action_digest"):
        decisions.fingerprint(text)


@pytest.mark.parametrize("vector", VECTORS["decisions"], ids=map(str, range(4)))
def test_a_decision_is_read_as_in_the_shared_vectors(vector):
    """Reading the payload of a vector gives its members, and writing them gives the payload."""
    decision = decisions.read_decision(vector["text"].encode())
    assert decision == decisions.Decision(**vector["members"])
    assert json_text.canonical(asdict(decision)) == vector["text"]


@pytest.mark.parametrize("vector", VECTORS["statements"], ids=map(str, range(3)))
def test_a_statement_is_read_as_in_the_shared_vectors(vector):
    """Reading the payload of a vector gives its members, and writing them gives the payload."""
    statement = decisions.read_statement(vector["text"].encode())
    assert statement == decisions.Statement(**vector["members"])
    assert json_text.canonical(asdict(statement)) == vector["text"]


@pytest.mark.parametrize("name", sorted(APPROVE))
def test_a_missing_or_mistyped_member_of_a_decision_is_named(name):
    """All members are required and typed, and the error names the wrong one."""
    missing = {n: v for n, v in APPROVE.items() if n != name}
    with pytest.raises(ValueError, match=rf"^{name} is missing"):
        decisions.read_decision(json.dumps(missing).encode())
    for wrong in ([], {}, True, "x" * 2_000):
        with pytest.raises(ValueError, match=rf"^{name} "):
            decisions.read_decision(json.dumps({**APPROVE, name: wrong}).encode())


@pytest.mark.parametrize(
    ("members", "changes", "name"),
    [
        (APPROVE, {"decision": "maybe"}, "decision"),
        (APPROVE, {"code": "suspicious"}, "code"),
        (APPROVE, {"ceremony": "none"}, "ceremony"),
        (APPROVE, {"sub": ""}, "sub"),
        (APPROVE, {"at": "1795566864"}, "at"),
        (APPROVE, {"extra": 1}, "unknown members"),
        (DENY, {"code": None}, "code"),
        (DENY, {"code": "because"}, "code"),
        (DENY, {"ceremony": "pin"}, "ceremony"),
        (DENY, {"granted": "x"}, "granted"),
    ],
)
def test_a_contradictory_decision_is_refused_by_member_name(members, changes, name):
    """An approval has a ceremony and no code; a denial has a code and no ceremony."""
    with pytest.raises(ValueError, match=rf"^{name} "):
        decisions.read_decision(json.dumps({**members, **changes}).encode())


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"null", b"\xff", b'{"at":1,"at":2}', b'{"a":1.5}']
)
def test_a_payload_that_is_not_a_strict_object_is_refused(payload):
    """Decisions and statements are both read with the strict JSON parser."""
    for read in (decisions.read_decision, decisions.read_statement):
        with pytest.raises(ValueError, match=r".+"):
            read(payload)


def test_a_matching_decision_is_accepted_within_the_clock_tolerance():
    """The device's clock may be five minutes ahead or behind."""
    decision = decisions.Decision(**APPROVE)
    for now in (NOW - 300, NOW, NOW + 300):
        decisions.check_decision(decision, expected(at=now))


@pytest.mark.parametrize(
    "name",
    ["iss", "sub", "aud", "approval", "action_digest", "display_digest", "nonce", "granted"],
)
def test_a_decision_that_differs_from_the_expected_one_is_refused_by_name_only(name):
    """A decision must match the request that was shown.

    The error names the member, not its value.
    """
    with pytest.raises(errors.Problem) as refusal:
        decisions.check_decision(decisions.Decision(**APPROVE), expected(**{name: "another"}))
    assert (refusal.value.status, refusal.value.code) == (422, "invalid_decision")
    assert refusal.value.detail.startswith(f"{name} ")
    assert "another" not in refusal.value.detail


@pytest.mark.parametrize("shift", [-301, 301])
def test_a_signature_outside_the_clock_tolerance_is_refused(shift):
    """A signature is refused if its time is too old or too far in the future."""
    with pytest.raises(errors.Problem, match=r"^at "):
        decisions.check_decision(decisions.Decision(**APPROVE), expected(at=NOW + shift))
    with pytest.raises(errors.Problem, match=r"^at "):
        decisions.check_statement(decisions.Statement(**PIN), expected_statement(at=NOW + shift))


@pytest.mark.parametrize("name", ["iss", "sub", "aud", "purpose", "subject", "nonce"])
def test_a_statement_that_differs_from_the_expected_one_is_refused_by_name(name):
    """A statement is valid only for its purpose, subject and device."""
    decisions.check_statement(decisions.Statement(**PIN), expected_statement())
    with pytest.raises(errors.Problem) as refusal:
        decisions.check_statement(
            decisions.Statement(**PIN), expected_statement(**{name: "another"})
        )
    assert (refusal.value.status, refusal.value.code) == (422, "invalid_statement")
    assert refusal.value.detail.startswith(f"{name} ")


@pytest.mark.parametrize("changes", [{"purpose": "approve"}, {"at": None}, {"nonce": 1}])
def test_an_invalid_member_of_a_statement_is_named(changes):
    """An unknown purpose or a wrong type is refused, and the error names the member."""
    (name,) = changes
    with pytest.raises(ValueError, match=rf"^{name} "):
        decisions.read_statement(json.dumps({**PIN, **changes}).encode())


def test_a_decision_is_not_read_as_a_statement_or_vice_versa():
    """Decisions and statements have different members, so neither can pass for the other."""
    with pytest.raises(ValueError, match=r".+"):
        decisions.read_statement(json.dumps(APPROVE).encode())
    with pytest.raises(ValueError, match=r".+"):
        decisions.read_decision(json.dumps(PIN).encode())


@pytest.mark.parametrize("vector", VECTORS["thumbprints"], ids=["rfc9449", "rfc7515"])
def test_thumbprints_match_the_shared_vectors(vector):
    """The thumbprint (RFC 7638) does not depend on the order of the members."""
    backwards = dict(reversed(vector["jwk"].items()))
    assert decisions.thumbprint(backwards) == vector["thumbprint"]


@pytest.mark.parametrize(
    "jwk",
    [
        None,
        "x",
        [],
        {},
        {**KEY, "d": KEY["x"]},
        {**KEY, "kid": "a"},
        {**KEY, "kty": "OKP"},
        {**KEY, "kty": ["EC"]},
        {**KEY, "crv": "P-384"},
        {**KEY, "x": KEY["x"][:-1]},
        {**KEY, "x": KEY["x"] + "="},
        {**KEY, "y": 7},
        {**KEY, "y": None},
        {"kty": "oct", "k": "AAAA"},
    ],
)
def test_a_jwk_that_is_not_exactly_a_public_p256_key_is_refused(jwk):
    """A key with private or other members, another curve or another encoding is refused."""
    with pytest.raises(ValueError, match=r".+"):
        decisions.check_public_jwk(jwk)


def test_every_denial_code_has_a_label_and_a_retry_hint():
    """Each denial code has a label, and a fixed hint on what the agent may do next."""
    assert {name: code.retry for name, code in decisions.DENY_CODES.items()} == {
        "not_needed": "later",
        "wrong_details": "with_changes",
        "too_broad": "narrower",
        "wait_until": "not_before",
        "ask_other": "redirected",
        "suspicious": "never",
    }
    assert all(code.label for code in decisions.DENY_CODES.values())


def test_a_request_digest_covers_method_path_and_body():
    """A digest is valid for one request only, even if text moves between the parts."""
    named = decisions.request_digest("POST", "/api/users", b'{"name": "dora"}')
    others = [
        decisions.request_digest("PUT", "/api/users", b'{"name": "dora"}'),
        decisions.request_digest("POST", "/api/user", b's\n{"name": "dora"}'),
        decisions.request_digest("POST", "/api/users", b'{"name":"dora"}'),
        decisions.request_digest("POST", "/api/users", b"\xff"),
    ]
    assert len({named, *others}) == 5
    assert named == decisions.digest('POST\n/api/users\n{"name": "dora"}')
    assert all(map(decisions.is_digest, [named, *others]))
    for text in ("", "session", named[:-1], f"{named}A", named[:-1] + "\n", "=" * 43):
        assert not decisions.is_digest(text)
