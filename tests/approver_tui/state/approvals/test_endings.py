"""Why a request ended without an answer, in our words."""

import ast
from collections.abc import Iterator
from pathlib import Path

import server.services
from approver_tui.state.approvals.endings import END_REASONS
from server.services.approvals import ceremonies, current_checks
from server.services.approvals.withdrawals import SUPERSEDED

OWN_SENTENCE = {"withdrawn"}
"""It is said with the name of the agent."""
_SERVICES = Path(server.services.__file__).parent


def _reasons() -> Iterator[str]:
    """What the server's source gives as a reason: where it withdraws, lets expire, finds gone."""
    for path in _SERVICES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "withdraw":
                yield from (
                    _text(keyword.value) for keyword in node.keywords if keyword.arg == "reason"
                )
            gone = isinstance(node, ast.FunctionDef) and node.name.strip("_").endswith(
                ("gone", "reason", "stood_on")
            )
            if gone and path.stem in {"rights", "expiry", "proposals"}:
                found = (each.value for each in ast.walk(node) if isinstance(each, ast.Return))
                yield from (_text(each) for each in found)


def _text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def test_every_reason_of_the_server_has_a_sentence() -> None:
    """A word of the wire on a screen helps nobody."""
    found = set(filter(None, _reasons()))
    assert {"reported", "resource_deleted", "expired_seen", "user_disabled"} <= found
    states = {f"agent_{state}" for state in ("disabled", "quarantined", "deleted")}
    named = {ceremonies.LOCKED, SUPERSEDED, current_checks.PARENT_ENDED, current_checks.GRANT_ENDED}
    assert (found | states | named) - OWN_SENTENCE - END_REASONS.keys() == set()
