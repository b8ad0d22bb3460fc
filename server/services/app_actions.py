"""What an app asks a person to let it do once (RFC 9396): judged, shown, signed on a device.

No consent is remembered for it: one approval, one token. An app's request for scopes alone is a
consent, and has no place here.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from server.protocol import errors, kinds
from server.protocol.actions import ActionType
from server.protocol.json_text import JsonValue
from server.protocol.risks import Risk, highest
from server.protocol.states import State, overdue
from server.protocol.text import display_safe
from server.services import audit, caps, displays, targets
from server.services.consents import Outcome
from server.services.displays import Display
from server.services.openings import Opening, open_approval
from server.services.ports import Directory, Secrets, Unit, View
from server.services.records import App, Approval, User
from server.services.rules import Rules
from server.services.schemas import Schemas
from server.services.targets import Target


@dataclass(frozen=True, slots=True)
class AppAct:
    """A request with details that is in order."""

    target: Target
    details: tuple[Mapping[str, JsonValue], ...]
    actions: tuple[ActionType, ...]

    @property
    def risk(self) -> Risk:
        """The highest risk of scopes and types."""
        return highest([self.target.risk, *(action.risk for action in self.actions)])


@dataclass(frozen=True, slots=True)
class AppActions:
    """Judges what apps ask for, and asks the person."""

    secrets: Secrets
    schemas: Schemas
    rules: Rules

    def act(
        self,
        directory: Directory,
        app: App,
        resource: str | None,
        scope: tuple[str, ...],
        details: Sequence[Mapping[str, JsonValue]],
    ) -> AppAct:
        """What the app asks for, by what is registered now. Raises errors.ProtocolError.

        1. The scopes lie within its ceiling.  2. Every object fits a type, and every scope that
        needs one has it.  3. One person is enough.  4. It can be shown whole.
        """
        target = targets.resolve(directory, app, resource, scope)
        actions = self.schemas.check(directory, details, app.action_types)
        targets.check_required_types(target, frozenset(action.type for action in actions))
        act = AppAct(target, tuple(details), actions)
        if act.risk is Risk.CRITICAL:
            raise errors.AccessDenied("Critical requests need two people.")
        displays.words(act)
        return act

    def again(self, directory: Directory, app: App, approval: Approval) -> AppAct | None:
        """The same request by what is registered today; None when it would be refused."""
        scope, details = tuple(approval.scope.split()), granted(approval)
        try:
            return self.act(directory, app, approval.resource, scope, details)
        except errors.ProtocolError:
            return None

    def ask(self, tx: Unit, app: App, user: User, act: AppAct, peer: str) -> Approval:
        """Open the approval that the person signs on a device of theirs.

        Raises errors.AccessDenied: there is no device to ask, or too much is asked already.
        """
        tx.queue(f"asked {user.id}")
        if tx.devices.active_count(user.id, tx.now) == 0:
            raise errors.AccessDenied("You have no device to answer on. Enrol one first.")
        types = [kinds.APP_ACTION, *(action.type for action in act.actions)]
        refused = caps.page_refusal(tx, app.id, user, "app_action", types, self.rules)
        if refused is not None:
            raise errors.AccessDenied(refused[1], detail=refused[0])
        return self._open(tx, app, user, act, peer)

    def outcome(self, view: View, approval_id: str, user_id: str) -> Outcome | None:
        """How an approval that `ask` opened for this user stands; None for one of another kind."""
        approval = view.approvals.get(approval_id)
        if approval is None or (approval.kind, approval.user_id) != ("app_action", user_id):
            return None
        if overdue(approval.state, approval.expires_at, view.now):
            return "over"
        return _OUTCOMES.get(approval.state, "over")

    def _open(self, tx: Unit, app: App, user: User, act: AppAct, peer: str) -> Approval:
        first = not tx.approvals.asked_before(app.id, user.id)

        def display(approval_id: str, expires_at: int) -> str:
            words, target = displays.words(act), act.target
            return displays.written(
                Display(
                    approval_id=approval_id,
                    kind="app_action",
                    risk=act.risk,
                    risk_reason=words.risk_reason,
                    title=words.title,
                    headline=words.headline,
                    facts=words.facts,
                    scopes={name: target.resource.scopes[name] for name in target.scope},
                    resource=target.resource.uri,
                    unusual=None,
                    undo=words.undo,
                    why="What an app does once is asked for each time, and takes your signature.",
                    gives=self._gives(app, target),
                    agent=displays.asker(app.id, app.name, (), first_request=first),
                    agent_says=None,
                    user=user,
                    peer=peer,
                    asked_at=tx.now,
                    expires_at=expires_at,
                )
            )

        return open_approval(
            tx,
            self.secrets,
            Opening(
                kind="app_action",
                client_id=app.id,
                user_id=user.id,
                phantom=False,
                resource=act.target.resource.uri,
                scope=act.target.scope,
                details=kinds.app_action_details(act.details),
                risk=act.risk,
                actor=audit.by_user(user.id),
                peer=peer,
                display=display,
            ),
        )

    def _gives(self, app: App, target: Target) -> str:
        seconds = target.resource.token_seconds or self.rules.access_token_seconds
        scope = ", ".join(target.scope) or "no scope"
        return display_safe(
            f"The app {display_safe(app.name)} gets one access token for {target.resource.uri}, "
            f"valid {displays.lasting(seconds)}, with {scope}, for exactly this action. "
            "No refresh token.",
            max_chars=2_000,
        )


def granted(approval: Approval) -> tuple[Mapping[str, JsonValue], ...]:
    """The details that the person signed, as tokens have them."""
    return kinds.granted(json.loads(approval.details))


_OUTCOMES: Final[dict[State, Outcome]] = {
    State.PENDING: "waiting",
    State.APPROVED: "given",
    State.DENIED: "denied",
}
