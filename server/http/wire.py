"""The JSON API's bodies, as models: what is read, what is written, and the OpenAPI schemas."""

import re
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from server.http import (
    answer_wire,
    decider_wire,
    delivery_wire,
    narrowing_wire,
    outcome_wire,
    superseding_wire,
    together_wire,
    unusual_wire,
)
from server.protocol import base64url, errors, json_text
from server.services import extensions, retries
from server.services.approval_views import Shown
from server.services.approvals import Page
from server.services.devices import MOST_TRIES, MOST_UNCONFIRMED, PinAnswer
from server.services.displays import rfc3339
from server.services.feed import Happening
from server.services.records import Device as DeviceRecord
from server.services.records import User as UserRecord

_THIRTY_TWO_BYTES = r"^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$"
"""As base64url, in its one spelling (RFC 4648 3.5)."""
_CURSOR = re.compile(r"[0-9]{1,18}\.[A-Za-z0-9_]{1,64}")
_SHOWN_PLACE = 200
_PIN_PURPOSE = r"^(session|sayso_(ap|dv)_[a-z2-7]{16}|[A-Za-z0-9_-]{43})$"

Model = TypeVar("Model", bound=BaseModel)


class StrictBody(BaseModel):
    """What somebody sends: nothing that we do not know, nothing of another type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ApprovalKeys(StrictBody):
    """The public halves of a device's two approval keys (JWK, EC P-256)."""

    low: dict[str, str]
    high: dict[str, str]


class NewDevice(StrictBody):
    """A terminal that registers itself."""

    name: str = Field(min_length=1, max_length=64)
    approval_keys: ApprovalKeys


class PinCall(StrictBody):
    """The device's half of a PIN, and what it is for."""

    x: str = Field(pattern=_THIRTY_TWO_BYTES)
    purpose: str = Field(alias="for", pattern=_PIN_PURPOSE)

    def raw(self) -> bytes:
        """The 32 bytes."""
        return base64url.decode(self.x)


class SignedStatement(StrictBody):
    """A device's signed word (compact JWS)."""

    statement: str = Field(max_length=8_192)


class DeviceName(StrictBody):
    """What I call a device from now on."""

    name: str = Field(max_length=256)


class DeviceCode(BaseModel):
    """A one-time code for one more device of mine, told once, and the link to the page for it."""

    enrolment_code: str
    link: str
    expires_at: str


class UserCodeChange(StrictBody):
    """The code that I want of agents from now on, signed; null for none any more."""

    code: str | None = Field(max_length=256)
    statement: str = Field(max_length=8_192)


class UserCode(BaseModel):
    """Whether agents that take user codes need mine."""

    set: bool


class PasswordChange(StrictBody):
    """The password with which I sign in to apps from now on, signed."""

    password: str = Field(max_length=1_024)
    statement: str = Field(max_length=8_192)


class PasswordState(BaseModel):
    """Whether I can sign in to apps."""

    set: bool


class PasswordChanged(PasswordState):
    """How many browsers were signed out with the old one."""

    sign_ins_ended: int


class Named(BaseModel):
    """Something with an id and a name."""

    id: str
    name: str


class User(BaseModel):
    """A person."""

    id: str
    name: str
    email: str | None
    roles: list[str]


class Pin(BaseModel):
    """How often the PIN was tried without success since the last approval."""

    tries: int
    left: int
    locked: bool
    exhausted: bool


class Device(BaseModel):
    """A device that a person decides from."""

    id: str
    name: str
    kind: str
    state: Literal["active", "revoked"]
    created_at: str
    last_seen_at: str | None
    high_from: str
    this: bool
    keys: dict[str, str]
    pin: Pin
    nonce: str | None


class Me(BaseModel):
    """Who is calling, and from which device."""

    user: User
    device: Device | None
    server_time: str


class Devices(BaseModel):
    """A person's devices."""

    items: list[Device]


class PinAnswered(BaseModel):
    """The server's half of a PIN."""

    y: str
    nonce: str
    tries: int
    left: int


class PinConfirmed(BaseModel):
    """The tries start again."""

    tries: int


class Approval(BaseModel):
    """One request for a human answer. `action` and `display` are hashed as they are."""

    id: str
    kind: Literal["action", "consent", "device", "app_device", "app_action", "standing_grant"]
    state: Literal["pending", "approved", "denied", "expired", "cancelled", "redeemed"]
    reason: str | None
    risk: Literal["low", "medium", "high", "critical"]
    ceremony: str
    agent: Named
    action: str
    display: str
    action_digest: str
    display_digest: str
    created_at: str
    expires_at: str
    over_at: str | None
    held_back: bool
    supersedes: superseding_wire.Superseded | None
    decided: answer_wire.Decided | None
    decided_by: decider_wire.DecidedBy | None = None
    granted: narrowing_wire.Granted | None = None
    extensions_left: int | None
    retry: Literal["possible", "asked"] | None
    execution: outcome_wire.ToldExecution | None = None
    nonce: str | None = None
    together: together_wire.Together | None = None
    tries_left: dict[str, int] | None = None
    devices: list[delivery_wire.DeliveredTo] | None = None
    unusual: unusual_wire.UnusualNow | None = None


