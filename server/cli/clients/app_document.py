"""How an app is written: as a JSON document, as a sheet of facts, and what to do with it next."""

from server.cli import members
from server.cli.clients.agent_document import secret_document, secret_line
from server.cli.output import moment, rfc3339, sheet
from server.model.clients import App
from server.services.clients.app_members import APP_MEMBERS
from server.services.clients.apps import NewAppSecret


def app_document(app: App) -> dict[str, object]:
    """An app in JSON."""
    return {
        "client_id": app.id,
        **members.document(APP_MEMBERS, app),
        "state": app.state,
        "secrets": [secret_document(secret) for secret in app.secrets],
        "keys": [{"kid": key["kid"], "alg": key["alg"]} for key in app.jwks],
        "created_at": rfc3339(app.created_at),
    }


def app_lines(app: App) -> list[str]:
    """An app as a person reads it."""
    facts = {
        "app": app.name,
        "client_id": app.id,
        "state": app.state,
        **members.lines(APP_MEMBERS, app),
        "since": moment(app.created_at),
    }
    secrets = [f"secret {secret_line(secret)}" for secret in app.secrets]
    return [*sheet(facts), *secrets, *(f"key {key['kid']}  {key['alg']}" for key in app.jwks)]


def next_lines(issuer: str, given: NewAppSecret) -> list[str]:
    """The secret, shown here and never again, and where the app finds the rest."""
    lines = []
    if given.secret:
        lines = ["Its secret is shown once. Keep it where the app reads it:", ""]
        lines += [f"  SECRET={given.secret}", ""]
    return [
        *lines,
        "Its library needs the client_id and this issuer, and finds the rest by itself:",
        f"  {issuer}",
        "Whoever signs in needs a password, and to let the app do something, a device:",
        "  sayso users password USER --password-stdin",
    ]
