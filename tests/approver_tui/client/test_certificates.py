"""Unreachable servers and invalid certificates."""

import ssl

import httpx
import pytest

from approver_tui.cli.exits import Exit, error_lines, exit_code
from approver_tui.client.errors import CertificateRefused, Unreachable
from approver_tui.client.transport import exchange, new_http
from tests.support.fakes.receiver import certify, receiver


def _refused(url):
    with new_http(url) as http, pytest.raises(Unreachable) as caught:
        exchange(http, http.build_request("GET", "/api/me"))
    assert not caught.value.was_sent
    return str(caught.value)


def test_a_certificate_error_does_not_ask_whether_the_server_is_running():
    """The exit code is the same as for an unreachable server, but the advice is different."""
    refused, silent = (
        CertificateRefused("The certificate is invalid."),
        Unreachable("It does not respond."),
    )
    assert exit_code(refused) == exit_code(silent) == Exit.UNREACHABLE
    assert error_lines(refused)[1] == "Find the cause with: sayso-approver doctor"
    assert error_lines(silent)[1].startswith("Is the server running?")


def test_an_unknown_authority_is_reported_with_its_remedy(tmp_path):
    """The error names the server and says how to trust its authority."""
    with receiver(certify(tmp_path, "localhost")) as listener:
        message = _refused(f"https://localhost:{listener.port}")
    assert message.startswith(f"https://localhost:{listener.port} has an invalid certificate: ")
    assert message.endswith(" Set SSL_CERT_FILE to trust your own certificate authority.")


def test_the_remedy_works_on_this_machine_too(tmp_path, monkeypatch):
    """SSL_CERT_FILE also applies to a local address."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with (
        receiver(certify(tmp_path, "localhost")) as listener,
        new_http(f"https://localhost:{listener.port}") as http,
    ):
        assert exchange(http, http.build_request("GET", "/api/me")).status_code == 200


def test_a_certificate_for_another_name_has_no_such_remedy(tmp_path):
    """SSL_CERT_FILE is not suggested, because no authority would help."""
    with receiver(certify(tmp_path, "other.example")) as listener:
        context = ssl.create_default_context(cafile=tmp_path / "ca.pem")
        http = httpx.Client(base_url=f"https://localhost:{listener.port}", verify=context)
        with (
            http,
            pytest.raises(Unreachable, match="invalid certificate: Hostname mismatch") as caught,
        ):
            exchange(http, http.build_request("GET", "/api/me"))
    assert "SSL_CERT_FILE" not in str(caught.value)


def test_an_unreachable_https_server_is_unreachable(tmp_path):
    """The error is the same as for plain HTTP."""
    with receiver(certify(tmp_path, "localhost")) as listener:
        url = f"https://localhost:{listener.port}"
    assert _refused(url) == f"{url} does not respond."
