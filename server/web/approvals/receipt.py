"""The receipt page: every field, the checks that run in the browser, and a file to download.

Owns: `/receipt/<id>`. Never: checking the receipt; a server's claim about itself proves nothing,
so the browser's own cryptography does that.
"""

import json
from collections.abc import Mapping
from typing import Any

from server.web.approvals.outcomes import outcome_of
from server.web.approvals.request import headline_of
from server.web.page import Facts


def facts(read: Mapping[str, Any]) -> Facts:
    """The values that the page shows besides the receipt's own fields."""
    receipt = read["receipt"]
    approval = receipt["approval"]
    return {
        "approval": approval,
        "headline": headline_of(approval),
        "outcome": outcome_of(approval),
        "display": json.loads(approval["display"]),
        "whole": json.dumps(receipt, ensure_ascii=False, indent=1),
    }