class Approvals(BaseModel):
    """A part of a list of approvals."""

    items: list[Approval]
    next: str | None
    feed_cursor: int
    server_time: str


class Problem(BaseModel):
    """RFC 9457: what went wrong, with a stable code."""

    type: str
    title: str
    status: int
    detail: str
    code: str


class OAuthError(BaseModel):
    """RFC 6749 5.2."""

    error: str
    error_description: str


def read(kind: type[Model], body: bytes) -> Model:
    """The body as this model. Raises errors.Problem 422 that names the member."""
    try:
        value = json_text.parse(body)
    except errors.InvalidRequest as error:
        raise errors.Problem(422, "invalid_body", error.description) from error
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ("/" + "/".join(str(part) for part in first["loc"]))[:_SHOWN_PLACE]
        member = {"member": str(first["loc"][0])[:_SHOWN_PLACE]} if first["loc"] else {}
        said = f"{where}: {first['msg']}"
        raise errors.Problem(422, "invalid_body", said, members=member) from error


def user(record: UserRecord) -> User:
    """A person as JSON."""
    return User(id=record.id, name=record.name, email=record.email, roles=list(record.roles))


def device(record: DeviceRecord, *, this: bool, nonce: str | None) -> Device:
    """A device as JSON."""
    seen = record.last_seen_at
    return Device(
        id=record.id,
        name=record.name,
        kind=record.kind,
        state=record.state,
        created_at=rfc3339(record.created_at),
        last_seen_at=None if seen is None else rfc3339(seen),
        high_from=rfc3339(record.high_from),
        this=this,
        keys=dict(record.kids),
        pin=pin(record),
        nonce=nonce,
    )


def pin(record: DeviceRecord) -> Pin:
    """How a device's PIN stands, as JSON."""
    return Pin(
        tries=record.pin_tries,
        left=max(0, MOST_TRIES - record.pin_tries),
        locked=record.pin_tries >= MOST_TRIES,
        exhausted=record.pin_unconfirmed >= MOST_UNCONFIRMED,
    )


def pin_answered(answer: PinAnswer) -> PinAnswered:
    """The server's half of a PIN as JSON."""
    y = base64url.encode(answer.y)
    left = max(0, MOST_TRIES - answer.tries)
    return PinAnswered(y=y, nonce=answer.nonce, tries=answer.tries, left=left)


def approval(shown: Shown) -> Approval:
    """An approval as JSON."""
    record = shown.approval
    return Approval(
        id=record.id,
        kind=record.kind,
        state=str(record.state),  # type: ignore[arg-type]  # the states are these words
        reason=record.reason,
        risk=str(record.risk),  # type: ignore[arg-type]  # the risks are these words
        ceremony=record.ceremony,
        agent=Named(id=record.agent_id, name=shown.agent_name),
        action=record.action,
        display=record.display,
        action_digest=record.action_digest,
        display_digest=record.display_digest,
        created_at=rfc3339(record.created_at),
        expires_at=rfc3339(record.expires_at),
        over_at=None if record.decided_at is None else rfc3339(record.decided_at),
        held_back=shown.held_back,
        supersedes=superseding_wire.superseded(shown.supersedes),
        decided=answer_wire.decided(shown),
        decided_by=decider_wire.decided_by(record),
        granted=narrowing_wire.granted(record),
        extensions_left=extensions.left(record),
        retry=retries.standing(record),
        execution=outcome_wire.execution(shown.execution),
        nonce=shown.nonce,
        together=together_wire.together(shown.tally),
        tries_left=_tries(shown),
        devices=delivery_wire.devices(shown.deliveries),
        unusual=unusual_wire.unusual_now(shown.unusual),
    )


def _tries(shown: Shown) -> dict[str, int] | None:
    left = shown.tries_left
    return None if left is None else {str(step): count for step, count in left.items()}


def approvals(page: Page) -> Approvals:
    """A part of a list as JSON; `next` is opaque."""
    following = None if page.next is None else f"{page.next[0]}.{page.next[1]}"
    return Approvals(
        items=[approval(item) for item in page.items],
        next=following,
        feed_cursor=page.feed_cursor,
        server_time=rfc3339(page.now),
    )


def read_cursor(text: str | None) -> tuple[int, str] | None:
    """Where a list goes on. Raises errors.Problem 422."""
    if not text:
        return None
    if not _CURSOR.fullmatch(text):
        raise errors.Problem(422, "invalid_body", "cursor must be the `next` of an earlier answer.")
    moment, _, last = text.partition(".")
    return int(moment), last


def event(happening: Happening) -> dict[str, object]:
    """A feed event as a JSON frame."""
    frame: dict[str, object] = {
        "type": "event",
        "seq": happening.event.seq,
        "event": happening.event.event,
        "at": rfc3339(happening.event.at),
        "held": happening.event.held,
    }
    if happening.approval is not None:
        frame["approval"] = approval(happening.approval).model_dump(exclude={"nonce", "devices"})
    if happening.device is not None:
        frame["device"] = device(happening.device, this=False, nonce=None).model_dump()
    if happening.agent is not None:
        frame["agent"] = {"id": happening.event.agent_id, "name": happening.agent}
    if happening.event.incident_id is not None:
        frame["incident"] = happening.event.incident_id
    return frame
