"""Resolving the names in a rule set to ids when it is set, so that later renames change nothing.

Owns: which names must exist, and the hash of a rule set. Never: what a rule means.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Final

from server.model.policy import PolicyRow
from server.model.policy_rules import PolicyDocument, PolicyRule
from server.model.store import View
from server.protocol.resources import scopes
from server.services.policy import documents
from server.services.policy.builtin import BuiltinEngine, compile_document
from server.services.policy.documents import InvalidPolicy
from server.services.refusals import Invalid, NotFound
from server.services.users import user_or_group

DEFAULT_VERSION: Final = 0
DEFAULT_AUTHOR: Final = "default"
_NOBODY: Mapping[str, str] = {}


def default_row() -> PolicyRow:
    """The built-in rule set."""
    text = files("server.services.policy").joinpath("default.toml").read_text("utf-8")
    digest = _hash(text, _NOBODY, _NOBODY)
    return PolicyRow(DEFAULT_VERSION, text, {}, {}, digest, DEFAULT_AUTHOR, 0)


def compile_row(row: PolicyRow) -> BuiltinEngine:
    """Compile the engine of a stored rule set. Raises `InvalidPolicy`."""
    return compile_document(documents.parse_policy(row.document), row.agents, row.users)


def bind_names(view: View, text: str, *, version: int, by: str) -> PolicyRow:
    """Resolve the names of a rule set. Raises `InvalidPolicy` with the rule and the remedy."""
    document = documents.parse_policy(text)
    agents = {one: _agent(view, document, one) for one in _named(document, "agents")}
    users = {one: _user(view, document, one) for one in _named(document, "users")}
    users |= {one: _user_or_group(view, document, one) for one in _named(document, "who")}
    _check_resources_and_types(view, document)
    return PolicyRow(version, text, agents, users, _hash(text, agents, users), by, view.now)


def _named(document: PolicyDocument, kind: str) -> list[str]:
    return sorted(documents.names_in(document)[kind])


def _hash(text: str, agents: Mapping[str, str], users: Mapping[str, str]) -> str:
    whole = json.dumps([text, dict(agents), dict(users)], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()


def _agent(view: View, document: PolicyDocument, called: str) -> str:
    found = view.directory.agent_called(called)
    if found is None:
        raise _unknown(document, "agent", called, _names_agent(called))
    return found.id


def _user(view: View, document: PolicyDocument, called: str) -> str:
    found = view.directory.user_called(called)
    if found is None:
        raise _unknown(document, "user", called, _names_user(called))
    return found.id


def _user_or_group(view: View, document: PolicyDocument, called: str) -> str:
    try:
        return user_or_group.id_of(view, called)
    except NotFound:
        raise _unknown(document, "user or group", called, _names_user(called)) from None
    except Invalid as error:
        raise InvalidPolicy(str(error)) from None


def _check_resources_and_types(view: View, document: PolicyDocument) -> None:
    resources = view.resources.all()
    known = {
        ("resources", "resource"): {one.uri for one in resources},
        ("scopes", "scope of a resource"): {name for one in resources for name in one.scopes}
        | scopes.OPENID_SCOPES,
        ("types", "action type"): {one.type for one in view.actions.all()},
    }
    for (member, kind), there in known.items():
        for name in sorted(documents.names_in(document)[member] - there):
            raise _unknown(document, kind, name, _names_resource_or_type(name))


def _unknown(
    document: PolicyDocument, kind: str, name: str, has: Callable[[PolicyRule], bool]
) -> InvalidPolicy:
    rule = next(one.id for one in document.rules if has(one))
    return InvalidPolicy(f"rule {rule}: there is no {kind} {name}.", remedy=(kind, name))


def _names_agent(name: str) -> Callable[[PolicyRule], bool]:
    return lambda rule: name in rule.when.agent


def _names_user(name: str) -> Callable[[PolicyRule], bool]:
    return lambda rule: name in (*rule.when.owner, *rule.when.user, *rule.ask.who)


def _names_resource_or_type(name: str) -> Callable[[PolicyRule], bool]:
    return lambda rule: name in (*rule.when.resource, *rule.when.scope, *rule.when.type)
