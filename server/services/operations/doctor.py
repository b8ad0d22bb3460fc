"""Problems that are visible in the database, with the fix for each.

Owns: the checks of the database. Never: files, addresses and settings; the command line checks
those, because services do not access the machine.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from server.lazy_imports import lazily
from server.model.approvers import Group
from server.model.clients import Agent, App
from server.model.notifications import WEBHOOK, DeliveryFailure
from server.model.store import Store, View
from server.model.users import User
from server.protocol.confusables import name_keys
from server.protocol.text import pluralize
from server.services.audit import lag
from server.services.clients import owners
from server.services.refusals import Remedy
from server.services.users import user_checks

with lazily():
    from server.services.operations import gaps
    from server.services.policy.evaluation import Evaluator

Level: TypeAlias = Literal["broken", "weak", "note"]

SOON_MS: Final = 14 * 24 * 60 * 60 * 1000
"""How long before an expiry it is reported."""
FAILURES_MS: Final = 7 * 24 * 60 * 60 * 1000
"""How long undelivered messages are reported."""
MAX_INCIDENTS: Final = 20
"""The maximum number of open incidents to report, newest first."""
CLOCK_TOLERANCE_MS: Final = 60 * 1000
_WITH_PAGE: Final = frozenset({"agent", "app", "user"})


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem and its fix. `remedy` is the fix for the command line, as in a refusal.

    `broken`: something does not work; `weak`: an attacker could use it; `note`: for information.
    """

    level: Level
    what: str
    fix: str
    remedy: Remedy = ()
    about: tuple[str, str] | None = None
    """The record to change: an agent, app, user or incident, and its ID."""


@dataclass(frozen=True, slots=True)
class Doctor:
    """Checks the database without changing it."""

    store: Store
    evaluator: Callable[[], Evaluator]
    """Loads the policy, which is only needed if there are agents."""

    def findings(self) -> list[Finding]:
        """Return all findings."""
        with self.store.read() as view:
            users, agents = view.users.all(), view.agents.all()
            return [
                *_clock(view),
                *_unsigned_entries(view),
                *_disabled_by_restore(view),
                *_names(view),
                *_people(view, users),
                *(finding for agent in agents for finding in _agent(view, agent)),
                *(f for agent in agents for f in _gaps(view, self.evaluator, agent, users)),
                *_incidents(view),
                *_outbox(view),
                *_pushes(view),
            ]


def _clock(view: View) -> Iterator[Finding]:
    last = view.audit.tail(1)
    if last and last[0].at > view.now + CLOCK_TOLERANCE_MS:
        yield Finding(
            "broken",
            "The clock of this machine is behind the newest entry of the audit log.",
            "Set the clock, and keep it synchronized with NTP. Tokens and deadlines depend on it.",
        )


def _unsigned_entries(view: View) -> Iterator[Finding]:
    unsigned = lag.unsigned(view)
    if unsigned.too_long:
        entries = pluralize(unsigned.entries, "entry", "entries")
        yield Finding(
            "weak",
            f"The audit log has had no checkpoint for {unsigned.milliseconds // 60000} min, so "
            f"{entries} could be changed without detection.",
            "Start the server, which signs checkpoints. If it is running, look for "
            "loop.failed in its log.",
        )


def _disabled_by_restore(view: View) -> Iterator[Finding]:
    """Yield items that are still disabled since the last restore."""
    for kind, held_id in view.installation.list_held():
        if (name := _disabled_name(view, kind, held_id)) is not None:
            what = kind.removesuffix("s")
            yield Finding(
                "weak",
                f"A restore disabled the {what} {name}.",
                "Enable it if it is still needed.",
                remedy=(f"{what}.enable", held_id if kind == "devices" else name),
                about=(what, held_id) if what in _WITH_PAGE else None,
            )


