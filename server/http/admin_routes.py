"""The table of administration routes."""

from dataclasses import replace
from typing import Final

from server.http.approvals.oversight_routes import OVERSIGHT_ROUTES
from server.http.approvers.deputy_routes import MANAGED_DEPUTY_ROUTES
from server.http.approvers.group_routes import GROUP_ROUTES
from server.http.audit.audit_routes import AUDIT_ROUTES
from server.http.clients.agent_routes import AGENT_ROUTES
from server.http.clients.app_routes import APP_ROUTES
from server.http.consents.consent_routes import MANAGED_CONSENT_ROUTES
from server.http.devices.device_routes import MANAGED_DEVICE_ROUTES
from server.http.operations.statistics_routes import STATISTICS_ROUTES
from server.http.policy.action_type_routes import ACTION_TYPE_ROUTES
from server.http.policy.policy_routes import POLICY_ROUTES
from server.http.resources.resource_routes import RESOURCE_ROUTES
from server.http.standing_grants.standing_grant_routes import MANAGED_STANDING_GRANT_ROUTES
from server.http.tokens.delegation_routes import MANAGED_DELEGATION_ROUTES
from server.http.tokens.key_routes import KEY_ROUTES
from server.http.users.user_routes import USER_ROUTES

_ROUTES: Final = (
    *STATISTICS_ROUTES,
    *USER_ROUTES,
    *AGENT_ROUTES,
    *APP_ROUTES,
    *GROUP_ROUTES,
    *RESOURCE_ROUTES,
    *ACTION_TYPE_ROUTES,
    *POLICY_ROUTES,
    *OVERSIGHT_ROUTES,
    *MANAGED_DELEGATION_ROUTES,
    *MANAGED_DEVICE_ROUTES,
    *KEY_ROUTES,
    *AUDIT_ROUTES,
    *MANAGED_CONSENT_ROUTES,
    *MANAGED_DEPUTY_ROUTES,
    *MANAGED_STANDING_GRANT_ROUTES,
)

ADMIN_ROUTES: Final = tuple(replace(route, browsers=True) for route in _ROUTES)
"""Browsers may call all of them: a passkey replaces the terminal's high-risk key."""
