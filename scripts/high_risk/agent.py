"""An agent that needs a person for what it wants: nothing here is Sayso's, only OAuth.

Copy it as a beginning of your own. It exchanges the token that arrived with its request; when the
answer is that a person has to be asked, it asks them with what the answer brought, and waits.
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
    """The server's answer, when there is no token."""


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent with its credentials."""

    issuer: str
    client_id: str
    secret: str
    tell: Callable[[str], None]
    """Whom it tells what it is doing."""

    def ask(self, user: str, scope: str, resource: str) -> str:
        """Ask a person by name; returns the handle to wait with."""
        form = {"login_hint": user, "scope": f"openid {scope}", "resource": resource}
        return self._asked(form)

    def token_for(
        self, token: str, resource: str, scope: str, details: Sequence[Mapping[str, Any]]
    ) -> tuple[str, bool]:
        """A token for this action, or the handle of the question to the person; and which it is."""
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
        said = answer.json()
        self.tell(f"POST /token         {answer.status_code} {said['error']}")
        if said["error"] != "interaction_required":
            raise Refused(said)
        # The hint fixes person, resource, scope and details; nothing else is sent.
        return self._asked({"scope": "openid", "login_hint_token": said["login_hint_token"]}), False

    def wait(self, handle: str) -> str:
        """The token, when the person has said yes; the server holds the request meanwhile."""
        form = {"grant_type": _CIBA, "auth_req_id": handle}
        while True:
            answer = self._post("/token", form, _WAIT)
            said: dict[str, Any] = answer.json()
            if answer.status_code == httpx.codes.OK:
                self.tell("POST /token         200, the person said yes")
                return str(said["access_token"])
            if said["error"] != "authorization_pending":
                raise Refused(said)

    def _asked(self, form: Mapping[str, str]) -> str:
        answer = self._post("/bc-authorize", form)
        said = answer.json()
        if answer.status_code != httpx.codes.OK:
            raise Refused(said)
        self.tell(f"POST /bc-authorize  200, fingerprint {said['fingerprint']}")
        return str(said["auth_req_id"])

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
