"""What the forms about policy, resources, action types, keys and the outbox do."""

from typing import Final

from server.web.console import bodies, client_fields
from server.web.console.deed import Deed

_RULES: Final = (
    Deed(
        "/admin/policy/set",
        "POST /api/policy",
        "Put these rules in force",
        body=bodies.policy,
        page="/admin/policy",
        then="/admin/policy",
    ),
    Deed(
        "/admin/policy/test",
        "POST /api/policy/test",
        "Hold cases against these rules",
        body=bodies.table,
        page="/admin/policy",
        told="policy.html",
    ),
    Deed(
        "/admin/policy/dry-run",
        "POST /api/policy/dry-run",
        "See what these rules would have changed",
        body=bodies.replay,
        page="/admin/policy",
        told="policy.html",
    ),
    Deed(
        "/admin/explain",
        "POST /api/policy/explain",
        "See what would happen",
        body=bodies.case,
        page="/admin/policy",
        told="explained.html",
    ),
    Deed(
        "/admin/new/action/add",
        "POST /api/actions",
        "Register an action type",
        body=bodies.document,
        fields=client_fields.ACTION,
        page="/admin/new/action",
        then="/admin/actions",
    ),
    Deed(
        "/admin/new/action/preview",
        "POST /api/actions/preview",
        "See it as a person would",
        body=bodies.trial,
        fields=client_fields.ACTION,
        page="/admin/new/action",
        shows=True,
    ),
    Deed(
        "/admin/actions/<id>/change",
        "PUT /api/actions/<id>",
        "Put another version of this type in its place",
        fields=client_fields.ACTION,
        page="/admin/actions/<id>/edit",
        of="action",
        beside=client_fields.file_of,
        then="/admin/actions/<id>",
    ),
    Deed(
        "/admin/actions/<id>/preview",
        "POST /api/actions/preview",
        "See it as a person would",
        body=bodies.trial,
        fields=client_fields.ACTION,
        page="/admin/actions/<id>/edit",
        shows=True,
    ),
    Deed(
        "/admin/actions/<id>/delete",
        "DELETE /api/actions/<id>",
        "Forget this action type",
        page="/admin/actions/<id>/forget",
        of="action",
        then="/admin/actions",
    ),
    Deed(
        "/admin/new/resource/add",
        "POST /api/resources",
        "Register a resource",
        fields=client_fields.NEW_RESOURCE,
        page="/admin/new/resource",
        told="secret.html",
    ),
    Deed(
        "/admin/resources/<id>/change",
        "PATCH /api/resources/<id>",
        "Change this resource",
        fields=client_fields.CHANGED_RESOURCE,
        page="/admin/resources/<id>/edit",
        of="resource",
        beside=client_fields.what_goes,
        then="/admin/resources/<id>",
    ),
    Deed(
        "/admin/resources/<id>/delete",
        "DELETE /api/resources/<id>",
        "Forget this resource",
        page="/admin/resources/<id>/forget",
        of="resource",
        told="forgotten.html",
    ),
    Deed(
        "/admin/resources/<id>/secret",
        "POST /api/resources/<id>/secret",
        "Give this resource a new secret",
        body=bodies.overlap,
        page="/admin/resources/<id>",
        told="secret.html",
    ),
)

_KEYS: Final = (
    Deed(
        "/admin/keys/rotate",
        "POST /api/keys",
        "Sign with a new key",
        body=bodies.alg,
        page="/admin/settings",
        then="/admin/settings",
    ),
    Deed(
        "/admin/keys/<id>/revoke",
        "POST /api/keys/<id>/revoke",
        "Take this signing key away",
        page="/admin/keys/<id>/end",
        then="/admin/settings",
    ),
)

_OUTBOX: Final = Deed(
    "/admin/outbox/<id>/retry",
    "POST /api/admin/outbox/<id>/retry",
    "Send this message after all",
    then="/admin/health",
)

RULE_DEEDS: Final = (*_RULES, *_KEYS, _OUTBOX)
