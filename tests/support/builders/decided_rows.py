"""Answered requests, written as rows: for tests and benchmarks that need many of them.

Owns: approvals that look as if a person had answered them. Never: how a person answers.
"""

import hashlib
from dataclasses import replace

from server.app import Services
from server.model.approvals import Approval, Decision
from server.protocol.approvals.states import State
from server.protocol.names import PREFIX_APPROVAL
from tests.support.builders.installation import approval_row

_LIFETIME_MS = 60 * 60 * 1000
_MINUTE_MS = 60 * 1000
_BATCH_SIZE = 5_000


def requests(
    services: Services, agent_id: str, user: str, count: int, *, approved: bool
) -> list[str]:
    """Write `count` requests of the agent to the user; return their `auth_req_id`s."""
    ids = [services.secrets.new_id(PREFIX_APPROVAL) for _ in range(count)]
    handles = [services.secrets.auth_req_id(name) for name in ids]
    with services.store.write() as tx:
        person = tx.directory.find_user(user)
        assert person is not None
        for name, handle in zip(ids, handles, strict=True):
            row = replace(
                approval_row(name, agent_id, person.id, tx.now),
                auth_req_hash=hashlib.sha256(handle.encode()).digest(),
                expires_at=tx.now + _LIFETIME_MS,
            )
            tx.approvals.add(replace(row, state=State.APPROVED) if approved else row)
            if approved:
                tx.decisions.add(_decision(row, person.id, tx.now))
    return handles


def past(services: Services, like: Approval, device_id: str, count: int) -> str:
    """Write `count` copies of this request, approved on this device, one for each past minute.

    Returns the ID of the oldest.
    """
    assert like.user_id is not None
    ids = [services.secrets.new_id(PREFIX_APPROVAL) for _ in range(count)]
    for start in range(0, count, _BATCH_SIZE):
        with services.store.write() as tx:
            for number, name in enumerate(ids[start : start + _BATCH_SIZE], start + 1):
                at = tx.now - number * _MINUTE_MS
                row = replace(
                    like,
                    id=name,
                    auth_req_hash=hashlib.sha256(name.encode()).digest(),
                    idempotency_hash=None,
                    state=State.REDEEMED,
                    created_at=at - 5_000,
                    expires_at=at + _LIFETIME_MS,
                    decided_at=at,
                )
                tx.approvals.add(row)
                tx.decisions.add(_decision(row, like.user_id, at, device_id))
    return ids[-1]


def _decision(
    approval: Approval, user_id: str, now: int, device_id: str = "sayso_dv_prepared"
) -> Decision:
    return Decision(
        approval_id=approval.id,
        user_id=user_id,
        device_id=device_id,
        decision="approve",
        code=None,
        note=None,
        ceremony="confirm",
        channel="terminal",
        jws="prepared",
        at=now,
    )
