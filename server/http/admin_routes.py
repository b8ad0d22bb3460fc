"""The rows of administration: who may, what it takes, what is sent and answered."""

from dataclasses import replace
from typing import Final

from server.http import action_wire, log_wire
from server.http import admin_bodies as bodies
from server.http import admin_wire as wire
from server.http.agent_routes import AGENT_ROUTES
from server.http.app_routes import APP_ROUTES
from server.http.consent_routes import MANAGED_CONSENT_ROUTES
from server.http.deputy_routes import MANAGED_DEPUTY_ROUTES
from server.http.endpoints import (
    actions,
    audit,
    delegations,
    keys,
    listing,
    oversight,
    resources,
)
from server.http.group_routes import GROUP_ROUTES
from server.http.policy_routes import POLICY_ROUTES
from server.http.route import Caller, Route
from server.http.standing_grant_routes import MANAGED_STANDING_GRANT_ROUTES
from server.http.statistics_routes import STATISTICS_ROUTES
from server.http.user_routes import USER_ROUTES
from server.services.authority import Role, Rule

_PERSON = Caller.PERSON
_ADMIN = (Role.ADMIN,)
_STAFF = (Role.ADMIN, Role.AUDITOR)

_READS = (401, 403, 404, 422)
_CHANGES = (401, 403, 404, 409, 422)
_UPDATES = (*_CHANGES, 412, 428)
_SEARCH = (
    *("type", "actor", "agent", "user", "resource"),
    *("approval", "correlation", "since", "until"),
)


_RESOURCES: Final = (
    Route(
        "GET",
        "/api/resources",
        resources.listed,
        _PERSON,
        "Every protected API, by URI.",
        query=listing.QUERY,
        answer=wire.ManagedResources,
        errors=_READS,
        rule=Rule(_STAFF),
    ),
    Route(
        "POST",
        "/api/resources",
        resources.add,
        _PERSON,
        "Register a protected API; its secret is told once.",
        body=bodies.NewResource,
        answer=wire.GivenResourceSecret,
        status=201,
        errors=_CHANGES,
        rule=Rule(_ADMIN, signed=True),
    ),
    Route(
        "GET",
        "/api/resources/<id>",
        resources.show,
        _PERSON,
        "One protected API.",
        answer=wire.ManagedResource,
        errors=_READS,
        rule=Rule(_STAFF, "resource"),
    ),
    Route(
        "PATCH",
        "/api/resources/<id>",
        resources.update,
        _PERSON,
        "Change scopes, their risks and their needs.",
        body=bodies.ResourceChanges,
        answer=wire.ManagedResource,
        errors=_UPDATES,
        rule=Rule(_ADMIN, "resource", versioned=True),
    ),
    Route(
        "POST",
        "/api/resources/<id>/secret",
        resources.rotate,
        _PERSON,
        "A new secret, told once; the old one works for the overlap.",
        body=bodies.Rotation,
        answer=wire.GivenResourceSecret,
        errors=_CHANGES,
        rule=Rule(_ADMIN, "resource"),
    ),
    Route(
        "DELETE",
        "/api/resources/<id>",
        resources.delete,
        _PERSON,
        "Forget a protected API; answers what ended with it.",
        answer=wire.DeletedResource,
        errors=_CHANGES,
        rule=Rule(_ADMIN, "resource"),
    ),
)

_ACTIONS: Final = (
    Route(
        "GET",
        "/api/actions",
        actions.listed,
        _PERSON,
        "Every action type, by name.",
        query=listing.QUERY,
        answer=wire.ManagedActions,
        errors=_READS,
        rule=Rule(_STAFF),
    ),
    Route(
        "POST",
        "/api/actions",
        actions.add,
        _PERSON,
        "Register an action type; the body is its file.",
        body=bodies.ActionDocument,
        answer=wire.ManagedAction,
        status=201,
        errors=_CHANGES,
        rule=Rule(_ADMIN, signed=True),
    ),
    Route(
        "POST",
        "/api/actions/preview",
        actions.preview,
        _PERSON,
        "What a person would be shown of an action type; nothing is registered.",
        body=action_wire.ActionTrial,
        answer=action_wire.ActionPreview,
        errors=_READS,
        rule=Rule(_ADMIN),
    ),
    Route(
        "GET",
        "/api/actions/<id>",
        actions.show,
        _PERSON,
        "One action type with its file.",
        answer=wire.ManagedAction,
        errors=_READS,
        rule=Rule(_STAFF, "action"),
    ),
    Route(
        "PUT",
        "/api/actions/<id>",
        actions.replace,
        _PERSON,
        "The next version of an action type; the body is its file.",
        body=bodies.ActionDocument,
        answer=wire.ManagedAction,
        errors=_UPDATES,
        rule=Rule(_ADMIN, "action", versioned=True),
    ),
    Route(
        "DELETE",
        "/api/actions/<id>",
        actions.delete,
        _PERSON,
        "Forget an action type.",
        status=204,
        errors=_CHANGES,
        rule=Rule(_ADMIN, "action"),
    ),
)

