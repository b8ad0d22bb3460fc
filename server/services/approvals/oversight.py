"""The administrator's view of all users' requests and devices.

Owns: listing them, cancelling a request, revoking a device. Never: deciding a request; that takes
a signature of the approver's device.
"""

from dataclasses import dataclass, replace
from typing import Final

from server.lazy_imports import lazily
from server.model import display_names
from server.model.store import Store, View
from server.protocol.approvals.states import State, overdue
from server.protocol.text import check_prose
from server.services.clients import client_names
from server.services.refusals import Conflict, NotFound, valid
from server.services.users import user_checks

with lazily():
    from server.model.approval_views import ShownExecution
    from server.model.approvals import Approval, Decision, Delivery
    from server.model.audit import StoredEntry
    from server.model.devices import Device
    from server.model.users import User
    from server.services.approvals.execution_outcomes import execution
    from server.services.approvals.withdrawals import withdraw
    from server.services.audit import actors
    from server.services.devices import devices

MAX_REASON: Final = 200
_ADMIN_REASON: Final = "administrator: {}"
"""The prefix keeps an administrator's text from being read as a reason code for agents."""


@dataclass(frozen=True, slots=True)
class NamedApproval:
    """A request with the names of its client and user; `user` is None for a phantom request."""

    approval: Approval
    client_name: str
    user: User | None
    caller_name: str | None = None
    """The client whose call the agent handles."""
    decisions: tuple[Decision, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    entries: tuple[StoredEntry, ...] = ()
    execution: ShownExecution | None = None


@dataclass(frozen=True, slots=True)
class Oversight:
    """Lists requests and devices of all users, and ends them."""

    store: Store

    def approvals(
        self,
        *,
        state: State | None,
        agent: str | None,
        user: str | None,
        limit: int,
        before: tuple[int, str] | None = None,
    ) -> list[NamedApproval]:
        """The newest matching requests before the cursor (created_at, id).

        Raises `NotFound` for an agent or user.
        """
        with self.store.read() as view:
            approvals = view.approvals.search(
                state=state,
                agent_id=None if agent is None else client_names.find_agent(view, agent).id,
                user_id=None if user is None else user_checks.find(view, user).id,
                limit=limit,
                before=before,
            )
            return [with_names(view, approval) for approval in approvals]

    def ids_beginning(self, start: str) -> list[str]:
        """The IDs of the newest requests that begin so, at most a few."""
        with self.store.read() as view:
            return view.approval_references.with_id_prefix(start)

    def ids_with_fingerprint(self, typed: str) -> list[str]:
        """The IDs of the newest requests with that fingerprint, at most a few."""
        with self.store.read() as view:
            return view.approval_references.with_digest(bytes.fromhex(typed.replace("-", "")))

    def approval(self, approval_id: str) -> NamedApproval:
        """One request with its answers and audit entries. Raises `NotFound`."""
        with self.store.read() as view:
            approval = find(view, approval_id)
            named_approval = with_names(view, approval)
            decisions = tuple(view.decisions.of_approval(approval_id))
            stored_entries = view.audit.of_approval(approval_id)
            entries = tuple(actors.with_names(view, entry) for entry in stored_entries)
            deliveries = tuple(view.deliveries.of_approval(approval_id))
            shown_execution = execution(view, approval)
            return replace(
                named_approval,
                decisions=decisions,
                deliveries=deliveries,
                entries=entries,
                execution=shown_execution,
            )

    def cancel(self, approval_id: str, reason: str, *, by: str) -> NamedApproval:
        """Cancel an open request. Raises `NotFound`, `Conflict` or `Invalid`."""
        reason = valid(check_prose, reason, what="The reason", max_chars=MAX_REASON)
        with self.store.write() as tx:
            approval = find(tx, approval_id)
            text = _ADMIN_REASON.format(reason)
            if not withdraw(tx, [approval], reason=text, actor=by, facts={"reason": reason}):
                ended = overdue(approval.state, approval.expires_at, tx.now)
                raise Conflict(
                    f"This request is already {State.EXPIRED if ended else approval.state}."
                )
            return with_names(tx, find(tx, approval_id))

    def devices(self, user: str | None) -> list[tuple[Device, User | None]]:
        """Devices of one user or of all, oldest first. Raises `NotFound`."""
        with self.store.read() as view:
            found = (
                view.devices.all()
                if user is None
                else view.devices.of_user(user_checks.find(view, user).id)
            )
            return [(device, view.directory.user(device.user_id)) for device in found]

    def device_page(
        self, user: str | None, after: tuple[int, str], limit: int
    ) -> list[tuple[Device, User | None]]:
        """Devices of one user or of all, oldest first, after the cursor (created_at, id).

        Raises `NotFound`.
        """
        with self.store.read() as view:
            user_id = None if user is None else user_checks.find(view, user).id
            found = view.devices.page(user_id, after, limit)
            return [(device, view.directory.user(device.user_id)) for device in found]

    def revoke_device(self, device_id: str, *, by: str) -> tuple[Device, bool]:
        """Revoke a device and its sessions; False if it was already revoked. Raises `NotFound`."""
        with self.store.write() as tx:
            device = tx.devices.get(device_id)
            if device is None:
                raise NotFound("device", device_id)
            ended = devices.revoke(tx, device, actor=by)
            tx.installation.release("devices", device.id)
            return tx.devices.get(device_id) or device, ended

    def enable_devices(self, *, device: str | None, user: str | None, by: str) -> list[Device]:
        """Enable devices that a restore disabled: one, or all of one user.

        Raises `NotFound` for an unknown user, or if a restore disabled no such device.
        """
        with self.store.write() as tx:
            owner = None if user is None else user_checks.find(tx, user).id
            held = {held_id for kind, held_id in tx.installation.held() if kind == "devices"}
            every = [known for known in tx.devices.all() if known.id in held]
            found = [known for known in every if known.id == device or known.user_id == owner]
            if not found:
                raise NotFound("device that a restore turned off")
            for known in found:
                devices.enable(tx, known, actor=by)
            return [tx.devices.get(known.id) or known for known in found]


def find(view: View, approval_id: str) -> Approval:
    """One request. Raises `NotFound`."""
    approval = view.approvals.get(approval_id)
    if approval is None:
        raise NotFound("request", approval_id)
    return approval


def with_names(view: View, approval: Approval) -> NamedApproval:
    """Add the names of the client and the user to a request."""
    user = None if approval.user_id is None else view.directory.user(approval.user_id)
    names = [
        None if client is None else display_names.name_of(view.directory, client)
        for client in (approval.agent_id, approval.caller_id)
    ]
    return NamedApproval(approval, names[0] or "", user, names[1])
