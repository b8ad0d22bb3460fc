"""App actions: an app asks its user to approve `authorization_details` once (RFC 9396).

One approval allows one token and does not store a consent. If an app requests only scopes, the user
gives a consent instead, which `consents` handles.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from server.model.approval_requests import Display, NewApproval
from server.model.approvals import Approval
from server.model.clients import App
from server.model.consents import PageOutcome
from server.model.ports import Secrets
from server.model.store import Unit, View
from server.model.users import User
from server.protocol import errors
from server.protocol.approvals import ceremonies, kinds
from server.protocol.approvals.ceremonies import Ceremony
from server.protocol.approvals.states import State
from server.protocol.json_text import JsonValue
from server.protocol.policy.questions import Approvals, Requirements, Verdict
from server.protocol.policy.risks import Risk
from server.protocol.text import display_safe
from server.services.approvals.creation import create_approval
from server.services.audit import audit
from server.services.consents.offers import page_outcome
from server.services.notifications import request_limits
from server.services.policy import displays
from server.services.policy.displays import DisplayedAction
from server.services.policy.evaluation import Evaluator, PolicyRequest
from server.services.policy.refusals import DeniedByPolicy
from server.services.resources import targets
from server.services.resources.targets import TokenTarget
from server.services.server_policy import ServerPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedAppAction(DisplayedAction):
    """A valid app action with its policy verdict."""

    verdict: Verdict
    requirements: Requirements
    """The requirements for approving it."""

    def can_be_approved_by(self, user: User, risk: Risk, ceremony: Ceremony) -> bool:
        """Return whether this user's approval suffices, at this risk and with this ceremony."""
        return self.requirements.met_by(Approvals(1, risk, ceremony, frozenset({user.id})), user.id)

    @property
    def why(self) -> str:
        """The reason shown to the user."""
        return self.verdict.because if self.verdict.rules else _DEFAULT_REASON


@dataclass(frozen=True, slots=True)
class AppActions:
    """Checks app actions against policy and creates their approval requests."""

    secrets: Secrets
    evaluator: Evaluator
    server_policy: ServerPolicy

    def check(  # the parameters of the app's request
        self,
        view: View,
        app: App,
        resource: str | None,
        scope: tuple[str, ...],
        details: Sequence[Mapping[str, JsonValue]],
        user: User | None = None,
    ) -> CheckedAppAction:
        """Check an app action against registrations and policy. Raises errors.ProtocolError.

        Checks, in order, that: 1. the app may have the scopes; 2. every object matches an action
        type, and every scope that requires one has it; 3. policy lets this user alone approve
        (without a user, rules about users do not match); 4. the request can be displayed in full.
        """
        directory = view.directory
        target = targets.resolve(directory, app, resource, scope)
        actions = self.evaluator.schemas.check(directory, details, app.action_types)
        targets.check_required_types(target, frozenset(action.type for action in actions))
        verdict = self.evaluator.decide(
            view, PolicyRequest("app", app, user, target, details, actions)
        )
        if verdict.outcome == "deny" or verdict.requirements is None:
            raise DeniedByPolicy(verdict)
        if verdict.requirements.quorum > 1:
            raise errors.AccessDenied(
                "This action needs more than one approver, but an app can ask only one person."
            )
        needs = verdict.requirements
        act = CheckedAppAction(
            target=target,
            details=tuple(details),
            actions=actions,
            risk=needs.risk,
            verdict=verdict,
            requirements=needs,
        )
        if user is not None and not act.can_be_approved_by(
            user, act.risk, act.requirements.ceremony
        ):
            # someone else would have to approve, but an app asks only its own user
            raise DeniedByPolicy(verdict)
        displays.action_texts(act)
        return act

    def recheck(self, view: View, app: App, approval: Approval) -> CheckedAppAction | None:
        """Check the app action again under current policy; None if it would be refused."""
        scope, details = tuple(approval.scope.split()), signed_details(approval)
        user = view.directory.user(approval.user_id or "")
        try:
            return self.check(view, app, approval.resource, scope, details, user)
        except errors.ProtocolError:
            return None

    def is_still_allowed(self, view: View, app: App, approval: Approval) -> bool:
        """Return whether the displayed risk and the ceremony still suffice."""
        act, user = self.recheck(view, app, approval), view.directory.user(approval.user_id or "")
        if act is None or user is None:
            return False
        return act.can_be_approved_by(
            user, approval.risk, ceremonies.parse_ceremony(approval.ceremony)
        )

    def ask(self, tx: Unit, app: App, user: User, act: CheckedAppAction, peer: str) -> Approval:
        """Create the approval that the user signs on a device.

        Raises errors.AccessDenied if policy does not allow asking this user, the user has no
        device, or a request limit is reached.
        """
        tx.lock(f"asked {user.id}")
        target = act.target
        act = self.check(tx, app, target.resource.uri, target.scope, act.details, user)
        if tx.devices.active_count(user.id, tx.now) == 0:
            raise errors.AccessDenied("You have no device to answer on. Enroll one first.")
        types = [kinds.APP_ACTION, *(action.type for action in act.actions)]
        refused = request_limits.page_refusal(
            tx, app.id, user, "app_action", types, self.server_policy
        )
        if refused is not None:
            raise errors.AccessDenied(refused[1], detail=refused[0])
        return self._create_approval(tx, app, user, act, peer)

    def outcome(self, view: View, approval_id: str, user_id: str) -> PageOutcome | None:
        """Return the outcome of an approval created by `ask` for this user; None otherwise."""
        approval = view.approvals.get(approval_id)
        if approval is None or (approval.kind, approval.user_id) != ("app_action", user_id):
            return None
        return page_outcome(approval, view.now, approved_state=State.APPROVED)

    def _create_approval(
        self, tx: Unit, app: App, user: User, act: CheckedAppAction, peer: str
    ) -> Approval:
        texts, target = displays.action_texts(act), act.target
        is_first_request = displays.is_first_request(tx, app.id, user.id)
        display = Display(
            kind="app_action",
            risk=act.risk,
            risk_reason=texts.risk_reason,
            title=texts.title,
            headline=texts.headline,
            facts=texts.facts,
            scopes={name: target.resource.scopes[name] for name in target.scope},
            resource=target.resource.uri,
            undo=texts.undo,
            why=act.why,
            gives=self._grant_text(app, target),
            agent=displays.agent_member(app.id, app.name, (), first_request=is_first_request),
            user=user,
            peer=peer,
        )
        return create_approval(
            tx,
            NewApproval(
                client_id=app.id,
                scope=target.scope,
                details=kinds.app_action_details(act.details),
                actor=audit.by_user(user.id),
                display=display,
                ceremony=act.requirements.ceremony,
                no_later_than=tx.now + act.requirements.seconds * 1000,
                policy=act.verdict.facts(),
            ),
            secrets=self.secrets,
            server_policy=self.server_policy,
        )

    def _grant_text(self, app: App, target: TokenTarget) -> str:
        seconds = target.resource.token_seconds or self.server_policy.access_token_seconds
        scope = ", ".join(target.scope) or "no scope"
        return display_safe(
            f"The app {display_safe(app.name)} gets one access token for {target.resource.uri}, "
            f"valid {displays.duration_text(seconds)}, with {scope}, for this action. "
            "No refresh token.",
            max_chars=2_000,
        )


def signed_details(approval: Approval) -> tuple[Mapping[str, JsonValue], ...]:
    """Return the details that the user signed, in the form that tokens contain."""
    return kinds.resource_details(json.loads(approval.details))


_DEFAULT_REASON: Final = "An app asks for your signature each time it takes an action."
