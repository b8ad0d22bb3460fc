"""The rows of administration: who may, what it takes, what is sent and answered."""

from dataclasses import replace
from typing import Final

from server.http import admin_bodies as bodies
from server.http import admin_wire as wire
from server.http import listing
from server.http.approvals import oversight, oversight_wire
from server.http.approvers.deputy_routes import MANAGED_DEPUTY_ROUTES
from server.http.approvers.group_routes import GROUP_ROUTES
from server.http.audit import audit, audit_wire
from server.http.clients.agent_routes import AGENT_ROUTES
from server.http.clients.app_routes import APP_ROUTES
from server.http.consents.consent_routes import MANAGED_CONSENT_ROUTES
from server.http.devices import device_wire
from server.http.operations.statistics_routes import STATISTICS_ROUTES
from server.http.policy import action_type_wire, action_types
from server.http.policy.policy_routes import POLICY_ROUTES
from server.http.resources import resources
from server.http.route import Caller, Route
from server.http.standing_grants.standing_grant_routes import MANAGED_STANDING_GRANT_ROUTES
from server.http.tokens import delegation_wire, delegations, key_wire, keys
from server.http.users.user_routes import USER_ROUTES
from server.services.operations.authority import AccessRule, Role

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
        "List resources by URI.",
        query=listing.QUERY,
        answer=wire.ManagedResources,
        errors=_READS,
        rule=AccessRule(_STAFF),
    ),
    Route(
        "POST",
        "/api/resources",
        resources.add,
        _PERSON,
        "Register a resource. Its secret is shown once.",
        body=bodies.NewResource,
        answer=wire.GivenResourceSecret,
        status=201,
        errors=_CHANGES,
        rule=AccessRule(_ADMIN, signed=True),
    ),
    Route(
        "GET",
        "/api/resources/<id>",
        resources.show,
        _PERSON,
        "Get one resource.",
        answer=wire.ManagedResource,
        errors=_READS,
        rule=AccessRule(_STAFF, "resource"),
    ),
    Route(
        "PATCH",
        "/api/resources/<id>",
        resources.update,
        _PERSON,
        "Change the scopes, risks and required action types of a resource.",
        body=bodies.ResourceChanges,
        answer=wire.ManagedResource,
        errors=_UPDATES,
        rule=AccessRule(_ADMIN, "resource", versioned=True),
    ),
    Route(
        "POST",
        "/api/resources/<id>/secret",
        resources.rotate,
        _PERSON,
        "Create a new secret, shown once. The old one works for the overlap.",
        body=bodies.Rotation,
        answer=wire.GivenResourceSecret,
        errors=_CHANGES,
        rule=AccessRule(_ADMIN, "resource"),
    ),
    Route(
        "DELETE",
        "/api/resources/<id>",
        resources.delete,
        _PERSON,
        "Delete a resource. Returns what ended with it.",
        answer=wire.DeletedResource,
        errors=_CHANGES,
        rule=AccessRule(_ADMIN, "resource"),
    ),
)

_ACTIONS: Final = (
    Route(
        "GET",
        "/api/actions",
        action_types.listed,
        _PERSON,
        "List action types by name.",
        query=listing.QUERY,
        answer=action_type_wire.ManagedActions,
        errors=_READS,
        rule=AccessRule(_STAFF),
    ),
    Route(
        "POST",
        "/api/actions",
        action_types.add,
        _PERSON,
        "Register an action type. The body is its file.",
        body=action_type_wire.ActionDocument,
        answer=action_type_wire.ManagedAction,
        status=201,
        errors=_CHANGES,
        rule=AccessRule(_ADMIN, signed=True),
    ),
    Route(
        "POST",
        "/api/actions/preview",
        action_types.preview,
        _PERSON,
        "Preview an action type. Nothing is registered.",
        body=action_type_wire.ActionTrial,
        answer=action_type_wire.ActionPreview,
        errors=_READS,
        rule=AccessRule(_ADMIN),
    ),
    Route(
        "GET",
        "/api/actions/<id>",
        action_types.show,
        _PERSON,
        "Get one action type with its file.",
        answer=action_type_wire.ManagedAction,
        errors=_READS,
        rule=AccessRule(_STAFF, "action"),
    ),
    Route(
        "PUT",
        "/api/actions/<id>",
        action_types.replace,
        _PERSON,
        "Update an action type. The body is its file.",
        body=action_type_wire.ActionDocument,
        answer=action_type_wire.ManagedAction,
        errors=_UPDATES,
        rule=AccessRule(_ADMIN, "action", versioned=True),
    ),
    Route(
        "DELETE",
        "/api/actions/<id>",
        action_types.delete,
        _PERSON,
        "Delete an action type.",
        status=204,
        errors=_CHANGES,
        rule=AccessRule(_ADMIN, "action"),
    ),
)

