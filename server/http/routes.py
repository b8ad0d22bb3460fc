"""All API routes. Pages are in `server.web`; the feed's socket is in `feed.py`."""

from typing import Final

from server.http import oauth
from server.http.approvals import approvals, oversight
from server.http.approvers import deputies, groups
from server.http.audit import audit, proofs
from server.http.ciba import user_codes
from server.http.clients import agents, apps, invitations, registration
from server.http.consents import consents
from server.http.devices import devices, passkeys
from server.http.incidents import incidents, orphans
from server.http.notifications import attention, outbox, push_subscriptions
from server.http.operations import operations, statistics
from server.http.policy import action_types, policy
from server.http.resources import resources
from server.http.route import Route
from server.http.standing_grants import standing_grants
from server.http.tokens import delegations, keys, security_events
from server.http.users import passwords, users

_MODULES: Final = (
    *(oauth, security_events, registration, statistics, outbox, users, agents, invitations),
    *(orphans, apps, groups, resources, action_types, policy, oversight, devices, passkeys),
    *(user_codes, passwords, approvals, incidents, attention, push_subscriptions, deputies),
    *(consents, delegations, keys, standing_grants, audit, proofs, operations),
)
_DECORATED: Final = tuple(
    value for module in _MODULES for value in vars(module).values() if isinstance(value, Route)
)
ADMIN_ROUTES: Final = tuple(route for route in _DECORATED if route.rule is not None)
ROUTES: Final = (*(route for route in _DECORATED if route.rule is None), *ADMIN_ROUTES)
"""All routes. `/api/audit/keys` comes before `/api/audit/<id>`, as in Werkzeug."""
