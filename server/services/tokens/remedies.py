"""What would make a refused exchange pass, in the words of the case: names, URIs, whole commands.

Owns: what the words in capitals of a remedy stand for. Never: the remedies
(`server.protocol.tokens.exchange_refusals`) and whether they help, which the replay tells.
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
    """A refused exchange, as far as who and what was in it is still there."""

    reason: Reason
    asked: LoggedExchange
    agent: Agent | None
    user: User | None
    lineage: Sequence[Delegation]
    """The subject token and what it came from."""


def remedy(view: View, case: RefusedExchange) -> str:
    """The remedy of this case; what nobody knows any more stays in capitals."""
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
        "REVIVAL": _revival(view, case.lineage),
    }
    if agent is not None:
        acting = [token.client_id for token in case.lineage if token.depth]
        words["FIRST"] = quote(display_names.name_of(view.directory, (acting or [agent.id])[-1]))
        words["RESOURCES"] = _flags("--resource", agent.resources, target)
        words["SERVES"] = _flags("--serves", agent.serves, arrived)
    return words


def _flags(flag: str, there: Iterable[str], more: str | None) -> str:
    """A list that is given replaces the old one, so the old ones are said again."""
    return " ".join(f"{flag} {quote(uri)}" for uri in (*there, more or "URI"))


def _stopped_app(view: View, lineage: Sequence[Delegation]) -> str:
    apps = (view.directory.app(token.client_id) for token in lineage)
    return next((quote(app.name) for app in apps if app and not app.active(view.now)), "")


def _revival(view: View, lineage: Sequence[Delegation]) -> str:
    """How the first agent of the chain that may not act comes to act again."""
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
