"""Authentication with an access token at our own endpoints, as in RFC 6750 and RFC 9449 7."""

import pytest

from server.protocol import errors
from server.services.tokens.access_token_auth import AccessTokenAuth
from server.services.tokens.issued_tokens import IssuedTokens
from server.services.users.device_auth import DeviceCall
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY, PAY
from tests.support.builders.site import ISSUER
from tests.support.inputs.dpop_proofs import ath, proof
from tests.support.inputs.handmade_jwts import new_key

URL = f"{ISSUER}/userinfo"


@pytest.fixture(scope="module")
def key():
    """The key of the client."""
    return new_key("ES256")


@pytest.fixture
def plain(agent):
    """A token that is not bound to a key."""
    return agent.alone().json["access_token"]


@pytest.fixture
def bound(agent, key, local):
    """A token that is bound to the key."""
    token_proof = proof(key, f"{ISSUER}/token", local.clock.now())
    return agent.alone(token_proof).json["access_token"]


@pytest.fixture
def accept(local):
    """Return a function that authenticates with a token; it returns the token's ID."""
    services = local.services
    access_token_auth = AccessTokenAuth(
        IssuedTokens(services.verifier, services.server_policy), local.site.users.proofs
    )

    def present(authorization, *proofs, audience=PAY):
        call = DeviceCall(authorization, proofs, "GET", URL)
        with services.store.write() as tx:
            return access_token_auth.authenticate(tx, call, audience=audience).row.id

    return present


@pytest.fixture
def prove(key, local):
    """Return a function that makes a proof for the endpoint and a token."""
    return lambda token, **changes: proof(
        key, URL, local.clock.now(), "GET", **{"ath": ath(token), **changes}
    )


def _refusal(accept, *presented, **more):
    with pytest.raises(errors.Problem) as refused:
        accept(*presented, **more)
    assert refused.value.status == 401
    return refused.value.code, refused.value.headers["WWW-Authenticate"]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_an_unbound_token_is_accepted_as_bearer(accept, local, plain, scheme):
    """RFC 6750 2.1, RFC 9110 11.1: the name of the scheme is not case-sensitive."""
    assert accept(f"{scheme} {plain}") == local.claims(plain)["jti"]


def test_a_bound_token_is_accepted_with_a_proof_of_its_key(accept, bound, local, prove):
    """RFC 9449 7.1: a bound token needs the DPoP scheme and a proof."""
    assert accept(f"DPoP {bound}", prove(bound)) == local.claims(bound)["jti"]


@pytest.mark.parametrize("authorization", [None, "", "Basic eDp5", "Bearer", "x"])
def test_without_a_token_the_challenge_offers_both_schemes(accept, authorization):
    """RFC 6750 3: the challenge has no error, because nothing was presented."""
    if authorization == "Bearer":
        assert _refusal(accept, authorization)[0] == "invalid_token"
        return
    expected = ("invalid_token", 'Bearer, DPoP algs="ES256"')
    assert _refusal(accept, authorization) == expected


def test_a_token_for_another_audience_is_refused(accept, plain, local):
    """A token for another audience, a malformed and an expired token get the same error."""
    invalid = ("invalid_token", 'Bearer error="invalid_token"')
    assert _refusal(accept, f"Bearer {plain}", audience=URL) == invalid
    assert _refusal(accept, "Bearer x") == invalid
    local.clock.forward(5 * MINUTE)
    assert _refusal(accept, f"Bearer {plain}") == invalid


def test_a_bound_token_is_refused_as_bearer(accept, bound, prove):
    """DP-50, NG-087, NG-109: the Bearer scheme is refused, with and without a proof."""
    expected = ("invalid_token", 'DPoP error="invalid_token", algs="ES256"')
    assert _refusal(accept, f"Bearer {bound}") == expected
    assert _refusal(accept, f"Bearer {bound}", prove(bound)) == expected


def test_an_unbound_token_is_refused_as_dpop(accept, plain, prove):
    """DP-52: the DPoP scheme is refused for a token without a key, even with a proof."""
    assert _refusal(accept, f"DPoP {plain}", prove(plain))[0] == "invalid_token"


def test_a_proof_must_match_the_call_and_the_token(accept, bound, prove):
    """DP-51, DP-19, DP-55: a missing, reused, wrong or second proof is refused."""
    used_proof = prove(bound)
    accept(f"DPoP {bound}", used_proof)
    for proofs in (
        [],
        [used_proof],
        [prove(bound, ath=None)],
        [prove(bound, ath=ath("x"))],
        [prove(bound, htm="POST")],
        [prove(bound, htu=f"{ISSUER}/token")],
        [prove(bound), prove(bound)],
    ):
        code, challenge = _refusal(accept, f"DPoP {bound}", *proofs)
        assert code == "invalid_dpop_proof"
        assert challenge == 'DPoP error="invalid_dpop_proof", algs="ES256"'


def test_a_proof_of_another_key_is_refused(accept, bound, local):
    """DP-20: a proof must be signed with the key of the token."""
    wrong_proof = proof(new_key("ES256"), URL, local.clock.now(), "GET", ath=ath(bound))
    assert _refusal(accept, f"DPoP {bound}", wrong_proof)[0] == "invalid_token"


def test_a_disabled_agents_token_is_refused(accept, local, plain):
    """Disabling an agent ends its tokens immediately."""
    local.admin.agents.disable("invoice-bot", by=BY)
    assert _refusal(accept, f"Bearer {plain}")[0] == "invalid_token"


class TestNonces:
    """RFC 9449 9, where the setting requires nonces."""

    @pytest.fixture
    def local(self, open_local):
        """A server that requires nonces."""
        return open_local(dpop_nonce="required")

    def test_a_proof_without_a_nonce_is_refused_with_one(self, accept, agent, key, local, prove):
        """DP-41: the response contains a nonce, and a proof with that nonce is accepted."""
        token_url = f"{ISSUER}/token"
        nonce = agent.alone(proof(key, token_url, local.clock.now())).headers["DPoP-Nonce"]
        token_proof = proof(key, token_url, local.clock.now(), nonce=nonce)
        bound = agent.alone(token_proof).json["access_token"]
        with pytest.raises(errors.Problem) as refused:
            accept(f"DPoP {bound}", prove(bound))
        assert refused.value.code == "use_dpop_nonce"
        assert refused.value.headers["WWW-Authenticate"].startswith('DPoP error="use_dpop_nonce"')
        next_nonce = refused.value.headers["DPoP-Nonce"]
        assert accept(f"DPoP {bound}", prove(bound, nonce=next_nonce))
