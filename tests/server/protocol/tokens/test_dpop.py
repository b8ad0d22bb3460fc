"""DPoP proofs that are valid for a request, and proofs that are not."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.protocol import errors
from server.protocol.approvals import decisions
from server.protocol.tokens import dpop

VECTORS = json.loads(
    Path(__file__).parents[3].joinpath("vectors/dpop_htu.json").read_text(encoding="utf-8")
)
KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
    "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
}
HEADER = {"typ": "dpop+jwt", "alg": "ES256", "jwk": KEY}
IAT = 1_795_566_864
URL = "https://as.example/token"
CLAIMS = {"jti": "a1", "htm": "POST", "htu": URL, "iat": IAT}


def check(claims, *, now=IAT * 1000, access_token=None):
    """Check claims for a POST to URL."""
    return dpop.check_proof(
        claims, method="POST", url=URL, now=now, access_token=access_token, loopback_alias=False
    )


def test_a_nonce_is_valid_in_its_time_window_and_the_next_one():
    """RFC 9449 8: a nonce is issued for five minutes and accepted for five more minutes."""
    first, before = dpop.nonce_windows(IAT * 1000)
    later, later_before = dpop.nonce_windows((IAT + dpop.NONCE_SECONDS) * 1000)
    assert later_before == first
    assert len({first, before, later}) == 3


def test_a_proof_without_a_current_nonce_gets_the_newest():
    """RFC 9449 4.3, 10: the error has the newest nonce, whatever the proof contained."""
    dpop.check_nonce({"nonce": "old"}, ["new", "old"])
    for claims in ({}, {"nonce": "older"}, {"nonce": None}, {"nonce": ["new"]}):
        with pytest.raises(errors.UseDpopNonce) as refusal:
            dpop.check_nonce(claims, ["new", "old"])
        assert refusal.value.headers == {"DPoP-Nonce": "new"}


def assert_refused(claims, member, **request):
    """Check that the claims are refused and that the error names the member."""
    with pytest.raises(errors.InvalidDpopProof) as refusal:
        check(claims, **request)
    assert refusal.value.description.startswith(member)


def test_checking_a_valid_proof_returns_the_use_to_store():
    """The use has a hash of the jti, and the time from which the proof is too old."""
    use = check(CLAIMS)
    assert use == dpop.ProofUse(decisions.digest("a1"), IAT, (IAT + 60) * 1000)
    assert_refused(CLAIMS, "iat", now=use.expires_at)


@pytest.mark.parametrize("values", [[], ["a.b.c", "a.b.c"], [""], ["a.b"], ["a.b.c.d"], ["a..c"]])
def test_anything_but_one_well_formed_jwt_is_refused(values):
    """DP-01, DP-02: there must be exactly one header, with exactly one JWT."""
    with pytest.raises(errors.InvalidDpopProof):
        dpop.one_proof(values)


@pytest.mark.parametrize(
    "value", ["a.b.c,d.e.f", "a.b.c ", "a.b.ä", "a.b.c\n", f"a.b.{'c' * 5000}"]
)
def test_a_header_with_other_characters_or_excessive_length_is_refused(value):
    """DP-02: such a header is refused before it is parsed."""
    with pytest.raises(errors.InvalidDpopProof):
        dpop.one_proof([value])


def test_the_header_value_is_returned_unchanged():
    """The signature covers exactly these characters."""
    assert dpop.one_proof(["a-_9.b.c"]) == "a-_9.b.c"


@pytest.mark.parametrize("name", ["jti", "htm", "htu", "iat"])
@pytest.mark.parametrize("value", [None, 7.5, True, [], ["POST"], {}, "\ud800", "MISSING"])
def test_a_missing_or_mistyped_claim_is_refused_by_name(name, value):
    """DP-03 to DP-06, DP-14, DP-15: the error names the claim, and nothing crashes."""
    claims = {**CLAIMS, name: value}
    if value == "MISSING":
        del claims[name]
    assert_refused(claims, name)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"typ": "JWT"}, "typ"),
        ({"typ": None}, "typ"),
        ({"typ": ["dpop+jwt"]}, "typ"),
        ({"alg": "none"}, "alg"),
        ({"alg": "HS256"}, "alg"),
        ({"alg": "RS256"}, "alg"),
        ({"alg": "es256"}, "alg"),
        ({"alg": ["ES256"]}, "alg"),
        ({"jwk": None}, "jwk"),
        ({"jwk": "x"}, "jwk"),
        ({"jwk": {**KEY, "d": KEY["x"]}}, "jwk"),
        ({"jwk": {"kty": "oct", "k": "AAAA"}}, "jwk"),
        ({"jwk": {**KEY, "y": 7}}, "jwk"),
    ],
)
def test_a_header_without_the_type_algorithm_and_public_key_of_a_proof_is_refused(changes, word):
    """DP-07 to DP-11, DP-13: the header has the typ, alg and public jwk of a proof."""
    with pytest.raises(errors.InvalidDpopProof) as refusal:
        dpop.read_proof_header({**HEADER, **changes})
    assert refusal.value.description.startswith(word)


def test_a_header_without_a_key_is_refused():
    """DP-11: a proof must contain its public key."""
    with pytest.raises(errors.InvalidDpopProof):
        dpop.read_proof_header({"typ": "dpop+jwt", "alg": "ES256"})


def test_only_the_four_key_members_of_a_header_are_kept():
    """Web Crypto adds members such as `ext` and `key_ops`, which are dropped."""
    jwk = {**KEY, "ext": True, "key_ops": ["verify"], "alg": "ES256", "use": "sig", "kid": "1"}
    jwk |= {"x5u": "https://evil.example", "owner": {"any": "thing"}}
    assert dpop.read_proof_header({**HEADER, "jwk": jwk}) == KEY


@pytest.mark.parametrize("method", ["post", "GET", "POST ", ""])
def test_a_proof_for_another_method_is_refused(method):
    """DP-14: the method must be equal, and methods are case-sensitive."""
    assert_refused({**CLAIMS, "htm": method}, "htm")


@pytest.mark.parametrize("vector", VECTORS, ids=map(str, range(len(VECTORS))))
def test_urls_are_compared_as_in_the_shared_vectors(vector):
    """DP-15, DP-22: the comparison is symmetric and ignores query and fragment."""
    for left, right in ((vector["a"], vector["b"]), (vector["b"], vector["a"])):
        equal = dpop.same_url(left, right, loopback_alias=vector["loopback_alias"])
        assert equal is vector["equal"]


def test_a_proof_for_another_url_is_refused():
    """DP-15: the proof must be for the URL of the request."""
    assert_refused({**CLAIMS, "htu": "https://as.example/other"}, "htu")


def test_a_proof_for_another_name_of_this_machine_needs_the_alias_option():
    """The option treats the three loopback names as the same host."""
    claims = {**CLAIMS, "htu": "http://127.0.0.1:8470/token"}
    request = {"method": "POST", "url": "http://localhost:8470/token", "now": IAT * 1000}
    dpop.check_proof(claims, **request, access_token=None, loopback_alias=True)
    with pytest.raises(errors.InvalidDpopProof):
        dpop.check_proof(claims, **request, access_token=None, loopback_alias=False)


@given(st.text(max_size=60) | st.builds(URL.replace, st.just("as.example"), st.text(max_size=20)))
def test_any_htu_is_compared_without_a_crash(url):
    """A URL with any characters can be compared, and a different host never matches."""
    assert not dpop.same_url(url, URL, loopback_alias=True) or "as.example" in url.lower()


@pytest.mark.parametrize("age", [-5_000, -4_999, 0, 1, 59_999])
def test_a_fresh_proof_is_accepted(age):
    """A proof is valid from five seconds before its time until a minute after it."""
    check(CLAIMS, now=IAT * 1000 + age)


def test_the_time_of_a_proof_may_have_a_fraction():
    """RFC 7519 2: the fraction is ignored, so that a used proof is remembered long enough."""
    use = check({**CLAIMS, "iat": IAT + 0.9}, now=IAT * 1000 + 59_999)
    assert (use.iat, use.expires_at) == (IAT, (IAT + 60) * 1000)


@pytest.mark.parametrize("age", [-5_001, -3_600_000, 60_000, 3_600_000])
def test_a_proof_that_is_too_old_or_too_early_is_refused(age):
    """DP-16, DP-17: the limits are exact to the millisecond."""
    assert_refused(CLAIMS, "iat", now=IAT * 1000 + age)


@pytest.mark.parametrize("iat", [-1, 0, 10**30, str(IAT)])
def test_an_absurd_time_is_refused(iat):
    """DP-16, DP-17: a time that is far out of range, or that is not a number, is refused."""
    assert_refused({**CLAIMS, "iat": iat}, "iat")


def test_a_proof_sent_with_an_access_token_needs_its_hash():
    """DP-19: a proof for one access token is not valid for another."""
    check({**CLAIMS, "ath": decisions.digest("token")}, access_token="token")
    for ath in (None, 7, "", decisions.digest("other"), "token"):
        assert_refused({**CLAIMS, "ath": ath}, "ath", access_token="token")
    assert_refused(CLAIMS, "ath", access_token="token")


@pytest.mark.parametrize("jti", ["", "x" * 129])
def test_a_jti_that_is_empty_or_too_long_is_refused(jti):
    """DP-21: an ID that is remembered must have a limited length."""
    assert_refused({**CLAIMS, "jti": jti}, "jti")


def test_equal_jtis_have_equal_hashes_and_others_do_not():
    """DP-21: replays are detected by comparing these hashes."""
    assert check(CLAIMS).jti_hash == check({**CLAIMS, "more": 1}).jti_hash
    assert check(CLAIMS).jti_hash != check({**CLAIMS, "jti": "a2"}).jti_hash
