"""The remedy for a refused exchange, with names, URIs and whole commands filled in.

Owns: the values of the placeholders in a remedy. Never: the remedies
(`server.protocol.tokens.exchange_refusals`), or whether they help; the replay shows that.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Final

from server.model import display_names
from server.model.clients import Agent
from server.model.store import View
from server.model.tokens import Delegation, LoggedExchange
from server.model.users import User
from server.protocol.tokens import token_exchange
from server.protocol.tokens.exchange_refusals import REFUSALS, Reason

_WORD: Final = re.compile(r"\b[A-Z]{3,}\b")


@dataclass(frozen=True, slots=True)
class RefusedExchange:
    """A refused exchange, with the agent, user and tokens that still exist."""

    reason: Reason
    asked: LoggedExchange
    agent: Agent | None
    user: User | None
    lineage: Sequence[Delegation]
    """The subject token and its ancestors."""


def remedy(view: View, case: RefusedExchange) -> str:
    """Return the remedy of this case. An unknown value stays a placeholder in capitals."""
    words = {name: word for name, word in _words(view, case).items() if word}
    text = REFUSALS[case.reason].remedy
    return _WORD.sub(lambda found: words.get(found[0], found[0]), text)


def _words(view: View, case: RefusedExchange) -> Mapping[str, str]:
    agent, target = case.agent, case.asked.target
    arrived = case.lineage[0].resource if case.lineage else None
    words = {
        "AGENT": "" if agent is None else quote(agent.name),
        "USER": "" if case.user is None else quote(case.user.name),
        "URI": quote(target) if target else "",
        "APP": _stopped_app(view, case.lineage),
        "REVIVAL": _enable_command(view, case.lineage),
    }
    if agent is not None:
        acting = [token.client_id for token in case.lineage if token.depth]
        words["FIRST"] = quote(display_names.name_of(view.directory, (acting or [agent.id])[-1]))
        words["RESOURCES"] = _flags("--resource", agent.resources, target)
        words["SERVES"] = _flags("--serves", agent.serves, arrived)
    return words


def _flags(flag: str, there: Iterable[str], more: str | None) -> str:
    """Return a list flag that keeps the old values: a list replaces the old one."""
    return " ".join(f"{flag} {quote(uri)}" for uri in (*there, more or "URI"))


def _stopped_app(view: View, lineage: Sequence[Delegation]) -> str:
    apps = (view.directory.app(token.client_id) for token in lineage)
    return next((quote(app.name) for app in apps if app and not app.active(view.now)), "")


def _enable_command(view: View, lineage: Sequence[Delegation]) -> str:
    """Return the command that enables the first disabled agent of the chain."""
    chain = [actor for token in lineage for actor in _actors(token)]
    agents = (view.directory.agent(actor) for actor in chain)
    stopped = next((one for one in agents if one and not one.active(view.now)), None)
    if stopped is None:
        return ""
    name = quote(stopped.name)
    return f"enable {name}" if stopped.state != "enabled" else f"update {name} --expires 30d"


def _actors(token: Delegation) -> Iterable[str]:
    chain = json.loads(token.chain) if token.chain else None
    return (*token_exchange.actors(chain), token.client_id)
