"""Only one module makes outgoing connections."""

from tests.support.checks.source import modules, uses

_WAYS_OUT = (
    "requests",
    "requests_hardened",
    "urllib3",
    "urllib.request",
    "http.client",
    "httpx",
    "websockets",
    "aiohttp",
    "smtplib",
    "ftplib",
    "socket.create_connection",
    "gevent.socket.create_connection",
)
_ALLOWED_MODULES = {
    "server/delivery/egress.py": _WAYS_OUT,  # checks every address before it connects
    "approver_tui/client/": ("httpx", "websockets"),  # connects to the server that its user named
    "sayso/": ("httpx",),  # runs in other programs and connects to what they name
}


def test_nothing_connects_outward_except_through_egress():
    """Every URL that an agent can name must pass the address filter."""
    bypasses = [
        f"{module.path}:{line} {name}"
        for module in modules()
        for line, name in uses(module.tree)
        if _is_any(name, _WAYS_OUT) and not _is_any(name, _allowed(module.path))
    ]
    assert bypasses == []


def _allowed(path: str) -> tuple[str, ...]:
    return next(
        (ways for allowed_path, ways in _ALLOWED_MODULES.items() if path.startswith(allowed_path)),
        (),
    )


def _is_any(name: str, ways: tuple[str, ...]) -> bool:
    return any(name == way or name.startswith(f"{way}.") for way in ways)
