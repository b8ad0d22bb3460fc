"""Explains to administrators why a token is not valid, or why an exchange was refused.

Owns: replaying a refused exchange from its audit entry with the current data; inspecting a token.
Never: storing a token.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from server.model import display_names
from server.model.audit import EntrySearch, StoredEntry
from server.model.clients import Agent, App
from server.model.store import Store, View
from server.model.tokens import Delegation, LoggedExchange, NamedDelegation
from server.protocol.tokens.exchange_refusals import REFUSALS, STEPS, Reason, Refusal
from server.services.audit import audit
from server.services.refusals import Invalid, NotFound
from server.services.tokens.delegations import with_names
from server.services.tokens.exchange_checks import ExchangeChecks, ExchangeRefused, ScopeBound
from server.services.tokens.issued_tokens import IssuedTokens

FIRST_REPLAYED = 5
"""The first step that can be replayed; earlier steps need the tokens, which are not stored."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A refused exchange: the request, the step that refused it, and today's result."""

    entry: StoredEntry
    agent: str
    user: str | None
    original_request: LoggedExchange
    reason: Reason
    client: Agent | None
    """The agent, if it still exists."""
    inactive_client: Agent | App | None
    """The first disabled agent in the chain, or the app if it was the reason."""
    chain: tuple[NamedDelegation, ...]
    """The subject token and its ancestors."""
    bounds: tuple[ScopeBound, ...]
    """The scopes that each limit allows, if the exchange reached that step."""
    current_reason: Reason | None
    """The reason for a refusal today; None if the exchange would pass or cannot be replayed."""
    replayed: bool

    @property
    def refusal(self) -> Refusal:
        """The details of the reason."""
        return REFUSALS[self.reason]

    @property
    def step(self) -> str:
        """The description of the step that refused the exchange."""
        return STEPS[self.refusal.step]


@dataclass(frozen=True, slots=True)
class TokenInspection:
    """A token from this server: its claims, and why it is not valid."""

    claims: Mapping[str, object]
    row: NamedDelegation | None
    problems: tuple[str, ...]
    """Why it is not valid; empty if it is valid."""


@dataclass(frozen=True, slots=True)
class Explanations:
    """Explains refusals and tokens."""

    store: Store
    tokens: IssuedTokens
    checks: ExchangeChecks

    def exchange(self, entry_id: str | None) -> Explanation:
        """Explain the refusal with this entry or correlation ID; default: the newest.

        Raises `NotFound`.
        """
        with self.store.read() as view:
            entry = _refusal(view, entry_id)
            if entry is None:
                raise NotFound("refused exchange", entry_id or "")
            return self._explain(view, entry)

    def token(self, text: str) -> TokenInspection:
        """Return the claims of a token and why it is not valid. Raises `Invalid`."""
        with self.store.read() as view:
            claims = self.tokens.read(view, text)
            if claims is None:
                raise Invalid("This is not an access token that a key of this issuer signed.")
            row = view.delegations.get(str(claims.get("jti")))
            live = self.tokens.live(view, text) is not None
            return TokenInspection(
                claims,
                None if row is None else with_names(view.directory, row),
                () if live else _problems(view, row, self.tokens.server_policy.issuer),
            )

    def _explain(self, view: View, entry: StoredEntry) -> Explanation:
        body = entry.members
        reason, exchange = Reason(body["cause"]), logged_exchange(body["facts"])
        agent = view.directory.agent(body["agent_id"])
        subject = view.delegations.get(exchange.subject)
        lineage = [] if subject is None else [subject, *view.delegations.ancestors(subject.id)]
        replayed = agent is not None and REFUSALS[reason].step >= FIRST_REPLAYED
        user = view.directory.user(body.get("subject", ""))
        chain = tuple(with_names(view.directory, delegation) for delegation in lineage)
        return Explanation(
            entry=entry,
            agent=body["agent_id"] if agent is None else agent.name,
            user=None if user is None else user.name,
            original_request=exchange,
            reason=reason,
            client=agent,
            inactive_client=_find_disabled_client(view, reason, chain),
            chain=chain,
            bounds=self._bounds(view, agent, exchange, lineage),
            current_reason=self._replay(view, agent, exchange, subject)
            if agent and replayed
            else None,
            replayed=replayed,
        )

    def _replay(
        self, view: View, agent: Agent, exchange: LoggedExchange, subject: Delegation | None
    ) -> Reason | None:
        if not agent.active(view.now):
            return Reason.ACTOR_DISABLED
        try:
            self.checks.check(view, agent, exchange, subject)
        except ExchangeRefused as refused:
            return refused.reason
        return None

    def _bounds(
        self, view: View, agent: Agent | None, exchange: LoggedExchange, lineage: list[Delegation]
    ) -> tuple[ScopeBound, ...]:
        resource = None if exchange.target is None else view.directory.resource(exchange.target)
        if agent is None or resource is None or not lineage:
            return ()
        return self.checks.bounds(view, agent, resource, lineage)


def _find_disabled_client(
    view: View, reason: Reason, chain: Sequence[NamedDelegation]
) -> Agent | App | None:
    find: Callable[[str], Agent | App | None] = (
        view.directory.app if reason is Reason.APP_DISABLED else view.directory.agent
    )
    client_ids = [
        (*(actor for actor, _ in link.actors), link.delegation.client_id) for link in chain
    ]
    clients = [find(client) for chain_ids in client_ids for client in chain_ids]
    return next((client for client in clients if client and not client.active(view.now)), None)


def _refusal(view: View, entry_id: str | None) -> StoredEntry | None:
    """Return the newest refusal, or the one with this ID or correlation ID."""
    entry = None if entry_id is None else view.audit.get(entry_id)
    if entry is not None and entry.type == audit.Type.EXCHANGE_REFUSED:
        return entry
    entry_search = EntrySearch(type=audit.Type.EXCHANGE_REFUSED, correlation_id=entry_id)
    return next(iter(view.audit.search(entry_search, None, 1)), None)


def logged_exchange(facts: Mapping[str, object]) -> LoggedExchange:
    """Return the exchange that an entry's facts describe; its details are not stored."""
    entry_facts = dict(facts)
    types = tuple(str(name) for name in entry_facts["types"])  # type: ignore[attr-defined]  # a list
    return LoggedExchange(
        subject=str(entry_facts["subject"]),
        may_act=entry_facts["may_act"],  # type: ignore[arg-type]  # as the entry was written
        target=entry_facts["target"],  # type: ignore[arg-type]  # as above
        scope=tuple(str(entry_facts["scope"]).split()),
        types=types,
        signed_for=False if types else None,
    )


def _problems(view: View, row: Delegation | None, issuer: str) -> tuple[str, ...]:
    """Return the reasons why a token is not valid."""
    if row is None:
        return ("this server has no record of it",)
    directory, user = view.directory, view.directory.user(row.user_id or "")
    client_ids = {
        row.client_id,
        *(ancestor.client_id for ancestor in view.delegations.ancestors(row.id)),
    }
    problems = {
        "it was revoked": row.revoked_at is not None,
        "it has expired": row.expires_at <= view.now,
        "its user is not enabled": row.user_id is not None and (user is None or not user.enabled),
        "an agent or app in its chain is not enabled": any(
            display_names.find(directory, client_id, view.now) is None for client_id in client_ids
        ),
        "its resource was deleted": directory.resource(row.resource) is None
        and not row.resource.startswith(f"{issuer}/"),
    }
    return tuple(reason for reason, applies in problems.items() if applies)