_OTHERS: Final = (
    Route(
        "GET",
        "/api/admin/approvals",
        oversight.approvals,
        _PERSON,
        "Requests across people, newest first.",
        query=("state", "agent", "user", *listing.QUERY),
        answer=wire.ManagedApprovals,
        errors=_READS,
        rule=Rule(_STAFF),
    ),
    Route(
        "GET",
        "/api/admin/approvals/<id>",
        oversight.approval,
        _PERSON,
        "One request with its texts, answers and entries.",
        answer=wire.ApprovalSheet,
        errors=_READS,
        rule=Rule(_STAFF),
    ),
    Route(
        "POST",
        "/api/admin/approvals/<id>/cancel",
        oversight.cancel,
        _PERSON,
        "Withdraw a request that is still open.",
        body=bodies.Cancellation,
        answer=wire.ManagedApproval,
        errors=_CHANGES,
        rule=Rule(_ADMIN),
    ),
    Route(
        "POST",
        "/api/admin/approvals/<id>/escalate",
        oversight.escalate,
        _PERSON,
        "Ask one more person about a request that waits.",
        body=bodies.Escalation,
        answer=wire.ManagedApproval,
        errors=_CHANGES,
        rule=Rule(_ADMIN, signed=True),
    ),
    Route(
        "GET",
        "/api/admin/delegations",
        delegations.listed,
        _PERSON,
        "Issued tokens: who acts for whom, newest first.",
        query=("client", "user", "resource", "ended", *listing.QUERY),
        answer=wire.ManagedDelegations,
        errors=_READS,
        rule=Rule(_STAFF),
    ),
    Route(
        "GET",
        "/api/admin/delegations/<id>",
        delegations.show,
        _PERSON,
        "One of them, what it came from and what came from it.",
        answer=wire.DelegationChain,
        errors=_READS,
        rule=Rule(_STAFF),
    ),
    Route(
        "POST",
        "/api/admin/delegations/<id>/revoke",
        delegations.revoke,
        _PERSON,
        "End a token and all that came from it.",
        answer=wire.RevokedDelegation,
        errors=_CHANGES,
        rule=Rule(_ADMIN),
    ),
    Route(
        "GET",
        "/api/admin/devices",
        oversight.devices,
        _PERSON,
        "Devices of everybody, oldest first.",
        query=("user", *listing.QUERY),
        answer=wire.ManagedDevices,
        errors=_READS,
        rule=Rule(_STAFF),
    ),
    Route(
        "DELETE",
        "/api/admin/devices/<id>",
        oversight.revoke_device,
        _PERSON,
        "End somebody's device and its sign-in. Must be signed if it is their last device.",
        status=204,
        errors=_CHANGES,
        rule=Rule(_ADMIN, "device"),
    ),
    Route(
        "GET",
        "/api/keys",
        keys.listed,
        _PERSON,
        "Every signing key, newest first.",
        answer=wire.ManagedKeys,
        errors=_READS,
        rule=Rule(_STAFF),
    ),
    Route(
        "POST",
        "/api/keys",
        keys.rotate,
        _PERSON,
        "Sign with a new key from now on.",
        body=bodies.KeyRotation,
        answer=wire.RotatedKey,
        status=201,
        errors=_CHANGES,
        rule=Rule(_ADMIN, signed=True),
    ),
    Route(
        "POST",
        "/api/keys/<id>/revoke",
        keys.revoke,
        _PERSON,
        "Take a signing key away at once, because it has leaked.",
        answer=wire.RevokedKey,
        errors=_CHANGES,
        rule=Rule(_ADMIN),
    ),
    Route(
        "GET",
        "/api/audit",
        audit.search,
        _PERSON,
        "The newest entries of the log that match.",
        query=(*_SEARCH, *listing.QUERY),
        answer=log_wire.LogEntries,
        errors=_READS,
        rule=Rule(_STAFF),
    ),
    Route(
        "GET",
        "/api/audit/<id>",
        audit.show,
        _PERSON,
        "One entry of the log.",
        answer=log_wire.LogEntry,
        errors=_READS,
        rule=Rule(_STAFF),
    ),
)

_ROUTES: Final = (
    *STATISTICS_ROUTES,
    *USER_ROUTES,
    *AGENT_ROUTES,
    *APP_ROUTES,
    *GROUP_ROUTES,
    *_RESOURCES,
    *_ACTIONS,
    *POLICY_ROUTES,
    *_OTHERS,
    *MANAGED_CONSENT_ROUTES,
    *MANAGED_DEPUTY_ROUTES,
    *MANAGED_STANDING_GRANT_ROUTES,
)

ADMIN_ROUTES: Final = tuple(replace(route, browsers=True) for route in _ROUTES)
"""All of it is open to a browser too: its passkey signs what a terminal's high key signs."""
