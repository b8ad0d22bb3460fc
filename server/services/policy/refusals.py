"""The errors and audit entries for requests that policy does not allow.

Owns: the fixed codes. Never: telling the caller which rule refused; only administrators see it.
"""

from typing import Final

from server.model.audit import Entry
from server.model.store import Unit
from server.protocol import errors
from server.protocol.policy.questions import Verdict
from server.protocol.text import pluralize
from server.services.audit import audit, floods
from server.services.policy.evaluation import PolicyRequest

DENIED: Final = "policy_denied"
"""The code if a rule denies the request."""
TOO_FEW: Final = "too_few_people"
"""The code if the quorum exceeds the eligible approvers."""
AGENT_CODES: Final = frozenset({DENIED, TOO_FEW})
"""The codes that agents receive."""
NEEDS_PERSON: Final = "needs_person"
FORBIDDEN: Final = "The policy of this installation does not allow this. Nobody will be asked."


def too_few_text(need: int, available: int) -> str:
    """Return the message to an agent whose request cannot reach its quorum."""
    people = f"only {pluralize(available, 'person', 'people')}" if available else "nobody"
    return (
        f"This needs {pluralize(need, 'approval')}, but {people} can approve it. Nobody was asked. "
        "An administrator can name more approvers in a policy rule, or lower the quorum."
    )


def denied_error() -> errors.RequestRefused:
    """Return the error for a request that a rule denies."""
    return errors.RequestRefused(FORBIDDEN, detail=DENIED, members={"reason": DENIED})


class DeniedByPolicy(errors.AccessDenied):
    """A rule denies an app's request."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(FORBIDDEN, detail=DENIED, members={"reason": DENIED})
        self.verdict = verdict


def refuse_without_user(tx: Unit, case: PolicyRequest, verdict: Verdict) -> errors.ProtocolError:
    """Record the refusal of an agent that acts for itself, and return the error."""
    needs_person = verdict.outcome == "ask"
    floods.record_refusal(
        tx,
        Entry(
            type=audit.Type.TOKEN_REFUSED,
            actor=audit.by_agent(case.agent.id),
            agent_id=case.agent.id,
            resource=case.target.resource.uri,
            action=" ".join(case.target.scope),
            decision="refused",
            posture=verdict.risk,
            cause=NEEDS_PERSON if needs_person else DENIED,
            facts={"policy": verdict.facts()},
        ),
    )
    if not needs_person:
        return denied_error()
    return errors.InteractionRequired(
        "These scopes need a person's approval. Request it at /bc-authorize."
    )
