"""The fields of apps and of protected APIs."""

from collections.abc import Mapping
from typing import Any, Final

from server.services.clients.app_members import APP_MEMBERS
from server.web.console.member_fields import fields
from server.web.fields import Field

NEW_APP: Final = fields(APP_MEMBERS, "new")
CHANGED_APP: Final = fields(APP_MEMBERS, "change")
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
