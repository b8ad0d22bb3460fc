"""What is weak or broken in the installation's own records, and the fix for each.

Owns: findings that the database shows. Never: files, addresses and settings; the command line looks
at those, because services know nothing of the machine.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from server.model.approvers import Group
from server.model.clients import Agent, App, UnprotectedName
from server.model.notifications import Loss
from server.model.store import Store, View
from server.model.users import User
from server.protocol.confusables import name_keys
from server.services.clients import owners
from server.services.notifications.notices import WEBHOOK
from server.services.operations import gaps
from server.services.policy.judging import Judge

Level: TypeAlias = Literal["broken", "weak", "note"]

SOON_MS: Final = 14 * 24 * 60 * 60 * 1000
"""What ends within two weeks is worth a word."""
LOSSES_MS: Final = 7 * 24 * 60 * 60 * 1000
"""What never arrived is told for a week."""
MOST_INCIDENTS: Final = 20
"""The newest are enough to begin with."""
CLOCK_TOLERANCE_MS: Final = 60 * 1000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing and what to do about it.

    `broken`: something cannot work; `weak`: somebody could make use of it; `note`: good to know.
    """

    level: Level
    what: str
    fix: str


@dataclass(frozen=True, slots=True)
class Doctor:
    """Looks at everything and changes nothing."""

    store: Store
    judge: Judge

    def findings(self) -> list[Finding]:
        """What should be looked at, in the order of the parts."""
        with self.store.read() as view:
            return [
                *_clock(view),
                *_restored(view),
                *_names(view),
                *_people(view),
                *(found for agent in view.agents.all() for found in _agent(view, agent)),
                *(f for agent in view.agents.all() for f in _gaps(view, self.judge, agent)),
                *_incidents(view),
                *_outbox(view),
                *_pushes(view),
            ]


def _clock(view: View) -> Iterator[Finding]:
    last = view.audit.tail(1)
    if last and last[0].at > view.now + CLOCK_TOLERANCE_MS:
        yield Finding(
            "broken",
            "The clock of this machine is behind the newest entry of the log.",
            "Set the clock, and keep it set with NTP. Tokens and deadlines depend on it.",
        )


def _restored(view: View) -> Iterator[Finding]:
    """What the last restore turned off and is not enabled yet."""
    for kind, held_id in view.installation.held():
        if (name := _name_of_what_is_off(view, kind, held_id)) is not None:
            what, fix = _OFF[kind]
            how = held_id if kind == "devices" else name
            yield Finding("weak", f"A restore turned off the {what} {name}.", f"Run: {fix} {how}")


_OFF: Final = {
    "devices": ("device", "sayso devices enable"),
    "users": ("user", "sayso users enable"),
    "agents": ("agent", "sayso agents enable"),
    "apps": ("app", "sayso apps update --enable"),
}


def _name_of_what_is_off(view: View, kind: str, held_id: str) -> str | None:
    if kind == "devices":
        device = view.devices.get(held_id)
        owner = None if device is None else view.directory.user(device.user_id)
        return None if device is None or owner is None else f"{device.name} of {owner.name}"
    directory = view.directory
    read = {"users": directory.user, "agents": directory.agent, "apps": directory.app}[kind]
    found: User | Agent | App | None = read(held_id)
    return None if found is None or found.state != "disabled" else found.name


def _names(view: View) -> Iterator[Finding]:
    """Names from an earlier version that look like older ones."""
    for found in view.names.unprotected():
        what, fix = _RENAMES["app" if _is_app(view, found) else found.kind]
        called = found.name + (f" ({found.bearer})" if found.name != found.bearer else "")
        holders = view.names.bearers(found.kind, name_keys(found.name))
        alike = (
            f"looks like the {_name_of(view, holders[0])}, which is older" if holders else _UNKEPT
        )
        yield Finding("weak", f"The {what} {called} {alike}.", fix.format(found.bearer))


_UNKEPT: Final = "looked like an older one when it was stored, so others can take a similar name"
_RENAMES: Final = {
    "client": ("agent", "Rename it: sayso agents update {} --name NAME"),
    "app": ("app", "Rename it: sayso apps update {} --name NAME"),
    "group": ("group", "Rename it: sayso groups update {} --name NAME"),
    "user": (
        "user",
        "Users cannot be renamed. Add one with another name, then run: sayso users disable {}",
    ),
    "resource": (
        "resource",
        "Register a URI that differs more, then run: sayso resources delete {}",
    ),
}


_KINDS: Final[dict[type, str]] = {Agent: "agent", App: "app", User: "user", Group: "group"}


def _is_app(view: View, found: UnprotectedName) -> bool:
    return found.kind == "client" and view.directory.app(found.bearer) is not None


def _name_of(view: View, bearer: str) -> str:
    """The kind and the name, for a finding."""
    directory = view.directory
    called = directory.agent(bearer) or directory.app(bearer) or directory.user(bearer)
    found = called or directory.group_called(bearer)
    if found is None:
        return f"resource {bearer}"
    return f"{_KINDS[type(found)]} {found.name} ({bearer})"


