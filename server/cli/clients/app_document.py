"""An app as JSON and as lines of text, and the next steps after registering it."""

from typing import Final

from server.cli import members
from server.cli.clients.agent_document import secret_document, secret_line
from server.cli.output import moment, rfc3339, sheet
from server.model.clients import App
from server.services.clients.app_members import APP_MEMBERS
from server.services.clients.apps import NewAppSecret

_BY: Final = {
    "administrator": None,
    "document": "nobody; its metadata document describes it",
    "registration": "itself",
}
_OPEN: Final = {
    "resources": "those open to unknown clients",
    "scopes": "those of open resources, except critical ones",
}


def app_document(app: App) -> dict[str, object]:
    """Return an app as JSON."""
    return {
        "client_id": app.id,
        "origin": app.origin,
        "claimed_name": app.claimed_name,
        **members.document(APP_MEMBERS, app),
        "state": app.state,
        "secrets": [secret_document(secret) for secret in app.secrets],
        "keys": [{"kid": key["kid"], "alg": key["alg"]} for key in app.jwks],
        "created_at": rfc3339(app.created_at),
    }


def app_lines(app: App) -> list[str]:
    """Return an app as lines of text."""
    facts = {
        "app": app.name,
        "client_id": app.id,
        "state": app.state,
        "registered by": _BY[app.origin],
        "calls itself": app.claimed_name,
        **members.lines(APP_MEMBERS, app),
        **({} if app.verified else _OPEN),
        "since": moment(app.created_at),
    }
    secrets = [f"secret {secret_line(secret)}" for secret in app.secrets]
    return [*sheet(facts), *secrets, *(f"key {key['kid']}  {key['alg']}" for key in app.jwks)]


def next_lines(issuer: str, given: NewAppSecret) -> list[str]:
    """Return the secret, which is shown once, and the next steps."""
    lines = []
    if given.secret:
        lines = ["Its secret is shown once. Keep it where the app reads it:", ""]
        lines += [f"  SECRET={given.secret}", ""]
    return [
        *lines,
        "Its OAuth library needs the client_id and this issuer, and discovers the rest:",
        f"  {issuer}",
        "People who sign in need a password, and a device to approve what the app does:",
        "  sayso users password USER --password-stdin",
    ]