def _disabled_name(view: View, kind: str, held_id: str) -> str | None:
    if kind == "devices":
        device = view.devices.get(held_id)
        owner = None if device is None else view.directory.user(device.user_id)
        return None if device is None or owner is None else f"{device.name} of {owner.name}"
    directory = view.directory
    read = {"users": directory.user, "agents": directory.agent, "apps": directory.app}[kind]
    account: User | Agent | App | None = read(held_id)
    return None if account is None or account.state != "disabled" else account.name


def _names(view: View) -> Iterator[Finding]:
    """Yield names from an earlier version that look like older names."""
    for unprotected in view.names.unprotected():
        bearer, name = unprotected.bearer, unprotected.name
        what = _client_kind(view, bearer) if unprotected.kind == "client" else unprotected.kind
        fix, code = _NO_RENAME.get(what, ("Rename it.", f"{what}.rename"))
        holders = view.names.ids_with_name_like(unprotected.kind, name_keys(name))
        alike = (
            f"can be confused with the {_name_of(view, holders[0])}, which is older"
            if holders
            else _UNPROTECTED
        )
        text = f"The {what} {name if name == bearer else f'{name} ({bearer})'} {alike}."
        about = (what, bearer) if what in _WITH_PAGE else None
        yield Finding("weak", text, fix, remedy=(code, bearer), about=about)


_UNPROTECTED: Final = (
    "could be confused with an older name when it was stored, so others can take a similar name"
)
_NO_RENAME: Final = {
    "user": (
        "Users cannot be renamed. Add a user with a different name, then disable this one.",
        "user.disable",
    ),
    "resource": ("Register a more distinctive URI, then delete this one.", "resource.delete"),
}


_KINDS: Final[dict[type, str]] = {Agent: "agent", App: "app", User: "user", Group: "group"}


def _client_kind(view: View, client_id: str) -> str:
    return "agent" if view.directory.app(client_id) is None else "app"


def _name_of(view: View, bearer: str) -> str:
    """Return the kind and name of a record."""
    directory = view.directory
    client_or_user = directory.agent(bearer) or directory.app(bearer) or directory.user(bearer)
    record = client_or_user or directory.find_group(bearer)
    if record is None:
        return f"resource {bearer}"
    return f"{_KINDS[type(record)]} {record.name} ({bearer})"


def _people(view: View, users: Sequence[User]) -> Iterator[Finding]:
    if not any(user.enabled and "admin" in user.roles for user in users):
        fix = "Create an administrator on the server."
        yield Finding("weak", "There is no administrator.", fix, remedy=("installation.init",))
    with_device = {device.user_id for device in view.devices.all() if device.state == "active"}
    for user in users:
        if user.enabled and user.id not in with_device:
            yield Finding(
                "note",
                f"{user.name} has no device and cannot answer requests.",
                "Enroll a device for this user.",
                remedy=("user.enroll", user.name),
                about=("user", user.id),
            )


def _agent(view: View, agent: Agent) -> Iterator[Finding]:
    if agent.state != "enabled":
        return
    if owners.orphaned_at(view, agent) is not None:
        what = f"The agent {agent.name} has no enabled owner."
        yield _finding(agent, "weak", what, "Add an owner.", "agent.add_owner")
    if agent.asks is None:
        what = f"The agent {agent.name} can ask every user."
        yield _finding(agent, "weak", what, "Select the users that it can ask.", "agent.asks")
    if not agent.resources or not agent.scopes:
        what = f"The agent {agent.name} has no permissions and cannot get tokens."
        yield _finding(agent, "note", what, "Add a resource and a scope.", "agent.permissions")
    yield from _due_dates(view, agent)


def _finding(agent: Agent, level: Level, what: str, fix: str, code: str) -> Finding:
    return Finding(level, what, fix, remedy=(code, agent.name), about=("agent", agent.id))


