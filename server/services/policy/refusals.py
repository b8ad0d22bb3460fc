"""What a caller is told, and the log, when policy does not allow something.

Owns: the fixed codes. Never: which rule refused, to the caller; that is the administrator's.
"""

from typing import Final

from server.model.audit import Entry
from server.model.store import Unit
from server.protocol import errors
from server.protocol.policy.questions import Verdict
from server.services.audit import audit, floods
from server.services.policy.judging import JudgedRequest

DENIED: Final = "policy_denied"
"""The fixed code of what a rule forbids."""
TOO_FEW: Final = "too_few_people"
"""The fixed code of what takes more people than there are."""
TOLD: Final = frozenset({DENIED, TOO_FEW})
"""The codes that the agent is told."""
NEEDS_PERSON: Final = "needs_person"
FORBIDDEN: Final = "The policy of this installation does not allow this. Nobody will be asked."


def too_few(need: int, there: int) -> str:
    """What an agent is told of a request that nobody can approve."""
    people = "one person" if there == 1 else f"{there or 'no'} people"
    return (
        f"This takes the approval of {need} people, and {people} may give it. Nobody was asked. "
        "An administrator can name more in a rule of policy, or let one be enough."
    )


def denied() -> errors.RequestRefused:
    """The refusal of what a rule forbids."""
    return errors.RequestRefused(FORBIDDEN, detail=DENIED, members={"reason": DENIED})


class Forbidden(errors.AccessDenied):
    """What a rule forbids an app of people."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(FORBIDDEN, detail=DENIED, members={"reason": DENIED})
        self.verdict = verdict


def of_agent_alone(tx: Unit, case: JudgedRequest, verdict: Verdict) -> errors.ProtocolError:
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
