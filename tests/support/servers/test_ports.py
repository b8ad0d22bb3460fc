"""Ports of tests: nobody else gets one, also while its server is down."""

import socket

from tests.support.servers import ports


def test_a_port_is_given_away_once() -> None:
    """Its server can listen, stop and listen again."""
    port = ports.free_port()
    for _ in range(2):
        with socket.create_server(("127.0.0.1", port)) as server:
            with socket.create_connection(("127.0.0.1", port)):
                server.accept()[0].close()
            assert not ports._keep(port)
        assert not ports._keep(port)
