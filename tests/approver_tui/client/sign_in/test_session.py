"""Requests carry a token that is good, whoever renews it."""

import threading

import pytest

from approver_tui.client.api import open_client
from approver_tui.client.errors import ApiError, LoginFirst, Unreachable
from tests.approver_tui.client.conftest import clock


def test_a_refused_token_is_renewed_once(client, server):
    """The person notices nothing."""
    server.faults.refuse_token_once = True
    assert client.me().user.name == "alice"
    assert server.refreshes == 1


def test_a_token_that_is_about_to_end_is_renewed_first(client, server):
    """No request goes out with a token that may end on the way."""
    client.session.tokens.access_token(lasting=599_000)
    before = server.refreshes
    client.session.tokens.access_token(lasting=601_000)
    assert server.refreshes == before + 1


def test_many_threads_renew_one_token_once(client, server):
    """A refresh token works once; twelve threads that need it do not race for it."""
    server.tokens.clear()
    failures = []

    def ask():
        try:
            client.me()
        except ApiError as error:
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (failures, server.refreshes) == ([], 1)


def test_two_processes_share_what_one_renewed(client, server, home):
    """The second client takes the token that the first has just put down."""
    other = open_client(home, clock=clock)
    other.me()
    server.tokens.clear()
    client.me()
    other.me()
    assert server.refreshes == 1
    other.close()


def test_an_ended_session_asks_for_a_login(client, server):
    """A refused refresh token is the end; it is not tried again and again."""
    server.tokens.clear()
    server.refresh_token = "another"
    with pytest.raises(LoginFirst):
        client.me()


def test_a_wrong_clock_is_learnt_and_forgiven(client, server):
    """Proofs carry the server's time; a laptop that woke up wrong still works."""
    server.clock_ahead = 3_600_000
    assert client.me().user.name == "alice"
    assert abs(client.skew - 3_600_000) < 5_000
    assert abs(client.now() - server.now()) < 5_000


def test_an_answer_that_lay_here_for_long_says_nothing_about_the_time(client):
    """The program was stopped while it was under way: its time is as old as that."""
    client.me()
    asked_at = client.now()
    client.observe(asked_at - 11_000, asked_at - 11_000)
    assert client.skew == 0
    client.observe(asked_at - 11_000, asked_at)
    assert client.skew < -10_000


def test_no_server_is_unreachable(client, server):
    """The error names the server and not a library's exception."""
    server.stop()
    with pytest.raises(Unreachable, match="localhost"):
        client.me()
