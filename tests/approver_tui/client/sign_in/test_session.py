"""Requests use a valid token, and any process may renew the token."""

import threading

import pytest

from approver_tui.client.api import open_client
from approver_tui.client.errors import ApiError, LoginFirst, Unreachable
from tests.approver_tui.client.conftest import clock


def test_a_rejected_token_is_renewed_once(client, server):
    """After the renewal, the same call succeeds."""
    server.faults.refuse_token_once = True
    assert client.me().user.name == "alice"
    assert server.refreshes == 1


def test_a_token_that_expires_too_soon_is_renewed(client, server):
    """The caller states how long it needs the token."""
    client.session.tokens.access_token(valid_for=599_000)
    before = server.refreshes
    client.session.tokens.access_token(valid_for=601_000)
    assert server.refreshes == before + 1


def test_many_threads_renew_one_token_once(client, server):
    """A refresh token works only once, so only one thread may use it."""
    server.tokens.clear()
    failures = []

    def call_server():
        try:
            client.me()
        except ApiError as error:
            failures.append(error)

    threads = [threading.Thread(target=call_server) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (failures, server.refreshes) == ([], 1)


def test_two_clients_share_a_renewed_token(client, server, home):
    """The second client uses the token that the first one has stored."""
    other = open_client(home, clock=clock)
    other.me()
    server.tokens.clear()
    client.me()
    other.me()
    assert server.refreshes == 1
    other.close()


def test_an_ended_session_requires_a_login(client, server):
    """A refused refresh token raises LoginFirst."""
    server.tokens.clear()
    server.refresh_token = "another"
    with pytest.raises(LoginFirst):
        client.me()


def test_a_wrong_clock_is_corrected(client, server):
    """The client measures the difference and uses the server's time in its proofs."""
    server.clock_ahead = 3_600_000
    assert client.me().user.name == "alice"
    assert abs(client.skew - 3_600_000) < 5_000
    assert abs(client.now() - server.now()) < 5_000


def test_a_slow_response_does_not_correct_the_clock(client):
    """The program may have been suspended while it waited."""
    client.me()
    sent_at = client.now()
    client.observe(sent_at - 11_000, sent_at - 11_000)
    assert client.skew == 0
    client.observe(sent_at - 11_000, sent_at)
    assert client.skew < -10_000


def test_an_unreachable_server_raises_unreachable(client, server):
    """The error names the server and is not an exception of the HTTP library."""
    server.stop()
    with pytest.raises(Unreachable, match="localhost"):
        client.me()


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize("content", ["", "{}", "[]"])
def test_unreadable_tokens_require_a_login(home, content):
    """A damaged file is replaced by the next login, so the error asks for one."""
    (home.secrets_folder / "tokens").write_text(content)
    other = open_client(home, clock=clock)
    with pytest.raises(LoginFirst, match="cannot be read"):
        other.me()
    other.close()


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize("content", ["", "AAAA", "not Base64"])
def test_an_unreadable_session_key_requires_a_login(home, content):
    """A damaged file is replaced by the next login, so the error asks for one."""
    (home.secrets_folder / "session-key").write_text(content)
    with pytest.raises(LoginFirst, match="cannot be read"):
        open_client(home, clock=clock)
