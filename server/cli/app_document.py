"""How an app is written: as a JSON document, as a sheet of facts, and what to do with it next."""

from server.cli.agent_document import secret_document, secret_line
from server.cli.output import listed, moment, rfc3339, sheet
from server.services.apps import NewAppSecret
from server.services.records import App


def app_document(app: App) -> dict[str, object]:
    """An app in JSON."""
    return {
        "client_id": app.id,
        "name": app.name,
        "state": app.state,
        "auth_method": app.auth_method,
        "redirect_uris": list(app.redirect_uris),
        "post_logout_redirect_uris": list(app.post_logout_redirect_uris),
        "grant_types": list(app.grant_types),
        "resources": list(app.resources),
        "scopes": list(app.scopes),
        "action_types": None if app.action_types is None else list(app.action_types),
        "id_token_signed_response_alg": app.id_token_alg,
        "dpop_bound_access_tokens": app.dpop_bound,
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
        "authenticates": app.auth_method,
        "sends back to": listed(app.redirect_uris),
        "after sign-out": listed(app.post_logout_redirect_uris),
        "grants": listed(app.grant_types),
        "resources": listed(app.resources),
        "scopes": listed(app.scopes),
        "actions": "every type" if app.action_types is None else listed(app.action_types),
        "id tokens": app.id_token_alg,
        "tokens": "bound to its key" if app.dpop_bound else "bound if it proves a key",
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
