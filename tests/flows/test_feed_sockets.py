"""The number of live feeds per device is limited, and other devices are not affected."""

from contextlib import ExitStack

import pytest
from websockets.exceptions import InvalidStatus

from server.http.feed import MAX_SOCKETS
from tests.support.checks.refusals import check_problem
from tests.support.checks.waiting import until
from tests.support.clients.feed_frames import open_feed
from tests.support.clients.terminal import Terminal, new_person
from tests.support.inputs.raw_api import RawApi
from tests.support.servers.server import LiveServer


def _can_open_feed(person: Terminal) -> bool:
    try:
        with open_feed(person):
            return True
    except InvalidStatus:
        return False


def test_a_device_can_have_at_most_ten_sockets(server: LiveServer, person: Terminal) -> None:
    """The eleventh socket is refused before the handshake; closing one frees a slot."""
    other = new_person(server)
    with ExitStack() as stack:
        stack.callback(other.client.close)
        for _ in range(MAX_SOCKETS - 1):
            stack.enter_context(open_feed(person))
        with open_feed(person), pytest.raises(InvalidStatus) as refused, open_feed(person):
            pass
        assert refused.value.response.status_code == 429
        assert b"too_many_sockets" in (refused.value.response.body or b"")
        assert _can_open_feed(other)
        until(lambda: _can_open_feed(person))


def test_a_failed_handshake_does_not_use_a_socket_slot(
    server: LiveServer, person: Terminal
) -> None:
    """Requests without an upgrade or with an invalid cursor take no slot."""
    with server.client() as http:
        api = RawApi(person, http)
        for _ in range(MAX_SOCKETS + 1):
            assert api.call("GET", "/api/feed").status_code != 429
        for _ in range(MAX_SOCKETS + 1):
            check_problem(api.call("GET", "/api/feed?cursor=x"), 422, "invalid_body")
    assert _can_open_feed(person)
