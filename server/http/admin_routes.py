"""The table of administration routes."""

from dataclasses import replace
from typing import Final

from server.http.approvals.oversight import OVERSIGHT_ROUTES
from server.http.approvers.deputies import MANAGED_DEPUTY_ROUTES
from server.http.approvers.groups import GROUP_ROUTES
from server.http.audit.audit_routes import AUDIT_ROUTES
from server.http.clients.agents import AGENT_ROUTES
from server.http.clients.apps import APP_ROUTES
from server.http.consents.consents import MANAGED_CONSENT_ROUTES
from server.http.devices.devices import MANAGED_DEVICE_ROUTES
from server.http.operations.statistics import STATISTICS_ROUTES
from server.http.policy.action_types import ACTION_TYPE_ROUTES
from server.http.policy.policy import POLICY_ROUTES
from server.http.resources.resources import RESOURCE_ROUTES
from server.http.standing_grants.standing_grants import MANAGED_STANDING_GRANT_ROUTES
from server.http.tokens.delegations import MANAGED_DELEGATION_ROUTES
from server.http.tokens.keys import KEY_ROUTES
from server.http.users.users import USER_ROUTES

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
