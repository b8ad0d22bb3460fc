"""An agent that asks a person for approval, with standard OAuth only.

You can copy it to start your own. It exchanges the token that came with its request. If the error
is `interaction_required`, it sends a request with the `login_hint_token` of the error, and polls.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105  # a name
_CIBA = "urn:openid:params:grant-type:ciba"
_WAIT = {"Prefer": "wait=20"}


class Refused(Exception):
    """The server's error response."""


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent with its credentials."""

    issuer: str
    client_id: str
    secret: str
    tell: Callable[[str], None]
    """Prints what it is doing."""

    def ask(self, user: str, scope: str, resource: str) -> str:
        """Send a request to a user; return the auth_req_id."""
        form = {"login_hint": user, "scope": f"openid {scope}", "resource": resource}
        return self._request(form)

    def token_for(
        self, token: str, resource: str, scope: str, details: Sequence[Mapping[str, Any]]
    ) -> tuple[str, bool]:
        """Exchange a token for one for this action.

        Returns the token and True, or the auth_req_id of a request to the person and False.
        """
        form = {
            "grant_type": _EXCHANGE,
            "subject_token": token,
            "subject_token_type": _ACCESS_TOKEN,
            "resource": resource,
            "scope": scope,
            "authorization_details": json.dumps(list(details)),
        }
        answer = self._post("/token", form)
        if answer.status_code == httpx.codes.OK:
            return answer.json()["access_token"], True
        error = answer.json()
        self.tell(f"POST /token         {answer.status_code} {error['error']}")
        if error["error"] != "interaction_required":
            raise Refused(error)
        # The login_hint_token contains the person, resource, scope and details.
        hint = error["login_hint_token"]
        return self._request({"scope": "openid", "login_hint_token": hint}), False

    def wait(self, handle: str) -> str:
        """Wait for the approval with long polls; return the token."""
        form = {"grant_type": _CIBA, "auth_req_id": handle}
        while True:
            answer = self._post("/token", form, _WAIT)
            document: dict[str, Any] = answer.json()
            if answer.status_code == httpx.codes.OK:
                self.tell("POST /token         200, the person approved")
                return str(document["access_token"])
            if document["error"] != "authorization_pending":
                raise Refused(document)

    def _request(self, form: Mapping[str, str]) -> str:
        answer = self._post("/bc-authorize", form)
        document = answer.json()
        if answer.status_code != httpx.codes.OK:
            raise Refused(document)
        self.tell(f"POST /bc-authorize  200, fingerprint {document['fingerprint']}")
        return str(document["auth_req_id"])

    def _post(
        self, path: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        return httpx.post(
            self.issuer + path,
            data=dict(form),
            headers=dict(headers or {}),
            auth=(self.client_id, self.secret),
            timeout=30,
        )
