"""A person's own notification settings: quiet hours, mutes, snoozes.

The settings only turn off notifications, so a session can change them. Requests are still listed,
and high-risk and critical requests still notify the person.
"""

from dataclasses import dataclass

from server.model import display_names
from server.model.approval_requests import FindForApprover
from server.model.audit import Entry
from server.model.notifications import Hold, Mute
from server.model.policy import Hours
from server.model.policy_rules import DAYS
from server.model.store import Store, Unit, View
from server.protocol import errors
from server.protocol.policy.risks import Risk
from server.protocol.times import rfc3339
from server.services import zones
from server.services.audit import audit
from server.services.notifications import attention
from server.services.users import device_auth
from server.services.users.device_auth import Person

_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class MutedAgent:
    """A mute with the name of its agent."""

    mute: Mute
    agent_name: str


@dataclass(frozen=True, slots=True)
class NotificationSettings:
    """The current notification settings of one person."""

    hours: Hours | None
    quiet_until: int | None
    """The end of the current quiet hours; None outside of them."""
    muted: tuple[MutedAgent, ...]
    holds: tuple[Hold, ...]


@dataclass(frozen=True, slots=True)
class NotificationSettingsService:
    """Reads and changes a person's own notification settings."""

    store: Store
    find_for_approver: FindForApprover

    def get(self, person: Person) -> NotificationSettings:
        """Return this person's settings."""
        with self.store.read() as view:
            device_auth.current_device(view, person)
            user_id = person.user.id
            hours = view.attention.quiet_hours(user_id)
            return NotificationSettings(
                hours=hours,
                quiet_until=None if hours is None else attention.quiet_until(hours, view.now),
                muted=tuple(
                    _muted_agent(view, mute) for mute in view.attention.mutes(user_id, view.now)
                ),
                holds=attention.current_holds(view, user_id),
            )

    def set_hours(self, person: Person, hours: Hours) -> None:
        """Set quiet hours for low and medium risk.

        Raises errors.Problem 422 if the time zone is unknown.
        """
        if not zones.is_known(hours.zone):
            raise errors.invalid_body("/zone: must be a time zone such as Europe/Berlin, or UTC.")
        with self.store.write() as tx:
            device_auth.current_device(tx, person)
            tx.attention.set_quiet_hours(person.user.id, hours, tx.now)
            tx.attention.end_quiet(person.user.id, tx.now)
            _record(tx, person, audit.Type.QUIET_HOURS_SET, **_facts(hours))

    def clear_hours(self, person: Person) -> None:
        """Remove quiet hours and send the notifications they delayed. Idempotent."""
        with self.store.write() as tx:
            device_auth.current_device(tx, person)
            if tx.attention.clear_quiet_hours(person.user.id):
                tx.attention.end_quiet(person.user.id, tx.now)
                _record(tx, person, audit.Type.QUIET_HOURS_CLEARED)

    def mute(self, person: Person, name_or_id: str, minutes: int | None) -> MutedAgent:
        """Turn off an agent's notifications, for some minutes or until it is unmuted.

        Raises errors.Problem 404 if the agent never asked this person.
        """
        with self.store.write() as tx:
            device_auth.current_device(tx, person)
            agent = tx.directory.find_agent(name_or_id)
            if agent is None or not tx.approvals.asked_before(agent.id, person.user.id):
                raise errors.not_found("No agent with this name has sent you a request.")
            until = None if minutes is None else tx.now + minutes * _MINUTE_MS
            mute = Mute(person.user.id, agent.id, tx.now, until)
            tx.attention.mute(mute)
            facts = {} if until is None else {"until": until}
            _record(tx, person, audit.Type.AGENT_MUTED, agent.id, **facts)
            return MutedAgent(mute, agent.name)

    def unmute(self, person: Person, name_or_id: str) -> None:
        """Turn an agent's notifications on again. Raises errors.Problem 404 if it is not muted."""
        with self.store.write() as tx:
            device_auth.current_device(tx, person)
            agent = tx.directory.find_agent(name_or_id)
            if agent is None or not tx.attention.unmute(person.user.id, agent.id):
                raise errors.not_found("You have not muted an agent with this name.")
            _record(tx, person, audit.Type.AGENT_UNMUTED, agent.id)

    def snooze(self, person: Person, approval_id: str, minutes: int) -> Hold:
        """Snooze a request: notify the person again after `minutes`.

        Raises errors.Problem: 404 for another person's request, 409 if it is not pending, 422 if it
        is high or critical, or expires earlier.
        """
        with self.store.write() as tx:
            device_auth.current_device(tx, person)
            approval = self.find_for_approver(tx, approval_id, person.user.id)
            if not approval.is_pending(tx.now):
                raise errors.Problem(409, "not_pending", "This request is not pending.")
            if approval.risk.rank >= Risk.HIGH.rank:
                raise errors.Problem(
                    422, "cannot_snooze", f"A request of {approval.risk} risk cannot be snoozed."
                )
            until = tx.now + minutes * _MINUTE_MS
            if until >= approval.expires_at:
                end = rfc3339(approval.expires_at)
                raise errors.invalid_body(
                    f"It expires at {end}. Choose a shorter snooze, or deny it.",
                )
            hold = Hold(approval.id, person.user.id, until, "snoozed")
            attention.store_hold(tx, hold)
            about = approval.agent_id, approval.id
            _record(tx, person, audit.Type.APPROVAL_SNOOZED, *about, until=until)
            return hold

    def wake(self, person: Person, approval_id: str) -> None:
        """End a snooze early. Raises errors.Problem 404 if there is none."""
        with self.store.write() as tx:
            device_auth.current_device(tx, person)
            approval = self.find_for_approver(tx, approval_id, person.user.id)
            holds = attention.current_holds(tx, person.user.id)
            if approval.id not in {hold.approval_id for hold in holds}:
                raise errors.not_found("This request is not snoozed.")
            tx.attention.unhold(person.user.id, approval.id)
            _record(tx, person, audit.Type.APPROVAL_WOKEN, approval.agent_id, approval.id)


def _muted_agent(view: View, mute: Mute) -> MutedAgent:
    return MutedAgent(mute, display_names.name_of(view.directory, mute.agent_id))


def _facts(hours: Hours) -> dict[str, object]:
    return {
        "days": [DAYS[day] for day in hours.days],
        "from": hours.begins.isoformat("minutes"),
        "to": hours.ends.isoformat("minutes"),
        "zone": hours.zone,
    }


def _record(
    tx: Unit,
    person: Person,
    kind: audit.Type,
    agent_id: str | None = None,
    approval_id: str | None = None,
    /,
    **facts: object,
) -> None:
    """Add an audit entry, and update the person's other screens."""
    tx.audit.add(
        Entry(
            type=kind,
            actor=audit.by_user(person.user.id),
            agent_id=agent_id,
            subject=person.user.id,
            approval_id=approval_id,
            facts={"device": person.registered_device.id, **facts},
        ),
    )
    tx.feed.add(person.user.id, "attention.changed")
