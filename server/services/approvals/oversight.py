"""The administrator's view of all users' requests and devices.

Owns: listing them, canceling a request, revoking a device. Never: deciding a request, which
requires a signature by the approver's device.
"""

from dataclasses import dataclass, replace
from typing import Final

from server.lazy_imports import lazily
from server.model import display_names
from server.model.store import Store, View
from server.protocol.approvals.states import State
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
"""The prefix prevents an administrator's text from being read as a reason code for agents."""


@dataclass(frozen=True, slots=True)
class NamedApproval:
    """A request with the names of its client and user; `user` is None for a phantom request."""

    approval: Approval
    client_name: str
    user: User | None
    caller_name: str | None = None
    """The client whose call the agent is handling."""
    decisions: tuple[Decision, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    entries: tuple[StoredEntry, ...] = ()
    execution: ShownExecution | None = None


@dataclass(frozen=True, slots=True)
class Oversight:
    """Lists all users' requests and devices, cancels requests, and revokes devices."""

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
        """Return the newest matching requests before the cursor (created_at, id).

        Raises `NotFound` for an unknown agent or user.
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
        """Return a few request IDs that begin with this text, newest first."""
        with self.store.read() as view:
            return view.approval_references.with_id_prefix(start)

    def ids_with_fingerprint(self, typed: str) -> list[str]:
        """Return the IDs of a few requests with this fingerprint, newest first."""
        with self.store.read() as view:
            return view.approval_references.with_digest(bytes.fromhex(typed.replace("-", "")))

    def approval(self, approval_id: str) -> NamedApproval:
        """Return one request with its answers and audit entries. Raises `NotFound`."""
        with self.store.read() as view:
            approval = find(view, approval_id)
            stored_entries = view.audit.of_approval(approval_id)
            return replace(
                with_names(view, approval),
                decisions=tuple(view.decisions.of_approval(approval_id)),
                deliveries=tuple(view.deliveries.of_approval(approval_id)),
                entries=tuple(actors.with_names(view, entry) for entry in stored_entries),
                execution=execution(view, approval),
            )

    def cancel(self, approval_id: str, reason: str, *, by: str) -> NamedApproval:
        """Cancel an open request. Raises `NotFound`, `Conflict` or `Invalid`."""
        reason = valid(check_prose, reason, what="The reason", max_chars=MAX_REASON)
        with self.store.write() as tx:
            approval = find(tx, approval_id)
            text = _ADMIN_REASON.format(reason)
            if not withdraw(tx, [approval], reason=text, actor=by, facts={"reason": reason}):
                state = State.EXPIRED if approval.is_overdue(tx.now) else approval.state
                raise Conflict(f"This request is already {state}.")
            return with_names(tx, find(tx, approval_id))

    def devices(
        self, user: str | None, after: tuple[int, str] = (0, ""), limit: int | None = None
    ) -> list[tuple[Device, User | None]]:
        """Return devices of one or all users after the cursor (created_at, id), oldest first.

        Raises `NotFound`.
        """
        with self.store.read() as view:
            user_id = None if user is None else user_checks.find(view, user).id
            page = view.devices.page(user_id, after, limit)
            return [(device, view.directory.user(device.user_id)) for device in page]

    def revoke_device(self, device_id: str, *, by: str) -> tuple[Device, bool]:
        """Revoke a device and its sessions; False if it was already revoked. Raises `NotFound`."""
        with self.store.write() as tx:
            device = tx.devices.get(device_id)
            if device is None:
                raise NotFound("device", device_id)
            is_revoked_now = devices.revoke(tx, device, actor=by)
            tx.installation.release("devices", device.id)
            return tx.devices.get(device_id) or device, is_revoked_now

    def enable_devices(self, *, device: str | None, user: str | None, by: str) -> list[Device]:
        """Enable devices that a restore disabled: one device, or all devices of one user.

        Raises `NotFound` for an unknown user, or if no such device was disabled by a restore.
        """
        with self.store.write() as tx:
            owner = None if user is None else user_checks.find(tx, user).id
            held_ids = {
                held_id for kind, held_id in tx.installation.list_held() if kind == "devices"
            }
            matching = [
                held_device
                for held_device in tx.devices.all()
                if held_device.id in held_ids
                and (held_device.id == device or held_device.user_id == owner)
            ]
            if not matching:
                raise NotFound("device disabled by a restore")
            for held_device in matching:
                devices.enable(tx, held_device, actor=by)
            return [tx.devices.get(held_device.id) or held_device for held_device in matching]


def find(view: View, approval_id: str) -> Approval:
    """Return one request. Raises `NotFound`."""
    approval = view.approvals.get(approval_id)
    if approval is None:
        raise NotFound("request", approval_id)
    return approval


def with_names(view: View, approval: Approval) -> NamedApproval:
    """Return a request with the names of its client and user."""
    directory, caller = view.directory, approval.caller_id
    return NamedApproval(
        approval,
        display_names.name_of(directory, approval.agent_id),
        directory.user(approval.user_id or ""),
        None if caller is None else display_names.name_of(directory, caller),
    )
