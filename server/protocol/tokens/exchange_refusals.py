"""Why an exchange is refused: the fixed codes of the log, each with its step and its remedy.

Owns: one row per reason: the step of the sequence that refuses, what the agent is told, what makes
it pass. Never: the steps themselves (`server.services.tokens.exchanges`).

The agent is told little about somebody else's token; who administers asks `sayso token explain`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from server.protocol import errors

STEPS: Final = MappingProxyType(
    {
        1: "the request is well-formed",
        2: "the subject token is one of our access tokens",
        3: "the actor token is the caller's own",
        4: "a bound token comes with a proof of its key",
        5: "the subject token and all that it came from are in force",
        6: "it is about a person who is enabled",
        7: "the caller may act on it",
        8: "every actor of the chain is enabled",
        9: "the chain is short enough",
        10: "the target is one that the caller may ask for",
        11: "something of the scopes is left within every bound",
        12: "the details fit their types",
        13: "the person consented",
        14: "policy allows it, and no person has to be asked about this very thing, "
        "nor has denied such things of late",
    }
)
"""What each step makes sure of, in their order."""


class Reason(StrEnum):
    """The fixed code of a refusal. A retired one is never used again with another meaning."""

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
    """What one reason means."""

    step: int
    error: type[errors.ProtocolError]
    told: str
    """To the agent."""
    remedy: str
    """To whoever administers. What is in capitals stands for what the case at hand has there."""


_SUBJECT = "subject_token is not an access token that is good."
_NOT_YOURS = "This client may not exchange this subject_token."
_ASK = "A person must be asked: send login_hint_token to /bc-authorize."

REFUSALS: Final[Mapping[Reason, Refusal]] = MappingProxyType(
    {
        Reason.MALFORMED: Refusal(
            1, errors.InvalidRequest, "", "Send the parameters as docs/exchange-tokens.md has them."
        ),
        Reason.SUBJECT_INVALID: Refusal(
            2,
            errors.InvalidRequest,
            _SUBJECT,
            "Send an access token that this issuer signed and whose time is not over.",
        ),
        Reason.ACTOR_INVALID: Refusal(
            3,
            errors.InvalidRequest,
            "actor_token is not an access token that is good.",
            "Leave actor_token out, or get one with client_credentials.",
        ),
        Reason.ACTOR_FOREIGN: Refusal(
            3,
            errors.InvalidRequest,
            "actor_token must be the caller's own.",
            "Leave actor_token out, or send one in which the caller acts for itself.",
        ),
        Reason.PROOF_MISSING: Refusal(
            4,
            errors.InvalidDpopProof,
            "The token is bound to a key: send a proof of that key.",
            "Send a DPoP proof of the key that the token is bound to.",
        ),
        Reason.SUBJECT_UNKNOWN: Refusal(
            5, errors.InvalidRequest, _SUBJECT, "Exchange a token that stands in the ledger."
        ),
        Reason.SUBJECT_EXPIRED: Refusal(
            5, errors.InvalidRequest, _SUBJECT, "Get a new subject token; this one has run out."
        ),
        Reason.SUBJECT_REVOKED: Refusal(
            5, errors.InvalidRequest, _SUBJECT, "Get a new subject token; this one was revoked."
        ),
        Reason.ANCESTOR_REVOKED: Refusal(
            5,
            errors.InvalidRequest,
            _SUBJECT,
            "Get a new subject token; one that this one came from was revoked.",
        ),
        Reason.NO_PERSON: Refusal(
            6,
            errors.InvalidRequest,
            "subject_token is not about a person.",
            "Exchange a person's token; an agent's own is about nobody else.",
        ),
        Reason.USER_DISABLED: Refusal(
            6, errors.InvalidRequest, _SUBJECT, "Enable the user: sayso users enable USER"
        ),
        Reason.MAY_ACT_FOREIGN: Refusal(
            7,
            errors.InvalidRequest,
            _NOT_YOURS,
            "Let the app ask for this agent, so that may_act names it.",
        ),
        Reason.NOT_SERVED: Refusal(
            7,
            errors.InvalidRequest,
            _NOT_YOURS,
            "Let the agent serve the token's resource: sayso agents update AGENT SERVES",
        ),
        Reason.ACTOR_DISABLED: Refusal(
            8,
            errors.InvalidRequest,
            _SUBJECT,
            "Let the agent of the chain go on: sayso agents REVIVAL",
        ),
        Reason.APP_DISABLED: Refusal(
            8,
            errors.InvalidRequest,
            _SUBJECT,
            "Enable the app that the person used: sayso apps update APP --enable",
        ),
        Reason.TOO_DEEP: Refusal(
            9,
            errors.InvalidRequest,
            "The chain of actors would be longer than four.",
            "Exchange an earlier token of the chain.",
        ),
        Reason.CHAIN_TOO_LARGE: Refusal(
            9,
            errors.InvalidRequest,
            "The chain of actors would be too large for a token.",
            "Exchange an earlier token of the chain.",
        ),
        Reason.TARGET_BEYOND: Refusal(
            10,
            errors.InvalidTarget,
            "This agent may not ask for this resource, or none was named.",
            "Name a resource that it has, or give it this one: sayso agents update AGENT RESOURCES",
        ),
        Reason.SCOPE_BEYOND: Refusal(
            11,
            errors.InvalidScope,
            "None of these scopes is left within the bounds of this exchange.",
            "Ask for scopes that the resource has, that every agent of the chain may have, and "
            "that the token of the resource itself has.",
        ),
        Reason.DETAILS_INVALID: Refusal(
            12,
            errors.InvalidAuthorizationDetails,
            "",
            "Send details of registered types that the agent may ask for: sayso actions list",
        ),
        Reason.CONSENT_MISSING: Refusal(
            13,
            errors.InteractionRequired,
            _ASK,
            "Let USER consent to FIRST at URI, or answer this one request at /bc-authorize.",
        ),
        Reason.DETAILS_MISSING: Refusal(
            14,
            errors.InteractionRequired,
            "These scopes need authorization_details and a person's answer: send both with "
            "login_hint_token to /bc-authorize.",
            "Send details of the types that the scopes require, and let the person answer.",
        ),
        Reason.POLICY_DENIED: Refusal(
            14,
            errors.RequestRefused,
            "The policy of this installation does not allow this. Nobody will be asked.",
            "Look at the rule that the entry names: sayso policy show",
        ),
        Reason.NEEDS_PERSON: Refusal(
            14, errors.InteractionRequired, _ASK, "Let the person answer at /bc-authorize."
        ),
        Reason.DENIED_REPEATEDLY: Refusal(
            14,
            errors.RequestRefused,
            "This person has denied such requests repeatedly.",
            "Wait for the end of the pause, and find out what it kept asking for: "
            "sayso agents show AGENT",
        ),
    }
)
"""Every reason. An empty `told` means that the refusing rule says it itself."""