def _people(view: View) -> Iterator[Finding]:
    everybody = view.users.all()
    if not any(user.enabled and "admin" in user.roles for user in everybody):
        yield Finding("weak", "There is no administrator.", "Run: sayso init --admin NAME")
    for user in everybody:
        if user.enabled:
            yield from _user(view, user)


def _user(view: View, user: User) -> Iterator[Finding]:
    devices = [device for device in view.devices.of_user(user.id) if device.state == "active"]
    if not devices:
        yield Finding(
            "note",
            f"{user.name} has no device, so nobody can answer for them.",
            f"Run: sayso users enrol {user.name}",
        )


def _agent(view: View, agent: Agent) -> Iterator[Finding]:
    if agent.state != "enabled":
        return
    if owners.orphaned_at(view, agent) is not None:
        yield Finding(
            "weak",
            f"No enabled user answers for the agent {agent.name}.",
            f"Run: sayso agents update {agent.name} --add-owner USER",
        )
    if agent.asks is None:
        yield Finding(
            "weak",
            f"The agent {agent.name} may ask every user.",
            f"Run: sayso agents update {agent.name} --asks USER",
        )
    if not agent.resources or not agent.scopes:
        yield Finding(
            "note",
            f"The agent {agent.name} has an empty ceiling and can get nothing.",
            f"Run: sayso agents update {agent.name} --resource URI --scope NAME",
        )
    yield from _ends(view, agent)


def _gaps(view: View, judge: Judge, agent: Agent) -> Iterator[Finding]:
    """The first of what it may ask for and nobody can approve."""
    found = gaps.of_agent(view, judge, agent) if agent.state == "enabled" else []
    for gap in found[:1]:
        most = f"at most {gap.most}" if gap.most else "nobody"
        more = "" if len(found) == 1 else f" It is not the only one: there are {len(found)}."
        yield Finding(
            "weak",
            f"Nobody can approve {gap.what} for {agent.name}: it takes {gap.need}, and {most} "
            f"may say yes.{more}",
            "Add an owner or an administrator, or name people in a rule (docs/policy.md).",
        )


def _ends(view: View, agent: Agent) -> Iterator[Finding]:
    if agent.expires_at is not None and agent.expires_at <= view.now + SOON_MS:
        over = agent.expires_at <= view.now
        yield Finding(
            "note",
            f"The agent {agent.name} {'has expired' if over else 'expires within two weeks'}.",
            f"Run: sayso agents update {agent.name} --expires 90d",
        )
    if agent.review_at is not None and agent.review_at <= view.now:
        yield Finding(
            "weak",
            f"The agent {agent.name} was to be looked at again, and is still there.",
            f"See whether it is still needed; then: sayso agents update {agent.name} --review 90d",
        )
    newest = max((secret.created_at for secret in agent.secrets), default=0)
    for secret in agent.secrets:
        if secret.expires_at is not None and (secret.last_used_at or 0) > newest:
            yield Finding(
                "weak",
                f"The agent {agent.name} still uses the old secret that ends in {secret.hint}.",
                "Give it the new one before the old one stops working.",
            )


def _incidents(view: View) -> Iterator[Finding]:
    """Incidents that nobody has closed; what they stopped waits for somebody too."""
    for incident in view.incidents.search(closed=False, limit=MOST_INCIDENTS):
        fix = f"Run: sayso incidents show {incident.id}"
        if incident.user_id is None:
            yield Finding("weak", "An agent was quarantined because nobody answered for it.", fix)
            continue
        user = view.directory.user(incident.user_id)
        who = incident.user_id if user is None else user.name
        yield Finding("weak", f"{who} reported a request: look into it.", fix)


def _outbox(view: View) -> Iterator[Finding]:
    """What never arrived, target by target; an agent that is gone misses nothing."""
    for loss in view.outbox.losses(view.now - LOSSES_MS):
        agent = view.directory.agent(loss.target)
        if loss.channel == WEBHOOK:
            fix = "See that SAYSO_WEBHOOK_URL can be reached from this machine."
            yield _loss(loss, "your webhook", fix)
        elif agent is not None:
            fix = f"See that the endpoint of {agent.name} can be reached from this machine."
            yield _loss(loss, agent.name, f"{fix} sayso agents show {agent.name} names it.")


def _pushes(view: View) -> Iterator[Finding]:
    """Browsers whose push service takes our messages no more, though it knows them."""
    for service, why, browsers in view.pushes.faults():
        whose = "one browser" if browsers == 1 else f"{browsers} browsers"
        yield Finding(
            "broken",
            f"{service} does not deliver to {whose}: {why}.",
            "Open a page of Sayso there, which subscribes anew. If that does not help, look at "
            "SAYSO_PUSH_CONTACT, at the clock, and whether this machine reaches that service.",
        )


def _loss(loss: Loss, whom: str, fix: str) -> Finding:
    count = "One message" if loss.messages == 1 else f"{loss.messages} messages"
    told = f"{count} to {whom} never arrived in the last week: {loss.last_error}."
    if loss.over:
        return Finding("note", told, "Later ones did; there is nothing to do.")
    return Finding("broken", told, fix)
