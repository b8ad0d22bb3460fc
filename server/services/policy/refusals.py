"""What a caller is told, and the log, when policy does not allow something.

Owns: the fixed codes. Never: which rule refused, to the caller; that is the administrator's.
"""

from typing import Final

from server.protocol import errors
from server.services import audit, floods
from server.services.policy.judging import Case
from server.services.policy.questions import Verdict
from server.services.ports import Unit
from server.services.records import Entry

DENIED: Final = "policy_denied"
"""The fixed code of what a rule forbids."""
NEEDS_PERSON: Final = "needs_person"
FORBIDDEN: Final = "The policy of this installation does not allow this. Nobody will be asked."


def denied() -> errors.RequestRefused:
    """The refusal of what a rule forbids."""
    return errors.RequestRefused(FORBIDDEN, detail=DENIED, members={"reason": DENIED})


def of_agent_alone(tx: Unit, case: Case, verdict: Verdict) -> errors.ProtocolError:
    """Write down why an agent gets nothing for itself, and say what it may do."""
    asks = verdict.outcome == "ask"
    floods.record(
        tx,
        Entry(
            type=audit.Type.TOKEN_REFUSED,
            actor=audit.by_agent(case.agent.id),
            agent_id=case.agent.id,
            resource=case.target.resource.uri,
            action=" ".join(case.target.scope),
            decision="refused",
            posture=verdict.risk,
            cause=NEEDS_PERSON if asks else DENIED,
            facts={"policy": verdict.facts()},
        ),
    )
    if not asks:
        return denied()
    return errors.InteractionRequired(
        "These scopes need a person's approval: ask at /bc-authorize."
    )
