"""Every reason why a request ended without an answer has a sentence."""

import ast
from collections.abc import Iterator
from pathlib import Path

import server.services
from approver_tui.state.approvals.endings import END_REASONS
from server.services.approvals import ceremonies, current_checks
from server.services.approvals.withdrawals import SUPERSEDED

_SERVICES = Path(server.services.__file__).parent


def _reasons() -> Iterator[str]:
    """Yield every reason in the server's source: for withdrawals, expiry and failed checks."""
    for path in _SERVICES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "withdraw":
                yield from (
                    _constant_text(keyword.value)
                    for keyword in node.keywords
                    if keyword.arg == "reason"
                )
            is_reason_function = isinstance(node, ast.FunctionDef) and node.name.strip(
                "_"
            ).endswith(("gone", "reason", "stood_on"))
            if is_reason_function and path.stem in {"rights", "expiry", "proposals"}:
                returned = (
                    child.value for child in ast.walk(node) if isinstance(child, ast.Return)
                )
                yield from (_constant_text(value) for value in returned)


def _constant_text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def test_every_reason_of_the_server_has_a_sentence() -> None:
    """The app has a sentence for every reason, so a user never sees its wire name."""
    wire_names = set(filter(None, _reasons()))
    assert {"reported", "resource_deleted", "expired_seen", "user_disabled"} <= wire_names
    states = {f"agent_{state}" for state in ("disabled", "quarantined", "deleted")}
    states |= {"key_rotated", "owner_changed"}
    constants = {
        ceremonies.LOCKED,
        SUPERSEDED,
        current_checks.PARENT_ENDED,
        current_checks.GRANT_ENDED,
        current_checks.CONSENT_CHANGED,
    }
    assert (wire_names | states | constants) - END_REASONS.keys() == set()
