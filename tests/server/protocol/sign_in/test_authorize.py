"""Authorization requests of apps."""

from urllib.parse import urlencode

import pytest

from server.protocol import errors, forms
from server.protocol.sign_in import authorize
from tests.support.browsers.browser import CALLBACK, VERIFIER, challenge_of, request_of

THUMBPRINT = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"


def _form(**parameters):
    return forms.parse_query(
        urlencode(request_of("sayso_app_a", **parameters), doseq=True).encode()
    )


def _parsed(**parameters):
    form = _form(**parameters)
    return authorize.parse(form, authorize.return_to(form))


def test_every_parameter_of_an_authorization_request_is_read():
    """The parsed request has all parameters that the service uses."""
    found = _parsed(
        scope="openid email pay",
        resource="https://pay.example",
        prompt="login consent",
        max_age="0",
        login_hint="ana",
        claims='{"userinfo":{"name":null}}',
        requested_actor="sayso_ag_a",
        dpop_jkt=THUMBPRINT,
        response_mode="form_post",
    )
    assert found.return_to == authorize.ReturnTo(CALLBACK, "s t/8", "form_post")
    assert (found.openid, found.scope) == (("email", "openid"), ("pay",))
    assert (found.resource, found.actor, found.jkt) == (
        "https://pay.example",
        "sayso_ag_a",
        THUMBPRINT,
    )
    assert (found.prompts, found.max_age, found.login_hint) == (("login", "consent"), 0, "ana")
    assert (found.challenge, found.nonce) == (challenge_of(VERIFIER), "n-1")
    assert found.claims_request.userinfo == ("name",)


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"request": "eyJ"}, "request_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"authorization_details": "[]"}, "invalid_authorization_details"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "openid  pay"}, "invalid_scope"),
        ({"scope": "email"}, "invalid_scope"),
        ({"resource": ["https://a.example", "https://b.example"]}, "invalid_target"),
        ({"resource": "pay"}, "invalid_target"),
        ({"resource": "https://a.example#f"}, "invalid_target"),
        ({"requested_actor": "sayso_ag_a"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "create"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"nonce": "n" * 2_049}, "invalid_request"),
        ({"login_hint": "n" * 2_049}, "invalid_request"),
        ({"claims": "[]"}, "invalid_request"),
        ({"dpop_jkt": "x"}, "invalid_request"),
    ],
)
def test_an_invalid_authorization_request_has_its_specified_error(parameters, code):
    """Each of these mistakes alone gives its error code."""
    with pytest.raises(errors.ProtocolError) as refused:
        _parsed(**parameters)
    assert refused.value.code == code


@pytest.mark.parametrize("parameters", [{"redirect_uri": None}, {"state": "s" * 2_049}])
def test_a_request_without_a_valid_return_address_is_invalid_request(parameters):
    """Such an error is shown to the user, because it cannot be sent to the app."""
    with pytest.raises(errors.InvalidRequest):
        authorize.return_to(_form(**parameters))


def test_a_stored_request_reads_back_unchanged():
    """Storing a request drops only unknown parameters."""
    form = _form(resource="https://pay.example", scope="pay", foo="bar", request_uri="x")
    restored = authorize.from_stored(authorize.to_stored(form))
    assert "foo" not in restored.values
    assert authorize.parse(restored, authorize.return_to(restored)) == authorize.parse(
        form, authorize.return_to(form)
    )


def test_an_answer_has_the_issuer_and_the_state():
    """RFC 9207 requires the issuer. The state is returned only if the app sent one."""
    back = authorize.ReturnTo(CALLBACK, "s", "query")
    assert authorize.answer("https://i", back, {"code": "c"}) == (
        ("code", "c"),
        ("state", "s"),
        ("iss", "https://i"),
    )
    without_state = authorize.ReturnTo(CALLBACK, None, "query")
    assert authorize.answer("https://i", without_state, {"error": "e"}) == (
        ("error", "e"),
        ("iss", "https://i"),
    )
