"""The form fields of apps, resources and action types."""

from collections.abc import Mapping
from typing import Any, Final

from server.services.clients.app_members import APP_MEMBERS
from server.services.resources.resource_members import RESOURCE_MEMBERS
from server.web.console.member_fields import fields
from server.web.fields import Field
from server.web.form import FormAction, acts

NEW_APP: Final = fields(APP_MEMBERS, "new")
CHANGED_APP: Final = fields(APP_MEMBERS, "change")
KEYS: Final = (
    Field("keep", "Keys to keep", "picks", stored_name="keys"),
    Field("jwks", "Keys to add", "json", "A JWK or a JWK set. URLs are not fetched.", rows=6),
)

NEW_RESOURCE: Final = fields(RESOURCE_MEMBERS, "new")
CHANGED_RESOURCE: Final = fields(RESOURCE_MEMBERS, "change")


ACTION: Final = (
    Field("document", "File (JSON)", "file", required=True, rows=22),
    Field("details", "Details for the preview", "file", "Leave empty to use an example.", rows=4),
)


OVERLAPS: Final = (
    ("0", "0 minutes"),
    ("3600", "1 hour"),
    ("86400", "1 day"),
    ("604800", "7 days"),
    ("2592000", "30 days"),
)


def overlap(label: str) -> Field:
    """How long an old secret works, in seconds. It has no default, so it is always shown."""
    return Field("overlap", label, "overlap", choices=OVERLAPS, empty=0)


CREDENTIALS: Final = "clients/console_credentials.html"
"""The template that shows a new secret once."""


def rotates(noun: str) -> FormAction:
    """The form that creates a new secret."""
    return acts(
        f"POST /api/{noun}s/<id>/secret",
        f"Create a new secret for this {noun}",
        fields=(overlap("Old secret keeps working for"),),
        page=True,
        answer=CREDENTIALS,
    )


def file_of(body: dict[str, Any], document: Mapping[str, Any]) -> bytes:
    """The submitted file, or the registered one."""
    return str(body.get("document", document["document"])).encode()


def with_removals(body: dict[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """Add the removed scopes and requirements to the body of a resource."""
    scopes = body.get("scopes", document["scopes"])
    requires = body.get("requires", document["requires"])
    removed_scopes = [name for name in document["scopes"] if name not in scopes]
    removed = dict.fromkeys(set(document["requires"]) - set(requires) - set(removed_scopes), "")
    return {**body, "remove_scopes": removed_scopes, "requires": {**removed, **requires}}


def merged_keys(body: dict[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """The JWK set of the keys to keep and the keys to add; empty if nothing changed."""
    if not body:
        return {}
    keep = body.get("keep", [key["kid"] for key in document["keys"]])
    kept_keys = [key for key in document["keys"] if key["kid"] in keep]
    key_set = body.get("jwks") or {"keys": []}
    new_keys = key_set["keys"] if isinstance(key_set, dict) and "keys" in key_set else [key_set]
    return {"jwks": {"keys": [*kept_keys, *new_keys] if isinstance(new_keys, list) else new_keys}}
