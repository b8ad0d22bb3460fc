"""Ports for the servers of tests; no port is assigned twice while the process that got it runs.

A socket that is bound and never listens reserves a port: a server that reuses addresses can listen
on it, and no other process gets it, even while that server is down.
"""

import secrets
import socket

_PORTS = range(20_000, 32_000)
"""Below the system's ephemeral ports, so that no outgoing connection takes one of them."""
_RESERVED: list[socket.socket] = []


def free_port() -> int:
    """A port on which nobody listens."""
    while True:
        port = secrets.choice(_PORTS)
        if _keep(port):
            return port


def _keep(port: int) -> bool:
    reservation = socket.socket()
    try:
        reservation.bind(("127.0.0.1", port))
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    except OSError:
        reservation.close()
        return False
    _RESERVED.append(reservation)
    return True
