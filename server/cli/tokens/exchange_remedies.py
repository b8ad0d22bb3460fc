"""The remedy for a refused exchange, with names, URIs and whole commands filled in.

Owns: one text per reason, and the values of its placeholders. Never: whether it helps; the replay
shows that.
"""

import re
from collections.abc import Iterable, Mapping
from shlex import quote
from types import MappingProxyType
from typing import Final

from server.protocol.tokens.exchange_refusals import Reason
from server.services.tokens.explanations import Explanation

REMEDIES: Final[Mapping[Reason, str]] = MappingProxyType(
    {
        Reason.MALFORMED: "Send the parameters that docs/exchange-tokens.md lists.",
        Reason.SUBJECT_INVALID: "Send an unexpired access token that this issuer signed.",
        Reason.ACTOR_INVALID: "Leave actor_token out, or get one with client_credentials.",
        Reason.ACTOR_FOREIGN: "Leave actor_token out, or send one in which the caller acts for "
        "itself.",
        Reason.PROOF_MISSING: "Send a DPoP proof of the key that the token is bound to.",
        Reason.SUBJECT_UNKNOWN: "Exchange a token that this server issued.",
        Reason.SUBJECT_EXPIRED: "Get a new subject token; this one has expired.",
        Reason.SUBJECT_REVOKED: "Get a new subject token; this one was revoked.",
        Reason.ANCESTOR_REVOKED: "Get a new subject token; an ancestor of this one was revoked.",
        Reason.NO_PERSON: "Exchange a token that is about a person, not an agent's own token.",
        Reason.USER_DISABLED: "Enable the user: sayso users enable USER",
        Reason.MAY_ACT_FOREIGN: "Let the app ask for this agent, so that may_act names it.",
        Reason.NOT_SERVED: "Let the agent serve the token's resource: sayso agents update AGENT "
        "SERVES",
        Reason.ACTOR_DISABLED: "Enable the agent of the chain: sayso agents REVIVAL",
        Reason.APP_DISABLED: "Enable the app that the person used: sayso apps update APP --enable",
        Reason.TOO_DEEP: "Exchange an earlier token of the chain.",
        Reason.CHAIN_TOO_LARGE: "Exchange an earlier token of the chain.",
        Reason.TARGET_BEYOND: "Name one of the agent's resources, or add this: sayso agents update "
        "AGENT RESOURCES",
        Reason.SCOPE_BEYOND: "Ask for scopes of the resource that every agent of the chain may "
        "have, and that the chain's token for that resource has.",
        Reason.DETAILS_INVALID: "Send details of registered types that this agent may use: sayso "
        "actions list",
        Reason.CONSENT_MISSING: "Have USER consent to FIRST at URI, or approve this request at "
        "/bc-authorize.",
        Reason.DETAILS_MISSING: "Send details of the types that the scopes require, and have the "
        "person answer.",
        Reason.POLICY_DENIED: "See the rule that the audit entry names: sayso policy show",
        Reason.NEEDS_PERSON: "Have the person answer at /bc-authorize.",
        Reason.DENIED_REPEATEDLY: "Wait until the pause ends, and check what the agent kept asking "
        "for: sayso agents show AGENT",
    }
)
"""Words in capitals are placeholders."""

_WORD: Final = re.compile(r"\b[A-Z]{3,}\b")


def remedy(found: Explanation) -> str:
    """The remedy of this case. An unknown value stays a placeholder."""
    words = _words(found)
    return _WORD.sub(lambda word: words.get(word[0], word[0]), REMEDIES[found.reason])


def _words(found: Explanation) -> Mapping[str, str]:
    known = {"USER": found.user, "URI": found.asked.target}
    words = {name: quote(value) for name, value in known.items() if value}
    if found.stopped is not None:
        name = quote(found.stopped.name)
        expired = found.stopped.state == "enabled"
        words |= {
            "APP": name,
            "REVIVAL": f"update {name} --expires 30d" if expired else f"enable {name}",
        }
    if found.client is not None:
        acting = [one.client_name for one in found.chain if one.delegation.depth]
        arrived = found.chain[0].delegation.resource if found.chain else None
        words |= {
            "AGENT": quote(found.client.name),
            "FIRST": quote((acting or [found.client.name])[-1]),
            "RESOURCES": _flags("--resource", found.client.resources, found.asked.target),
            "SERVES": _flags("--serves", found.client.serves, arrived),
        }
    return words


def _flags(flag: str, there: Iterable[str], more: str | None) -> str:
    """A list flag that keeps the old values: a list replaces the old one."""
    return " ".join(f"{flag} {quote(uri)}" for uri in (*there, more or "URI"))
