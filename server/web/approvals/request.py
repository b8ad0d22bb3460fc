"""The page of one request: what the agent asks for, how to approve it, and its outcome.

Owns: what the page shows, from the same facts as the terminal's screens. Never: deciding it; the
scripts send signed decisions to the API.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from server.http.approvals.narrowing_wire import granted
from server.model.approval_views import ApproverView
from server.model.approvals import Approval
from server.model.granted import headline, headline_in_state
from server.protocol.approvals import ceremonies, decisions
from server.protocol.approvals.states import State
from server.protocol.policy.risks import Risk
from server.protocol.text import display_safe
from server.services.approvals import retries
from server.services.approvals.ceremonies import LOCKED_TEXT
from server.services.policy.displays import signals_json
from server.services.users.device_auth import Person
from server.web.approvals.outcomes import automatic_outcome
from server.web.page import Facts, Sentence
from server.web.visit import Visit

_DEFAULT_TEXT: Final = "Approve with passkey"
_MAX_LENGTH: Final = 32
_CURRENCY: Final = "(?:[A-Z]{3}|[€$£¥])"
_AMOUNT: Final = re.compile(
    rf"(?:{_CURRENCY} ?)?-?\d[\d.,'\u2019\u00a0\u202f]*(?: {_CURRENCY})?(?!\S)"
)
_MONEY: Final = re.compile(_CURRENCY)
_UNIT: Final = re.compile(rf"{_AMOUNT.pattern}|\S+")
_PREPOSITIONS: Final = frozenset(
    {"at", "by", "for", "from", "in", "into", "of", "on", "to", "with"}
)
_KINDS: Final = frozenset({"action", "app_action"})


def button_text(kind: str, headline: str) -> str:
    """The text of the button that approves: what it does, such as "Pay EUR 4,820.00".

    It ends before the first preposition after the last number. A number is never cut or left out:
    if the text would be too long with it, the button only says that it approves.
    """
    units = _UNIT.findall(display_safe(headline))
    numbers = [index for index, unit in enumerate(units) if _AMOUNT.fullmatch(unit)]
    last = numbers[-1] if numbers else 0
    prepositions = (
        index for index in range(last + 1, len(units)) if units[index].lower() in _PREPOSITIONS
    )
    end = next(prepositions, len(units))
    label = " ".join(units[:end])
    if len(label) > _MAX_LENGTH and numbers and _MONEY.search(units[last]):
        label = " ".join(units[: last + 1])
    if kind not in _KINDS or not label or (len(label) > _MAX_LENGTH and numbers):
        return _DEFAULT_TEXT
    return label if len(label) <= _MAX_LENGTH else _shorten(units[:end])


def _shorten(units: list[str]) -> str:
    """As many words as fit, and an ellipsis."""
    text = ""
    for unit in units:
        longer = f"{text} {unit}".strip()
        if len(longer) >= _MAX_LENGTH:
            break
        text = longer
    return f"{text}…" if text else _DEFAULT_TEXT


def shows_typed_fact(display: Mapping[str, Any]) -> bool:
    """Return whether the headline contains the fact that the person has to type."""
    type_back = display["type_back"]
    if type_back is None:
        return False
    values = [
        _plain(fact["value"]) for fact in display["facts"] if fact["label"] == type_back["label"]
    ]
    if type_back["kind"] == "last_four":
        values = [value[-4:] for value in values]
    headline = _plain(display["headline"])
    return not values or any(value in headline for value in values)


def _plain(text: str) -> str:
    """The case-folded letters and digits of a text."""
    return "".join(filter(str.isalnum, text.casefold()))


_ARMING_MS: Final = {Risk.HIGH: 2_000, Risk.CRITICAL: 3_000}
_SHORT_ARMING_MS: Final = 800
"""The delay before Approve is active, so that a stray click or key cannot approve the request."""


def load(visit: Visit) -> Facts:
    """GET /r/<id>: the open request, or how it ended."""
    approver_view = visit.site.approvals.decisions.show(visit.person, visit.record_id)
    approval = approver_view.approval
    note = None if approver_view.decision is None else approver_view.decision.note
    is_waiting = is_open(approver_view, visit.person)
    narrowed = granted(approval)
    display = json.loads(approval.display)
    requested = str(display["headline"])
    text = button_text(approval.kind, requested if narrowed is None else narrowed.headline)
    return {
        **request_facts(visit, approver_view),
        "open": is_waiting,
        "voted": approval.state is State.PENDING and not is_waiting,
        "button": text if display["facts"] else _DEFAULT_TEXT,
        "outcome": outcome(approver_view),
        "note": note,
        "granted": narrowed,
        "retry": retries.retry_status(approval),
        "tally": approver_view.tally,
        "can_become_standing_grant": can_become_standing_grant(approver_view, visit.person),
        "codes": decisions.DENY_CODES,
    }


def request_facts(visit: Visit, approver_view: ApproverView) -> Facts:
    """The content of every page about one request: its texts and the steps to approve it."""
    approval = approver_view.approval
    display = _display(approver_view)
    return {
        "approval": approval,
        "display": display,
        "shows_typed_fact": shows_typed_fact(display),
        "headline": headline(approval),
        "fingerprint": decisions.fingerprint(approval.action_digest),
        "steps": sorted(ceremonies.parse_ceremony(approval.ceremony)),
        "blocked_reason": _blocked_reason(visit, approver_view),
        "arming": _ARMING_MS.get(approval.risk, _SHORT_ARMING_MS),
        "can_extend": visit.site.approvals.extensions.can_extend(visit.person, approval.id),
    }


def _display(approver_view: ApproverView) -> dict[str, Any]:
    """The display text, with the current signals if there are any."""
    document: dict[str, Any] = json.loads(approver_view.approval.display)
    if approver_view.unusual is not None:
        document["unusual"] = signals_json(approver_view.unusual)
        document["compared"] = approver_view.unusual.compared
    return document


def headline_of(approval: Mapping[str, Any]) -> str:
    """The headline of an approval in its API form."""
    granted = approval["granted"]
    requested = json.loads(approval["display"])["headline"]
    return headline_in_state(
        requested, None if granted is None else granted["headline"], approval["state"]
    )


def can_become_standing_grant(approver_view: ApproverView, person: Person) -> bool:
    """Return whether this person may create a standing grant from a request."""
    approval = approver_view.approval
    is_own_action = (approval.kind, approval.user_id) == ("action", person.user.id)
    return is_own_action and approval.risk is not Risk.CRITICAL


def is_open(approver_view: ApproverView, person: Person) -> bool:
    """Return whether the request is pending and this person has not voted."""
    votes = () if approver_view.tally is None else approver_view.tally.votes
    own_decisions = (vote.decision for vote in votes if vote.decision.user_id == person.user.id)
    voted = any(decision.voided_at is None for decision in own_decisions)
    return approver_view.approval.state is State.PENDING and not voted


def _blocked_reason(visit: Visit, approver_view: ApproverView) -> Sentence:
    """Why this person cannot approve it here or now; empty if they can."""
    if 0 in (approver_view.tries_left or {}).values():
        return (LOCKED_TEXT,)
    high = approver_view.approval.risk.rank >= Risk.HIGH.rank
    high_from = visit.person.registered_device.high_from
    if not high or visit.site.clock.now() >= high_from:
        return ()
    return (
        "This passkey is new. It can approve high-risk requests from ",
        high_from,
        ", or sooner if an older device vouches for it.",
    )


def outcome(approver_view: ApproverView) -> Sentence:
    """One sentence on how it ended; empty while it is pending."""
    approval, answer = approver_view.approval, approver_view.decision
    if answer is not None and answer.decision == "deny":
        label = decisions.DENY_CODES[answer.code or ""].label
        by = f"Denied by {approver_view.decider_name} on {approver_view.device_name} at "
        return (by, answer.at, f". Reason: {label}.")
    if answer is not None and approval.state is not State.PENDING:
        return (
            f"Approved by {_approvers(approver_view)} at ",
            answer.at,
            f".{_later_outcome(approval)}",
        )
    if approval.decided_by is not None:
        return (f"{automatic_outcome(approval).capitalize()}.",)
    if approval.state is State.PENDING:
        return ()
    if approval.state is State.EXPIRED:
        retry_requested = approval.retry_asked_at is not None
        next_step = "its agent was told to retry" if retry_requested else "the agent can retry"
        return ("Expired at ", approval.expires_at, f". Expiring isn't a denial; {next_step}.")
    tally = approver_view.tally
    by = f"{tally.have} of {tally.need} people" if tally and tally.have else "Nobody"
    did = "approved" if tally and tally.have else "answered"
    return (f"This request is closed: {_reason_text(approval)}. {by} {did} it.",)


def _reason_text(approval: Approval) -> str:
    """The reason in words; an administrator's own text stays as it is."""
    name, colon, text = (approval.reason or approval.state).partition(":")
    return f"{name.replace('_', ' ')}{colon}{text}"


def _later_outcome(approval: Approval) -> str:
    """What happened after a person approved it."""
    if approval.state is State.REDEEMED:
        return " The agent collected its token." if approval.kind == "action" else ""
    if approval.state is State.EXPIRED:
        return " The agent did not collect its token in time."
    ended = approval.state is State.CANCELLED
    return f" It was withdrawn before it was used: {_reason_text(approval)}." if ended else ""


def _approvers(approver_view: ApproverView) -> str:
    """Everyone whose approval counts; for a single person, also their device."""
    votes = () if approver_view.tally is None else approver_view.tally.votes
    names = [
        vote.name
        for vote in votes
        if vote.decision.decision == "approve" and vote.decision.voided_at is None
    ]
    if len(names) < 2:  # noqa: PLR2004  # one person
        return f"{approver_view.decider_name} on {approver_view.device_name}"
    return f"{', '.join(names[:-1])} and {names[-1]}"
