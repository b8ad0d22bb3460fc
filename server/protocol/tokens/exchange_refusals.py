"""The reasons for refusing an exchange: codes for the audit log, each with a step and a message.

Owns: the step that refuses and the message to the agent, for each reason. Never: the steps
themselves (`server.services.tokens.exchange_checks`), or the remedies for administrators (command
line).

The messages tell an agent little about the tokens of other clients. Administrators run `sayso token
explain`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from server.protocol import errors

STEPS: Final = {
    1: "the request is well-formed",
    2: "the subject token is an access token of this issuer",
    3: "the actor token is the caller's own",
    4: "a bound token comes with a DPoP proof of its key",
    5: "the subject token and its ancestors are valid",
    6: "the subject token acts for an enabled user",
    7: "the caller may exchange it",
    8: "every actor of the chain is enabled",
    9: "the chain is short enough",
    10: "the caller may ask for the target",
    11: "every limit allows at least one of the scopes",
    12: "the details match their action types",
    13: "the person consented",
    14: "policy allows it without asking the person, who has not denied such requests lately",
}
"""The check of each step, in order."""


class Reason(StrEnum):
    """The code of a refusal. A retired code is never reused with another meaning."""

    MALFORMED = "malformed"
    SUBJECT_INVALID = "subject_invalid"
    ACTOR_INVALID = "actor_invalid"
    ACTOR_FOREIGN = "actor_foreign"
    PROOF_MISSING = "proof_missing"
    SUBJECT_UNKNOWN = "subject_unknown"
    SUBJECT_EXPIRED = "subject_expired"
    SUBJECT_REVOKED = "subject_revoked"
    ANCESTOR_REVOKED = "ancestor_revoked"
    NO_PERSON = "no_person"
    USER_DISABLED = "user_disabled"
    MAY_ACT_FOREIGN = "may_act_foreign"
    NOT_SERVED = "not_served"
    ACTOR_DISABLED = "actor_disabled"
    APP_DISABLED = "app_disabled"
    TOO_DEEP = "too_deep"
    CHAIN_TOO_LARGE = "chain_too_large"
    TARGET_BEYOND = "target_beyond"
    SCOPE_BEYOND = "scope_beyond"
    DETAILS_INVALID = "details_invalid"
    CONSENT_MISSING = "consent_missing"
    DETAILS_MISSING = "details_missing"
    NEEDS_PERSON = "needs_person"
    POLICY_DENIED = "policy_denied"
    DENIED_REPEATEDLY = "denied_repeatedly"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The step, message and error of a reason."""

    step: int
    message: str
    """The message to the agent."""
    error: type[errors.ProtocolError] = errors.InvalidRequest


_SUBJECT = "subject_token is not a valid access token."
_NOT_YOURS = "This client cannot exchange this subject_token."
_ASK = "A person must be asked. Send login_hint_token to /bc-authorize."

REFUSALS: Final[Mapping[Reason, Refusal]] = {
    Reason.MALFORMED: Refusal(1, ""),
    Reason.SUBJECT_INVALID: Refusal(2, _SUBJECT),
    Reason.ACTOR_INVALID: Refusal(3, "actor_token is not a valid access token."),
    Reason.ACTOR_FOREIGN: Refusal(3, "actor_token must be the caller's own."),
    Reason.PROOF_MISSING: Refusal(
        4, "The token has a key. Send a DPoP proof signed with it.", errors.InvalidDpopProof
    ),
    Reason.SUBJECT_UNKNOWN: Refusal(5, _SUBJECT),
    Reason.SUBJECT_EXPIRED: Refusal(5, _SUBJECT),
    Reason.SUBJECT_REVOKED: Refusal(5, _SUBJECT),
    Reason.ANCESTOR_REVOKED: Refusal(5, _SUBJECT),
    Reason.NO_PERSON: Refusal(6, "subject_token does not act for a person."),
    Reason.USER_DISABLED: Refusal(6, _SUBJECT),
    Reason.MAY_ACT_FOREIGN: Refusal(7, _NOT_YOURS),
    Reason.NOT_SERVED: Refusal(7, _NOT_YOURS),
    Reason.ACTOR_DISABLED: Refusal(8, _SUBJECT),
    Reason.APP_DISABLED: Refusal(8, _SUBJECT),
    Reason.TOO_DEEP: Refusal(9, "The chain of actors would be longer than four."),
    Reason.CHAIN_TOO_LARGE: Refusal(9, "The chain of actors would be too large for a token."),
    Reason.TARGET_BEYOND: Refusal(
        10,
        "This agent cannot request this resource, or no resource was specified.",
        errors.InvalidTarget,
    ),
    Reason.SCOPE_BEYOND: Refusal(
        11, "This exchange allows none of these scopes.", errors.InvalidScope
    ),
    Reason.DETAILS_INVALID: Refusal(12, "", errors.InvalidAuthorizationDetails),
    Reason.CONSENT_MISSING: Refusal(13, _ASK, errors.InteractionRequired),
    Reason.DETAILS_MISSING: Refusal(
        14,
        "These scopes need authorization_details and a person's approval: send details and "
        "login_hint_token to /bc-authorize.",
        errors.InteractionRequired,
    ),
    Reason.POLICY_DENIED: Refusal(
        14,
        "The policy of this installation does not allow this. Nobody will be asked.",
        errors.RequestRefused,
    ),
    Reason.NEEDS_PERSON: Refusal(14, _ASK, errors.InteractionRequired),
    Reason.DENIED_REPEATEDLY: Refusal(
        14, "This person has denied such requests repeatedly.", errors.RequestRefused
    ),
}
"""All reasons. If `message` is empty, the error of the failed check has the message."""
