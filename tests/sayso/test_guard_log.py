"""What a guard logs for the operator of its API."""

import httpx
import pytest

from sayso import Guard, Rejected
from tests.support.fakes.issuer import API, ISSUER, FakeIssuer


def test_the_reason_for_a_503_is_logged_for_the_operator(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The caller cannot fix the issuer's certificate, so the response does not mention it."""
    issuer = FakeIssuer()

    def fail(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED]")

    with (
        httpx.Client(transport=httpx.MockTransport(fail)) as http,
        pytest.raises(Rejected) as rejected,
    ):
        Guard(ISSUER, API, http=http).check(f"Bearer {issuer.token()}")
    assert rejected.value.status == 503
    assert "SSL_CERT_FILE" not in str(rejected.value.body)
    (message,) = caplog.messages
    assert f"No answer from {ISSUER}/.well-known/oauth-authorization-server" in message
    assert message.endswith("signed the certificate, set SSL_CERT_FILE to its file.")


@pytest.mark.parametrize("path", ["/introspect", "/jwks"])
def test_the_status_of_a_failing_issuer_is_logged(
    caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """The log names the URL and its status."""
    issuer = FakeIssuer()

    def fail(request: httpx.Request) -> httpx.Response:
        return httpx.Response(502) if request.url.path == path else issuer.answer(request)

    credentials = ("sayso_rs_1", "sayso_cs_1")
    with (
        httpx.Client(transport=httpx.MockTransport(fail)) as http,
        Guard(ISSUER, API, credentials=credentials, introspect_every=0, http=http) as guard,
        pytest.raises(Rejected) as rejected,
    ):
        guard.check(f"Bearer {issuer.token()}")
    assert rejected.value.status == 503
    assert f"{ISSUER}{path} answered with status 502" in caplog.text
