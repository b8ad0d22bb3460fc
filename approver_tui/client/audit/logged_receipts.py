"""Checks that the audit log contains what a receipt says.

Owns: the check with the key that this machine knows. Never: its steps; `server.audit_log` has them.
"""

from collections.abc import Mapping
from typing import Any

from server.audit_log import receipts
from server.audit_log.notes import LogKey
from server.audit_log.receipts import BadReceipt, NotProved


class NotLogged(Exception):
    """The log contradicts the receipt; the message says how."""


def why_not_proved(receipt: Mapping[str, Any], log_key: str | None) -> str:
    """Return why it can't be verified here; "" if the log has all of it. Raises NotLogged."""
    if log_key is None:
        return "the key of the audit log is not known on this machine"
    try:
        receipts.check(receipt, [LogKey.read(log_key)])
    except NotProved as error:
        return str(error).rstrip(".")
    except BadReceipt as error:
        raise NotLogged(str(error).rstrip(".")) from error
    return ""