def _gaps(
    view: View, evaluator: Callable[[], Evaluator], agent: Agent, users: Sequence[User]
) -> Iterator[Finding]:
    """Yield the agent's first permission that nobody can approve."""
    enabled = agent.state == "enabled"
    agent_gaps = gaps.of_agent(view, evaluator(), agent, users) if enabled else []
    for gap in agent_gaps[:1]:
        more = "" if len(agent_gaps) == 1 else f" There are {len(agent_gaps)} such permissions."
        yield Finding(
            "weak",
            f"Nobody can approve {gap.what} for {agent.name}. "
            f"Approvals needed: {gap.need}, possible: {gap.most}.{more}",
            "Add an owner or an administrator, or name approvers in a rule (docs/policy.md).",
            about=("agent", agent.id),
        )


def _due_dates(view: View, agent: Agent) -> Iterator[Finding]:
    if agent.expires_at is not None and agent.expires_at <= view.now + SOON_MS:
        expires = "has expired" if agent.expires_at <= view.now else "expires within two weeks"
        fix = "If it is still needed, set a later expiry."
        yield _finding(agent, "note", f"The agent {agent.name} {expires}.", fix, "agent.expires")
    if agent.review_at is not None and agent.review_at <= view.now:
        what = f"The review of the agent {agent.name} is due."
        fix = "If it is still needed, set the next review."
        yield _finding(agent, "weak", what, fix, "agent.review")
    newest = max((secret.created_at for secret in agent.secrets), default=0)
    for secret in agent.secrets:
        if secret.expires_at is not None and (secret.last_used_at or 0) > newest:
            yield Finding(
                "weak",
                f"The agent {agent.name} still uses its old secret that ends in {secret.hint}.",
                "Configure the new secret before the old one expires.",
                about=("agent", agent.id),
            )


_INCIDENTS: Final = {
    "no_owner": "An agent was quarantined because it has no owner.",
    "log_changed": "{}'s device received an audit log that differs from an earlier one.",
    "reported": "{} reported a request.",
}


def _incidents(view: View) -> Iterator[Finding]:
    """Yield the open incidents."""
    for incident in view.incidents.search(closed=False, limit=MAX_INCIDENTS):
        yield Finding(
            "weak",
            _INCIDENTS[incident.cause].format(user_checks.name_of(view, incident.user_id or "")),
            "Investigate the incident, then close it.",
            remedy=("incident.show", incident.id),
            about=("incident", incident.id),
        )


def _outbox(view: View) -> Iterator[Finding]:
    """Yield the undelivered messages by target, without those to deleted agents."""
    for failure in view.outbox.failures(view.now - FAILURES_MS):
        agent = view.directory.agent(failure.target)
        if failure.channel == WEBHOOK:
            fix = "Check that SAYSO_WEBHOOK_URL can be reached from this machine."
            yield _delivery_finding(failure, "your webhook", fix)
        elif agent is not None:
            fix = f"Check that the endpoint of {agent.name} can be reached from this machine."
            found = _delivery_finding(failure, agent.name, fix, remedy=("agent.show", agent.name))
            yield replace(found, about=("agent", agent.id))


def _pushes(view: View) -> Iterator[Finding]:
    """Yield the push services that reject messages to known browsers."""
    for service, why, browsers in view.pushes.problems():
        yield Finding(
            "broken",
            f"{service} does not deliver to {pluralize(browsers, 'browser')}: {why}.",
            "Open a Sayso page there to subscribe again. If that does not help, check "
            "SAYSO_PUSH_CONTACT, the clock, and whether this machine reaches that service.",
        )


def _delivery_finding(
    failure: DeliveryFailure, recipient: str, fix: str, remedy: Remedy = ()
) -> Finding:
    count = pluralize(failure.messages, "message")
    text = f"{count} to {recipient} not delivered in the last week: {failure.last_error}."
    if failure.recovered:
        return Finding("note", text, "Later messages were delivered. Nothing to do.")
    return Finding("broken", text, fix, remedy)
