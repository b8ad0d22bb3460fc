"""The fields of apps and of protected APIs."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from server.protocol import names
from server.web.console.agent_fields import ALGS, METHODS, RESOURCES, SCOPES, TYPES
from server.web.console.fields import Field

_NAME: Final = Field(
    "name",
    "Name",
    section="What it is",
    needed=True,
    longest=64,
    hint="People read it as they sign in.",
)
_BACK: Final = (
    Field(
        "redirect_uris",
        "Where people come back to",
        "lines",
        "Redirect URIs, each exactly as the app sends it.",
        flag="--redirect-uri",
    ),
    Field("post_logout_redirect_uris", "Where they come back to signed out", "lines"),
)
_METHOD: Final = Field(
    "auth_method",
    "It proves itself by",
    "choice",
    section="How it proves itself",
    choices=(*METHODS, (names.AUTH_NONE, "nothing: a public app, which uses PKCE")),
    start="client_secret_basic",
    flag="--auth",
)
_KEYS: Final = Field(
    "jwks",
    "Its public keys",
    "json",
    "A JWK set, for a key of its own.",
    rows=4,
    flag="--jwks FILE",
)
_REST: Final = (
    Field("dpop_bound_access_tokens", "Its tokens are bound to its key (DPoP)", "box"),
    Field(
        "id_token_signed_response_alg",
        "Its ID tokens are signed with",
        "choice",
        choices=ALGS,
        start="ES256",
    ),
    replace(RESOURCES, section="What it may"),
    SCOPES,
    TYPES,
    Field(
        "grant_types",
        "It gets tokens by",
        "picks",
        choices=(
            (names.GRANT_AUTHORIZATION_CODE, "sending people here (authorization code)"),
            (names.GRANT_REFRESH_TOKEN, "refreshing those it has"),
            (names.GRANT_DEVICE_CODE, "a code typed on another device"),
        ),
        start=names.USUAL_APP_GRANTS,
    ),
)

NEW_APP: Final = (_NAME, *_BACK, _METHOD, _KEYS, *_REST)
CHANGED_APP: Final = (_NAME, *_BACK, *_REST)
KEYS: Final = (
    Field("keep", "Keys that stay", "picks", of="keys"),
    Field("jwks", "Keys that come", "json", "A JWK or a JWK set. Nothing is fetched.", rows=6),
)

_RISKS: Final = Field(
    "scopes",
    "Scopes",
    "pairs",
    "A line for each: its name, then low, medium, high or critical.",
    rows=4,
)
_NEEDS: Final = Field(
    "requires",
    "What scopes need",
    "pairs",
    "A line for each: the scope, then the action type without which it is not given.",
)
_SECONDS: Final = Field(
    "token_seconds",
    "Tokens for it live, in seconds",
    "number",
    "10 to 3600; empty leaves it to the agent and the setting.",
)
NEW_RESOURCE: Final = (
    Field("uri", "URI", needed=True, longest=2_000, hint="The audience of its tokens."),
    _RISKS,
    _NEEDS,
    _SECONDS,
)
CHANGED_RESOURCE: Final = (_RISKS, _NEEDS, _SECONDS)


ACTION: Final = (
    Field("document", "Its file, as JSON", "file", needed=True, rows=22),
    Field("details", "Details to show it with", "file", "Empty: an example of them.", rows=4),
)


def file_of(body: dict[str, Any], document: Mapping[str, Any]) -> bytes:
    """The file that was typed, or the one that is registered."""
    return str(body.get("document", document["document"])).encode()


def what_goes(body: dict[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """A body that says too which scopes and which needs stand there no longer."""
    scopes = body.get("scopes", document["scopes"])
    requires = body.get("requires", document["requires"])
    without = [name for name in document["scopes"] if name not in scopes]
    needless = dict.fromkeys(set(document["requires"]) - set(requires) - set(without), "")
    return {**body, "without": without, "requires": {**needless, **requires}}


def whole_keys(body: dict[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """The key set that is left of the old one, with the keys that come; nothing for no change."""
    if not body:
        return {}
    stays = body.get("keep", [key["kid"] for key in document["keys"]])
    kept = [key for key in document["keys"] if key["kid"] in stays]
    come = body.get("jwks") or {"keys": []}
    new = come["keys"] if isinstance(come, dict) and "keys" in come else [come]
    return {"jwks": {"keys": [*kept, *new] if isinstance(new, list) else new}}
