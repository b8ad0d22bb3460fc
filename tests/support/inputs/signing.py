"""Decisions and statements signed by hand: with any key, and any members."""

from approver_tui.client.devices import unlocking
from approver_tui.client.devices.keys import KeyLevel
from approver_tui.client.jose import SigningKey, signed_decision, signed_statement
from approver_tui.state.approvals.approvals import Approval
from tests.support.clients.terminal import PIN, Terminal


def approval_key(
    terminal: Terminal, level: KeyLevel, purpose: str = unlocking.SESSION_PURPOSE
) -> SigningKey:
    """Return the terminal's approval key, opened with one PIN call for this purpose."""
    return unlocking.open_key(terminal.client, PIN, level, purpose).key


def decision(
    terminal: Terminal, approval: Approval, key: SigningKey, /, **members: str | int | None
) -> str:
    """Return a signed approval by confirmation; `approval` must contain its nonce."""
    whole: dict[str, str | int | None] = {
        "approval": approval.id,
        "action_digest": approval.action_digest,
        "display_digest": approval.display_digest,
        "decision": "approve",
        "granted": None,
        "code": None,
        "ceremony": "confirm",
        "at": terminal.client.now() // 1000,
        "nonce": approval.nonce,
        **members,
    }
    return signed_decision(key, terminal.client.signer, whole)


def pin_statement(terminal: Terminal, key: SigningKey, nonce: str) -> str:
    """Return a device's signed statement that its PIN was right."""
    client = terminal.client
    return signed_statement(
        key,
        client.signer,
        purpose="pin",
        subject=client.profile.device_id,
        at=client.now() // 1000,
        nonce=nonce,
    )
