"""Previews action types: shows a request with example or submitted details.

Owns: the example request. Never: rendering (`displays.py`). The ceremony is the default for the
risk of the type.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from server.model.clients import Agent
from server.model.resources import Resource
from server.model.store import Store
from server.model.users import User
from server.protocol import errors, names
from server.protocol.approvals.ceremonies import Ceremony
from server.protocol.json_text import JsonValue
from server.protocol.policy import examples, questions
from server.protocol.policy.action_types import ActionType
from server.protocol.policy.risks import TIME_TO_LIVE
from server.services.policy import action_types, displays, schemas
from server.services.policy.displays import DisplayedRequest
from server.services.refusals import Invalid, error_member
from server.services.resources.targets import TokenTarget

_URI: Final = "https://resource.example"
_AGENT_MESSAGE: Final = "The agent's message appears here."
_RULE_REASON: Final = "The reason of the policy rule appears here."
_TOKEN_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class Preview:
    """An action type with details, as shown to an approver."""

    details: Mapping[str, JsonValue]
    display: str
    """The display text."""
    ceremony: Ceremony


@dataclass(frozen=True, slots=True)
class Previews:
    """Previews action types, registered or not."""

    store: Store

    def preview(self, document: str, details: Mapping[str, JsonValue] | None = None) -> Preview:
        """Preview the type of this file with these details, or an example. Raises `Invalid`."""
        with error_member("document"):
            action = action_types.read(document)
            complete_details = (
                _example(action) if details is None else {"type": action.type, **details}
            )
        with self.store.read() as view:
            return _preview(action, complete_details, view.now)


def _example(action: ActionType) -> Mapping[str, JsonValue]:
    try:
        return cast("Mapping[str, JsonValue]", examples.example(action.schema))
    except examples.TooManyValues as error:
        raise Invalid(f"{error} Provide the details.") from None


def _preview(action: ActionType, details: Mapping[str, JsonValue], now: int) -> Preview:
    ceremony = questions.default_steps(action.risk, typed=action.has_type_back)
    request = DisplayedRequest(
        agent=_AGENT,
        owners=("its owner",),
        user=_USER,
        target=TokenTarget(Resource(_URI, {}, {}, now), ()),
        details=[details],
        actions=[action],
        risk=action.risk,
        because=_RULE_REASON,
        ceremony=ceremony,
        binding_message=_AGENT_MESSAGE,
        first_request=True,
        peer="192.0.2.1",
        token_seconds=_TOKEN_SECONDS,
    )
    try:
        schemas.check_unregistered(action, details)
        display = displays.canonical_display(
            displays.request_display(request),
            approval_id=names.PREFIX_APPROVAL + "example",
            asked_at=now,
            expires_at=now + TIME_TO_LIVE[action.risk] * 1000,
        )
        return Preview(details, display, ceremony)
    except errors.InvalidAuthorizationDetails as error:
        raise Invalid(error.description, member="details") from None


_USER: Final = User(names.PREFIX_USER + "example", "you", None, (), "enabled", 0)
_AGENT: Final = Agent(
    id=names.PREFIX_AGENT + "example",
    name="an agent",
    description="",
    auth_method=names.AUTH_METHODS[0],
    jwks=(),
    grant_types=(names.GRANT_CIBA,),
    delivery="poll",
    resources=(_URI,),
    scopes=(),
    action_types=None,
    asks=None,
    owners=(),
    secrets=(),
    id_token_alg="ES256",  # noqa: S106  # not a secret
    state="enabled",
    expires_at=None,
    created_at=0,
)
