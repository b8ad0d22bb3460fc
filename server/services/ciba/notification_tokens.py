"""Encrypts the `client_notification_token` of a request until the callback is sent."""

from server.model.approvals import Approval
from server.model.ports import Secrets


def encrypt(secrets: Secrets, approval_id: str, token: str | None) -> bytes | None:
    """Return the encrypted token; None if the agent sent none."""
    return None if token is None else secrets.seal(_purpose(approval_id), token.encode())


def decrypt(secrets: Secrets, approval: Approval) -> bytes:
    """Return the decrypted token of this request."""
    return secrets.open(_purpose(approval.id), approval.notification_token or b"")


def _purpose(approval_id: str) -> str:
    return f"notification token:{approval_id}"
