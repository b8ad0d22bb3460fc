"""The evidence of a decision: every field, what this browser can prove of it, and a file to keep.

Owns: `/receipt/<id>`. Never: checks anything itself; a page that says of its own server that it is
right proves nothing, so the browser's own cryptography does that.
"""

import json
from typing import Final

from server.http.site import Site
from server.services.people import Person
from server.web.person_forms import calls_of
from server.web.person_pages import Sheet, headline_of

_ROW: Final = "GET /api/approvals/<id>/receipt"


def show(site: Site, _person: Person, **parts: str) -> Sheet:
    """GET /receipt/<id>: of a request that asked this person."""
    receipt = calls_of(site).read(_ROW, parts["id"])
    approval = receipt["approval"]
    facts = {
        "at": "history",
        "receipt": receipt,
        "approval": approval,
        "headline": headline_of(approval),
        "display": json.loads(approval["display"]),
        "whole": json.dumps(receipt, ensure_ascii=False, indent=1),
    }
    return "receipt.html", facts
