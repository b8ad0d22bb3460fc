"""The table of events and the functions that handle them, in order.

Owns: the list of functions that run on an event, in its unit of work. Never: the functions
themselves; each belongs to its capability and does not depend on the others.
"""

from collections.abc import Callable, Mapping
from functools import reduce
from operator import add
from typing import Any, Final, TypeAlias, TypeVar

from server.model.reactions import (
    ActionTypeChanged,
    AgentAnnounced,
    AgentDeactivated,
    AgentReplaced,
    AppDeactivated,
    ClientDeleted,
    ConsentEnded,
    DeviceRevoked,
    DeviceUnlocked,
    Ended,
    Event,
    PasswordChanged,
    ResourceDeleted,
    UserDisabled,
    UserEnabled,
)
from server.model.store import Unit
from server.services.approvals import votes, withdrawals
from server.services.clients import owners
from server.services.consents import revocations
from server.services.notifications import notices
from server.services.standing_grants import ends
from server.services.tokens import refresh_families, security_events

E = TypeVar("E", bound=Event)
_Reaction: TypeAlias = Callable[[Unit, Any], Ended | None]


def _on(
    event: type[E], *run: Callable[[Unit, E], Ended | None]
) -> tuple[type[Event], tuple[_Reaction, ...]]:
    """Return a row of the table: an event, and its functions in order."""
    return event, run


REACTIONS: Final[Mapping[type[Event], tuple[_Reaction, ...]]] = dict(
    (
        # Requests come first, so that no approved request can be redeemed in between.
        _on(
            AgentDeactivated,
            withdrawals.agent_deactivated,
            ends.agent_deactivated,
            security_events.agent_deactivated,
        ),
        _on(AgentReplaced, withdrawals.agent_replaced, ends.agent_replaced),
        _on(AgentAnnounced, notices.agent_announced),
        _on(
            AppDeactivated,
            withdrawals.app_deactivated,
            refresh_families.app_deactivated,
            security_events.app_deactivated,
        ),
        _on(ClientDeleted, revocations.client_deleted),
        _on(
            UserDisabled,
            owners.user_disabled,
            ends.user_disabled,
            refresh_families.user_disabled,
            withdrawals.user_disabled,
            votes.user_disabled,
            security_events.user_disabled,
        ),
        _on(UserEnabled, owners.user_enabled),
        _on(PasswordChanged, refresh_families.password_changed),
        _on(DeviceRevoked, refresh_families.device_revoked),
        _on(DeviceUnlocked, notices.device_unlocked),
        _on(
            ResourceDeleted,
            withdrawals.resource_deleted,
            revocations.resource_deleted,
            ends.resource_deleted,
        ),
        _on(ActionTypeChanged, ends.action_type_changed),
        _on(ConsentEnded, refresh_families.consent_ended, ends.consent_ended),
    )
)


def react(tx: Unit, event: Event) -> Ended:
    """Run the functions for an event. Returns the number of items they canceled or revoked."""
    results = [run(tx, event) for run in REACTIONS[type(event)]]
    return reduce(add, (result for result in results if result is not None), Ended())
