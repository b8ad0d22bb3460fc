"""What an app asks a person to let it do once (RFC 9396): judged, shown, signed on a device.

No consent is remembered for it: one approval, one token. An app's request for scopes alone is a
consent, and has no place here.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from server.model.approval_requests import Opening
from server.model.approvals import Approval
from server.model.clients import App
from server.model.consents import PageOutcome
from server.model.ports import Secrets
from server.model.store import Unit, View
from server.model.users import User
from server.protocol import errors
from server.protocol.approvals import ceremonies, kinds
from server.protocol.approvals.ceremonies import Ceremony
from server.protocol.approvals.states import State, overdue
from server.protocol.json_text import JsonValue
from server.protocol.policy.action_types import ActionType
from server.protocol.policy.questions import Approvals, Requirements, Verdict
from server.protocol.policy.risks import Risk
from server.protocol.text import display_safe
from server.services.approvals.creation import open_approval
from server.services.audit import audit
from server.services.notifications import request_limits
from server.services.policy import displays
from server.services.policy.displays import Display
from server.services.policy.judging import Judge, JudgedRequest
from server.services.policy.refusals import Forbidden
from server.services.policy.schemas import Schemas
from server.services.resources import targets
from server.services.resources.targets import TokenTarget
from server.services.server_policy import ServerPolicy


@dataclass(frozen=True, slots=True)
class AppAct:
    """A request with details that is in order."""

    target: TokenTarget
    details: tuple[Mapping[str, JsonValue], ...]
    actions: tuple[ActionType, ...]
    verdict: Verdict
    needs: Requirements
    """What the person's yes takes."""

    @property
    def risk(self) -> Risk:
        """At which level it is shown."""
        return self.needs.risk

    def answered_by(self, user: User, risk: Risk, ceremony: Ceremony) -> bool:
        """Reports whether this person's yes is enough, given at this level in this way."""
        return self.needs.met_by(Approvals(1, risk, ceremony, frozenset({user.id})), user.id)

    @property
    def why(self) -> str:
        """Why the person is asked."""
        return self.verdict.because if self.verdict.rules else _ALWAYS


@dataclass(frozen=True, slots=True)
class AppActions:
    """Judges what apps ask for, and asks the person."""

    secrets: Secrets
    schemas: Schemas
    judge: Judge
    rules: ServerPolicy

    def act(  # what an app asks for, and of whom
        self,
        view: View,
        app: App,
        resource: str | None,
        scope: tuple[str, ...],
        details: Sequence[Mapping[str, JsonValue]],
        user: User | None = None,
    ) -> AppAct:
        """What the app asks for, by what is registered now. Raises errors.ProtocolError.

        1. The scopes lie within its ceiling.  2. Every object fits a type, and every scope that
        needs one has it.  3. Policy lets this person be asked, and one is enough; before anybody is
        signed in it is asked as about somebody whom no rule names.  4. It can be shown whole.
        """
        directory = view.directory
        target = targets.resolve(directory, app, resource, scope)
        actions = self.schemas.check(directory, details, app.action_types)
        targets.check_required_types(target, frozenset(action.type for action in actions))
        verdict = self.judge.decide(view, JudgedRequest("app", app, user, target, details, actions))
        if verdict.outcome == "deny" or verdict.needs is None:
            raise Forbidden(verdict)
        if verdict.needs.quorum > 1:
            raise errors.AccessDenied("This needs more than one person, and an app asks one.")
        act = AppAct(target, tuple(details), actions, verdict, verdict.needs)
        if user is not None and not act.answered_by(user, act.risk, act.needs.ceremony):
            raise Forbidden(verdict)  # somebody else would have to answer, and an app asks nobody
        displays.words(act)
        return act

    def again(self, view: View, app: App, approval: Approval) -> AppAct | None:
        """The same request by what is registered today; None when it would be refused."""
        scope, details = tuple(approval.scope.split()), granted(approval)
        user = view.directory.user(approval.user_id or "")
        try:
            return self.act(view, app, approval.resource, scope, details, user)
        except errors.ProtocolError:
            return None

    def stands(self, view: View, app: App, approval: Approval) -> bool:
        """Reports whether what the person was shown, and how they answer, is enough today."""
        act, user = self.again(view, app, approval), view.directory.user(approval.user_id or "")
        if act is None or user is None:
            return False
        return act.answered_by(user, approval.risk, ceremonies.read(approval.ceremony))

    def ask(self, tx: Unit, app: App, user: User, act: AppAct, peer: str) -> Approval:
        """Open the approval that the person signs on a device of theirs.

        Raises errors.AccessDenied: policy does not let this person be asked, there is no device to
        ask, or too much is asked already.
        """
        tx.lock(f"asked {user.id}")
        target = act.target
        act = self.act(tx, app, target.resource.uri, target.scope, act.details, user)
        if tx.devices.active_count(user.id, tx.now) == 0:
            raise errors.AccessDenied("You have no device to answer on. Enrol one first.")
        types = [kinds.APP_ACTION, *(action.type for action in act.actions)]
        refused = request_limits.page_refusal(tx, app.id, user, "app_action", types, self.rules)
        if refused is not None:
            raise errors.AccessDenied(refused[1], detail=refused[0])
        return self._open(tx, app, user, act, peer)

    def outcome(self, view: View, approval_id: str, user_id: str) -> PageOutcome | None:
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
                    why=f"{act.why} This one is {act.risk} risk." if act.verdict.rules else act.why,
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
            Opening(
                kind="app_action",
                client_id=app.id,
                user_id=user.id,
                phantom=False,
                resource=act.target.resource.uri,
                scope=act.target.scope,
                details=kinds.app_action_details(act.details),
                risk=act.risk,
                ceremony=act.needs.ceremony,
                no_later_than=tx.now + act.needs.seconds * 1000,
                policy=act.verdict.facts(),
                actor=audit.by_user(user.id),
                peer=peer,
                display=display,
            ),
            secrets=self.secrets,
            rules=self.rules,
        )

    def _gives(self, app: App, target: TokenTarget) -> str:
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


_ALWAYS: Final = "What an app does once is asked for each time, and takes your signature."
_OUTCOMES: Final[dict[State, PageOutcome]] = {
    State.PENDING: "waiting",
    State.APPROVED: "given",
    State.DENIED: "denied",
}
