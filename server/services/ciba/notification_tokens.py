"""The `client_notification_token` of a request, sealed until its call has been made."""

from server.model.approvals import Approval
from server.model.ports import Secrets


def sealed(secrets: Secrets, approval_id: str, token: str | None) -> bytes | None:
    """The token as it is kept; None where the agent sent none."""
    return None if token is None else secrets.seal(_purpose(approval_id), token.encode())


def opened(secrets: Secrets, approval: Approval) -> bytes:
    """The token of this request, as the agent sent it."""
    return secrets.open(_purpose(approval.id), approval.notification_token or b"")


def _purpose(approval_id: str) -> str:
    return f"notification token:{approval_id}"
