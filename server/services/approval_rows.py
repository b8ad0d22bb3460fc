"""What the services need of the rows of approvals and decisions. MUST is a promise of storage."""

from collections.abc import Iterable
from typing import Protocol

from server.protocol.states import State
from server.services.approval_records import Approval, ApprovalKind, Approver, Decision, Delivery


class ApprovalRows(Protocol):
    """Approvals. Every step MUST be one conditional UPDATE; a False means: somebody was first."""

    def add(self, approval: Approval) -> None: ...
    def get(self, approval_id: str) -> Approval | None: ...
    def by_handle(self, auth_req_hash: bytes) -> Approval | None: ...
    def by_idempotency(self, agent_id: str, idempotency_hash: bytes) -> Approval | None: ...
    def open_count(
        self, agent_id: str | None, user_id: str | None, now: int, kind: ApprovalKind = "action"
    ) -> int:
        """Unanswered ones of a kind: of one agent or all (None), for one user or all (None)."""

    def open_urgent(self, agent_id: str | None, user_id: str | None, now: int) -> int:
        """Unanswered actions of high and critical risk, counted likewise."""

    def open_hinted(self, agent_id: str, hint_hash: bytes, now: int, *, urgent: bool) -> int:
        """Unanswered actions of an agent with one hint; all or urgent ones."""

    def asked_before(self, agent_id: str, user_id: str, since: int = 0) -> bool:
        """Reports whether this agent asked this user before, at this moment or later."""

    def denials_since(self, agent_id: str, user_id: str, since: int) -> list[tuple[int, str]]:
        """When, and with which `details`, the user denied this agent, whomever it asked for."""

    def denials_of(self, agent_id: str, since: int) -> list[tuple[str, int, str]]:
        """Likewise of every user, with who it was."""

    def waiting(
        self, user_id: str, now: int, limit: int, after: tuple[int, str] | None
    ) -> list[Approval]: ...
    def waiting_count(self, user_id: str, now: int) -> int: ...
    def decided(
        self, user_id: str, limit: int, before: tuple[int, str] | None
    ) -> list[Approval]: ...
    def search(
        self,
        *,
        state: State | None,
        agent_id: str | None,
        user_id: str | None,
        limit: int,
        before: tuple[int, str] | None = None,
    ) -> list[Approval]: ...
    def move(
        self, approval: Approval, target: State, *, now: int, reason: str | None = None
    ) -> Approval | None:
        """Take the step to `target` if the state table and the deadline allow it; else None.

        `approval` MUST have been read in this unit of work: what comes back is it, moved.
        """

    def redeem(self, approval_id: str, now: int) -> bool:
        """Take the step to redeemed, of which nothing else follows; False when it is not open."""

    def narrow(self, approval_id: str, text: str, rows: str, past: str) -> Approval | None: ...
    def paced(self, approval_id: str, *, now: int, interval_ms: int, holder: str | None) -> None:
        """Remember a poll of a pending approval."""

    def hold_back(self, approval_id: str) -> None:
        """Remember that its person was not called for it."""

    def seen(self, approval_id: str, now: int) -> bool:
        """Reports whether this was the first look."""

    def keep_answer(
        self, approval_id: str, answer: bytes, answer_key: bytes, until: int
    ) -> None: ...
    def forget_answers(self, now: int) -> int: ...
    def forget_call(self, approval_id: str) -> None:
        """Drop what was kept for calling the agent back: its token, and a pushed answer."""

    def due(self, now: int, limit: int) -> list[Approval]:
        """Those whose state the clock has ended."""

    def open_of_agent(self, agent_id: str) -> list[Approval]: ...
    def open_of_user(self, user_id: str) -> list[Approval]: ...
    def open_at_resource(self, uri: str) -> list[Approval]: ...


class ApproverRows(Protocol):
    """People who are asked beside the one it is for; each once for an approval."""

    def add(self, approver: Approver) -> bool:
        """Ask one more; False when the approval does not wait any more or asks them already."""

    def find(self, approval_id: str, user_id: str) -> Approver | None: ...
    def hold_back(self, approval_id: str, user_id: str) -> None:
        """Remember that this person was not called for it."""

    def of_approval(self, approval_id: str) -> list[Approver]: ...


class DeliveryRows(Protocol):
    """What reached which device."""

    def add(self, approval_id: str, device_id: str, *, seen: bool = False) -> None:
        """A device has this request, and shows it if it is `seen`; again changes nothing."""

    def missing(self, device_id: str, approval_ids: Iterable[str]) -> list[str]:
        """Those of these requests that this device never had."""

    def of_approval(self, approval_id: str) -> list[Delivery]: ...


class DecisionRows(Protocol):
    """Signed answers; at most one per approval and human."""

    def add(self, decision: Decision) -> None: ...
    def void(self, approval_id: str, now: int) -> None:
        """None of those that were given so far counts any more."""

    def give_way(self, approval_id: str, user_id: str) -> None:
        """Drop a person's answer that does not count any more; the log keeps it."""

    def of_approval(self, approval_id: str) -> list[Decision]: ...