_OTHERS: Final = (
    Route(
        "GET",
        "/api/admin/approvals",
        oversight.approvals,
        _PERSON,
        "List the requests of all users, newest first.",
        query=("state", "agent", "user", *listing.QUERY),
        answer=oversight_wire.ManagedApprovals,
        errors=_READS,
        rule=AccessRule(_STAFF),
    ),
    Route(
        "GET",
        "/api/admin/approvals/<id>",
        oversight.approval,
        _PERSON,
        "Get one request with its texts, answers and entries.",
        answer=oversight_wire.ApprovalSheet,
        errors=_READS,
        rule=AccessRule(_STAFF),
    ),
    Route(
        "POST",
        "/api/admin/approvals/<id>/cancel",
        oversight.cancel,
        _PERSON,
        "Cancel an open request.",
        body=oversight_wire.Cancellation,
        answer=oversight_wire.ManagedApproval,
        errors=_CHANGES,
        rule=AccessRule(_ADMIN),
    ),
    Route(
        "POST",
        "/api/admin/approvals/<id>/escalate",
        oversight.escalate,
        _PERSON,
        "Ask one more person about a pending request.",
        body=oversight_wire.Escalation,
        answer=oversight_wire.ManagedApproval,
        errors=_CHANGES,
        rule=AccessRule(_ADMIN, signed=True),
    ),
    Route(
        "GET",
        "/api/admin/delegations",
        delegations.listed,
        _PERSON,
        "List issued tokens, newest first.",
        query=("client", "user", "resource", "ended", *listing.QUERY),
        answer=delegation_wire.ManagedDelegations,
        errors=_READS,
        rule=AccessRule(_STAFF),
    ),
    Route(
        "GET",
        "/api/admin/delegations/<id>",
        delegations.show,
        _PERSON,
        "Get one token with what it came from and what came from it.",
        answer=delegation_wire.DelegationChain,
        errors=_READS,
        rule=AccessRule(_STAFF),
    ),
    Route(
        "POST",
        "/api/admin/delegations/<id>/revoke",
        delegations.revoke,
        _PERSON,
        "Revoke a token and all that came from it.",
        answer=delegation_wire.RevokedDelegation,
        errors=_CHANGES,
        rule=AccessRule(_ADMIN),
    ),
    Route(
        "GET",
        "/api/admin/devices",
        oversight.devices,
        _PERSON,
        "List the devices of all users, oldest first.",
        query=("user", *listing.QUERY),
        answer=device_wire.ManagedDevices,
        errors=_READS,
        rule=AccessRule(_STAFF),
    ),
    Route(
        "DELETE",
        "/api/admin/devices/<id>",
        oversight.revoke_device,
        _PERSON,
        "Remove a user's device. Must be signed if it is their last one.",
        status=204,
        errors=_CHANGES,
        rule=AccessRule(_ADMIN, "device"),
    ),
    Route(
        "GET",
        "/api/keys",
        keys.listed,
        _PERSON,
        "List signing keys, newest first.",
        answer=key_wire.ManagedKeys,
        errors=_READS,
        rule=AccessRule(_STAFF),
    ),
    Route(
        "POST",
        "/api/keys",
        keys.rotate,
        _PERSON,
        "Create a new signing key and use it.",
        body=key_wire.KeyRotation,
        answer=key_wire.RotatedKey,
        status=201,
        errors=_CHANGES,
        rule=AccessRule(_ADMIN, signed=True),
    ),
    Route(
        "POST",
        "/api/keys/<id>/revoke",
        keys.revoke,
        _PERSON,
        "Revoke a leaked signing key at once.",
        answer=key_wire.RevokedKey,
        errors=_CHANGES,
        rule=AccessRule(_ADMIN),
    ),
    Route(
        "GET",
        "/api/audit",
        audit.search,
        _PERSON,
        "Search the audit log, newest first.",
        query=(*_SEARCH, *listing.QUERY),
        answer=audit_wire.LogEntries,
        errors=_READS,
        rule=AccessRule(_STAFF),
    ),
    Route(
        "GET",
        "/api/audit/<id>",
        audit.show,
        _PERSON,
        "Get one audit entry.",
        answer=audit_wire.LogEntry,
        errors=_READS,
        rule=AccessRule(_STAFF),
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
