"""An API's demand for approval, as the API sends it to the agent.

The response is 403 with `WWW-Authenticate: … error="insufficient_authorization_details"` and a JSON
body with the `authorization_details` that a person must approve (OAuth 2.0 RAR Metadata and Error
Signaling), the `resource` and the `scope`.

Owns: this document, for both sides. Never: sending it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx

ERROR: Final = "insufficient_authorization_details"


@dataclass(frozen=True, slots=True)
class Challenge:
    """The action that a person must approve before the API acts. Pass it to `Agent.ask`."""

    details: Sequence[Mapping[str, Any]]
    resource: str
    scope: str = ""

    @staticmethod
    def from_response(response: httpx.Response) -> "Challenge | None":
        """Return the demand in an API's response, or None."""
        if response.status_code != httpx.codes.FORBIDDEN:
            return None
        try:
            body = response.json()
        except ValueError:
            return None
        if not isinstance(body, dict) or body.get("error") != ERROR:
            return None
        details, resource = body.get("authorization_details"), body.get("resource")
        if not isinstance(details, list) or not isinstance(resource, str):
            return None
        return Challenge(details, resource, str(body.get("scope", "")))

    def body(self) -> dict[str, object]:
        """Return the members of the API's response."""
        members: dict[str, object] = {
            "authorization_details": list(self.details),
            "resource": self.resource,
        }
        return {**members, "scope": self.scope} if self.scope else members
