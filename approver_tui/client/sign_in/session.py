"""A session: requests with an access token, which is renewed when needed.

Owns: one retry with a new token after the server rejected one; the end of a session. Never: paths
and documents of the API.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import httpx

from approver_tui.client.devices.vault import Vault
from approver_tui.client.errors import ApiError, LoginFirst
from approver_tui.client.jose import SigningKey, unb64
from approver_tui.client.reading import JsonObject
from approver_tui.client.sign_in.tokens import TokenKeeper, Tokens
from approver_tui.client.transport import Clock, OutgoingRequest, Transport


class Session:
    """Sends requests to one server for one session. Several threads may use it."""

    def __init__(
        self, issuer: str, key: SigningKey, vault: Vault, *, lock_file: Path, clock: Clock
    ) -> None:
        self.key = key
        """The session key: it signs DPoP proofs, and decisions that grant nothing."""
        self.transport = Transport(issuer, key, clock=clock)
        self.tokens = TokenKeeper(vault, lock_file=lock_file, clock=clock, renew=self._renew)

    def get(self, path: str, params: Mapping[str, str] | None = None) -> JsonObject:
        """GET a path; return the object."""
        return _body(self.send(OutgoingRequest(method="GET", path=path, params=params)))

    def post(self, path: str, body: Mapping[str, object]) -> JsonObject:
        """POST a body; return the object."""
        return self.send_json("POST", path, body)

    def send_json(self, method: str, path: str, body: Mapping[str, object]) -> JsonObject:
        """Send a body; return the object of the response."""
        return _body(self.send(OutgoingRequest(method=method, path=path, json=body)))

    def delete(self, path: str) -> None:
        """DELETE a path."""
        self.send(OutgoingRequest(method="DELETE", path=path))

    def delete_and_read(self, path: str) -> JsonObject:
        """DELETE a path; return the object that says what was revoked."""
        return _body(self.send(OutgoingRequest(method="DELETE", path=path)))

    def send(self, outgoing: OutgoingRequest) -> httpx.Response:
        """Send with a token. Raises LoginFirst if the server also rejects a renewed token."""
        token = self.tokens.access_token()
        try:
            return self.transport.send(replace(outgoing, token=token))
        except LoginFirst as error:
            if error.code != "invalid_token":
                raise
        return self.transport.send(replace(outgoing, token=self.tokens.replace_refused(token)))

    def _renew(self, refresh_token: str) -> Tokens:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        try:
            return self.transport.tokens(form)
        except ApiError as error:
            if error.code in {"invalid_grant", "invalid_client"}:
                raise LoginFirst(error.detail, error.code) from error
            raise


def session_key(stored: str | None) -> SigningKey:
    """Return the stored session key. Raises LoginFirst."""
    if stored is None:
        raise LoginFirst("The session key of this device is missing.")
    try:
        return SigningKey.from_scalar(unb64(stored))
    except ValueError as error:
        raise LoginFirst("The session key of this device cannot be read.") from error


def _body(response: httpx.Response) -> JsonObject:
    return JsonObject.parse(response.content)
