"""Why a token counts or does not, and why an exchange was refused: told to who administers.

Owns: replaying a refused exchange from its entry, by the same steps and on what is there now;
looking into a token. Never: tokens beyond the call; the log keeps facts that cannot be used.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from server.model import display_names
from server.model.audit import EntrySearch, StoredEntry
from server.model.clients import Agent
from server.model.store import Store, View
from server.model.tokens import Delegation, LoggedExchange, NamedDelegation
from server.protocol.tokens.exchange_refusals import REFUSALS, STEPS, Reason, Refusal
from server.services.audit import audit, floods
from server.services.refusals import Invalid, NotFound
from server.services.tokens import remedies
from server.services.tokens.delegations import held
from server.services.tokens.exchanges import Bound, ExchangeRefused, Exchanges
from server.services.tokens.issued_tokens import IssuedTokens
from server.services.tokens.remedies import RefusedExchange

FIRST_REPLAYED = 5
"""What the steps before it looked at was in the tokens, and those are gone."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A refused exchange: what was asked, which step refused it, and how it would go now."""

    entry: StoredEntry
    agent: str
    user: str | None
    asked: LoggedExchange
    reason: Reason
    remedy: str
    chain: tuple[NamedDelegation, ...]
    """The subject token and what it came from."""
    bounds: tuple[Bound, ...]
    """What each bound leaves of the scopes, when the exchange came so far."""
    now: Reason | None
    """Why it would be refused now; None when it would not, or cannot be replayed."""
    replayed: bool

    @property
    def refusal(self) -> Refusal:
        """What the reason means."""
        return REFUSALS[self.reason]

    @property
    def step(self) -> str:
        """What the step that refused makes sure of."""
        return STEPS[self.refusal.step]


@dataclass(frozen=True, slots=True)
class Inspected:
    """A token of ours: what it says, and everything that speaks against it."""

    claims: Mapping[str, object]
    row: NamedDelegation | None
    against: tuple[str, ...]
    """Empty when it counts now."""


@dataclass(frozen=True, slots=True)
class Explanations:
    """Explains refusals and tokens."""

    store: Store
    tokens: IssuedTokens
    exchanges: Exchanges

    def exchange(self, of: str | None) -> Explanation:
        """The refusal of this entry or correlation id, or the newest. Raises `NotFound`."""
        with self.store.read() as view:
            entry = _refusal(view, of)
            if entry is None:
                raise NotFound(
                    "No exchange was refused under this id. The agent is told it as "
                    "X-Correlation-Id; the log has it: sayso audit tail. Of one agent's refusals "
                    f"the log keeps {floods.MAX_FULL_ENTRIES} a minute whole and counts the others."
                )
            return self._explain(view, entry)

    def token(self, text: str) -> Inspected:
        """What a token of ours says and why it does not count. Raises `Invalid`."""
        with self.store.read() as view:
            claims = self.tokens.read(view, text)
            if claims is None:
                raise Invalid("This is not an access token that a key of this issuer signed.")
            row = view.delegations.get(str(claims.get("jti")))
            live = self.tokens.live(view, text) is not None
            return Inspected(
                claims,
                None if row is None else held(view.directory, row),
                () if live else _against(view, row, self.tokens.rules.issuer),
            )

    def _explain(self, view: View, entry: StoredEntry) -> Explanation:
        said = json.loads(entry.body)
        reason, asked = Reason(said["cause"]), asked_of(said["facts"])
        agent = view.directory.agent(said["agent_id"])
        subject = view.delegations.get(asked.subject)
        lineage = [] if subject is None else [subject, *view.delegations.ancestors(subject.id)]
        replayed = agent is not None and REFUSALS[reason].step >= FIRST_REPLAYED
        user = view.directory.user(said.get("subject", ""))
        case = RefusedExchange(reason, asked, agent, user, lineage)
        return Explanation(
            entry=entry,
            agent=said["agent_id"] if agent is None else agent.name,
            user=None if user is None else user.name,
            asked=asked,
            reason=reason,
            remedy=remedies.remedy(view, case),
            chain=tuple(held(view.directory, one) for one in lineage),
            bounds=self._bounds(view, agent, asked, lineage),
            now=self._replay(view, agent, asked, subject) if agent and replayed else None,
            replayed=replayed,
        )

    def _replay(
        self, view: View, agent: Agent, asked: LoggedExchange, subject: Delegation | None
    ) -> Reason | None:
        if not agent.active(view.now):
            return Reason.ACTOR_DISABLED
        try:
            self.exchanges.weigh(view, agent, asked, subject)
        except ExchangeRefused as refused:
            return refused.reason
        return None

    def _bounds(
        self, view: View, agent: Agent | None, asked: LoggedExchange, lineage: list[Delegation]
    ) -> tuple[Bound, ...]:
        resource = None if asked.target is None else view.directory.resource(asked.target)
        if agent is None or resource is None or not lineage:
            return ()
        return self.exchanges.bounds(view, agent, resource, lineage)


def _refusal(view: View, of: str | None) -> StoredEntry | None:
    """The newest refusal; with `of` the one of this id or correlation id."""
    named = None if of is None else view.audit.get(of)
    if named is not None and named.type == audit.Type.EXCHANGE_REFUSED:
        return named
    wanted = EntrySearch(type=audit.Type.EXCHANGE_REFUSED, correlation_id=of)
    return next(iter(view.audit.search(wanted, None, 1)), None)


def asked_of(facts: Mapping[str, object]) -> LoggedExchange:
    """The exchange that an entry tells of. Its details are gone, so nobody signed for them."""
    known = dict(facts)
    types = tuple(str(name) for name in known["types"])  # type: ignore[attr-defined]  # a list
    return LoggedExchange(
        subject=str(known["subject"]),
        may_act=known["may_act"],  # type: ignore[arg-type]  # as the entry was written
        target=known["target"],  # type: ignore[arg-type]  # likewise
        scope=tuple(str(known["scope"]).split()),
        types=types,
        signed_for=False if types else None,
    )


def _against(view: View, row: Delegation | None, issuer: str) -> tuple[str, ...]:
    """What speaks against a token that does not count."""
    if row is None:
        return ("it does not stand in the ledger",)
    directory, user = view.directory, view.directory.user(row.user_id or "")
    clients = {row.client_id, *(one.client_id for one in view.delegations.ancestors(row.id))}
    found = {
        "it was revoked": row.revoked_at is not None,
        "it has run out": row.expires_at <= view.now,
        "its person is not enabled": row.user_id is not None and (user is None or not user.enabled),
        "an agent or app that stands behind it is not enabled": any(
            display_names.find(directory, client_id, view.now) is None for client_id in clients
        ),
        "its resource is not there any more": directory.resource(row.resource) is None
        and not row.resource.startswith(f"{issuer}/"),
    }
    return tuple(reason for reason, speaks in found.items() if speaks)
