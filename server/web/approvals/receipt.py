"""The evidence of a decision: every field, what this browser can prove of it, and a file to keep.

Owns: `/receipt/<id>`. Never: checks anything itself; a page that says of its own server that it is
right proves nothing, so the browser's own cryptography does that.
"""

import json
from collections.abc import Mapping
from typing import Any

from server.web.approvals.request import headline_of
from server.web.page import Facts


def facts(read: Mapping[str, Any]) -> Facts:
    """What the page shows of a receipt beside its fields."""
    receipt = read["receipt"]
    approval = receipt["approval"]
    return {
        "approval": approval,
        "headline": headline_of(approval),
        "display": json.loads(approval["display"]),
        "whole": json.dumps(receipt, ensure_ascii=False, indent=1),
    }
