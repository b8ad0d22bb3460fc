"""Signs a user in: authorization code with PKCE and refresh tokens, as in any OAuth client.

The browser returns to this machine. `requested_actor` names the agent that may act with the
token, which is what the user reads and approves.
"""

import base64
import hashlib
import secrets
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx


def sign_in(issuer: str, app_id: str, agent_id: str, resource: str, scope: str) -> dict:
    """Return the user's tokens, after they have signed in and consented in their browser."""
    server = metadata(issuer)
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    digest = hashlib.sha256(verifier.encode()).digest()
    with HTTPServer(("127.0.0.1", 0), _Callback) as callback:
        redirect_uri = f"http://127.0.0.1:{callback.server_port}/callback"
        request = {
            "response_type": "code",
            "client_id": app_id,
            "redirect_uri": redirect_uri,
            "resource": resource,
            "scope": scope,
            "requested_actor": agent_id,
            "state": state,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        print(f"Sign in: {server['authorization_endpoint']}?{urlencode(request)}", flush=True)
        callback.handle_request()
        answer = callback.answer
    if (answer.get("state"), answer.get("iss")) != (state, issuer) or "code" not in answer:
        raise SystemExit(
            f"Nobody signed in: {answer.get('error', 'not the answer to this request')}"
        )
    form = {
        "grant_type": "authorization_code",
        "client_id": app_id,
        "redirect_uri": redirect_uri,
        "code": answer["code"],
        "code_verifier": verifier,
    }
    return httpx.post(server["token_endpoint"], data=form).raise_for_status().json()


def refresh(issuer: str, app_id: str, refresh_token: str) -> dict:
    """Return new tokens. The old refresh token ends."""
    form = {"grant_type": "refresh_token", "client_id": app_id, "refresh_token": refresh_token}
    return httpx.post(metadata(issuer)["token_endpoint"], data=form).raise_for_status().json()


def metadata(issuer: str) -> dict:
    """Return the server's metadata."""
    return httpx.get(f"{issuer}/.well-known/openid-configuration").raise_for_status().json()


class _Callback(BaseHTTPRequestHandler):
    """Receives the answer from the browser."""

    def do_GET(self) -> None:
        self.server.answer = dict(parse_qsl(urlsplit(self.path).query))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"You can close this page.")

    def log_message(self, *_: object) -> None:
        """Keep the code out of the output."""
