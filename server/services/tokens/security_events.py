"""Security events tell APIs that an agent, app or user has lost access. APIs poll for them.

An event is stored in the same unit of work as the change that it reports, so no event is lost.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from server.model.ports import Signer
from server.model.reactions import AgentDeactivated, AppDeactivated, UserDisabled
from server.model.resources import ResourceServer
from server.model.store import Store, Unit
from server.model.users import User
from server.protocol.tokens import security_events
from server.services.audit import audit
from server.services.server_policy import ServerPolicy


def agent_deactivated(tx: Unit, event: AgentDeactivated) -> None:
    """Tell the APIs that had a token issued to the agent, or a token derived from it."""
    resources = tx.delegations.resources_of_client(event.agent.id, _since(tx))
    _add(tx, resources, event.agent.id, event.by, f"agent_{event.agent.state}")


def app_deactivated(tx: Unit, event: AppDeactivated) -> None:
    """Tell the APIs that had a token issued to the app, or a token derived from it."""
    resources = tx.delegations.resources_of_client(event.app_id, _since(tx))
    _add(tx, resources, event.app_id, event.by, "app_disabled")


def user_disabled(tx: Unit, event: UserDisabled) -> None:
    """Tell the APIs that had a token for the user."""
    resources = tx.delegations.resources_of_user(event.user.id, _since(tx))
    _add(tx, resources, event.user.id, event.by, "user_disabled")


def _since(tx: Unit) -> int:
    return tx.now - security_events.RECENT_MS


def _add(tx: Unit, resources: Iterable[str], subject: str, by: str, reason: str) -> None:
    registered = [uri for uri in resources if tx.directory.resource(uri) is not None]
    user = tx.directory.user(by.removeprefix("user:"))
    tx.security_events.add(registered, subject, initiator(by, user), reason)


def initiator(by: str, user: User | None) -> str:
    """Return the `initiating_entity` (CAEP 2) of an actor; `user` is the user that `by` names."""
    if by == audit.OPERATOR or (user is not None and "admin" in user.roles):
        return "admin"
    return "policy" if user is None else "user"


@dataclass(frozen=True, slots=True)
class Poll:
    """A poll of a resource server (RFC 8936 2.2)."""

    max_events: int
    done: frozenset[str] = frozenset()
    """The IDs of the events that the caller acknowledges, with or without an error."""


@dataclass(frozen=True, slots=True)
class Polled:
    """The response to a poll."""

    sets: Mapping[str, str]
    """ID → security event token."""
    has_more: bool
    deleted: Sequence[str]
    """The IDs of the events that the poll acknowledged."""


@dataclass(frozen=True, slots=True)
class SecurityEventStream:
    """Returns security events to the resource servers that poll for them."""

    store: Store
    signer: Signer
    server_policy: ServerPolicy

    def poll(self, caller: ResourceServer, poll: Poll) -> Polled:
        """Delete the events that the caller acknowledges, and return its oldest other events.

        The tokens are signed now, because a signing key may be replaced while an event is waiting.
        """
        deleted: Sequence[str] = ()
        if poll.done:
            with self.store.write() as tx:
                deleted = tx.security_events.delete(caller.uris, poll.done)
        with self.store.read() as view:
            pending_events = view.security_events.waiting(caller.uris, poll.max_events + 1)
            keys = view.directory.signing_keys()
        alg, issuer = self.server_policy.access_token_alg, self.server_policy.issuer
        sets = {
            event.id: self.signer.sign(
                keys, alg, security_events.TOKEN_TYPE, security_events.claims(issuer, event)
            )
            for event in pending_events[: poll.max_events]
        }
        return Polled(sets, len(pending_events) > poll.max_events, deleted)
