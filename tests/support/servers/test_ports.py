"""No other process gets a port that is reserved for tests, even while its server is down."""

import socket

from tests.support.servers import ports


def test_a_port_is_assigned_only_once() -> None:
    """A server can listen on it, stop and listen again, while nobody else can reserve the port."""
    port = ports.free_port()
    for _ in range(2):
        with socket.create_server(("127.0.0.1", port)) as server:
            with socket.create_connection(("127.0.0.1", port)):
                server.accept()[0].close()
            assert not ports._keep(port)
        assert not ports._keep(port)
