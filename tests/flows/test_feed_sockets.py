"""The number of live feeds per device is limited, without effect on other devices."""

from contextlib import ExitStack

import pytest
from websockets.exceptions import InvalidStatus

from server.http.feed import MAX_SOCKETS
from tests.support.checks.refusals import check_problem
from tests.support.checks.waiting import until
from tests.support.clients.feed_frames import greeted
from tests.support.clients.terminal import Terminal, new_person
from tests.support.inputs.raw_api import RawApi
from tests.support.servers.server import LiveServer


def _opens(person: Terminal) -> bool:
    try:
        with greeted(person):
            return True
    except InvalidStatus:
        return False


def test_a_device_holds_at_most_ten_sockets(server: LiveServer, person: Terminal) -> None:
    """The next one is refused before the handshake; a closed one frees a slot."""
    other = new_person(server)
    with ExitStack() as held:
        held.callback(other.client.close)
        for _ in range(MAX_SOCKETS - 1):
            held.enter_context(greeted(person))
        with greeted(person), pytest.raises(InvalidStatus) as refused, greeted(person):
            pass
        assert refused.value.response.status_code == 429
        assert b"too_many_sockets" in (refused.value.response.body or b"")
        assert _opens(other)
        until(lambda: _opens(person))


def test_a_failed_handshake_holds_no_socket(server: LiveServer, person: Terminal) -> None:
    """Requests without an upgrade take no slot."""
    with server.client() as http:
        api = RawApi(person, http)
        for _ in range(MAX_SOCKETS + 1):
            assert api.call("GET", "/api/feed").status_code != 429
        for _ in range(MAX_SOCKETS + 1):
            check_problem(api.call("GET", "/api/feed?cursor=x"), 422, "invalid_body")
    assert _opens(person)
