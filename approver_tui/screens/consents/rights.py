"""The Rights page: consents, standing grants and active tokens.

Owns: revoking a consent, a standing grant or a token. Never: creating one, which requires an
approval.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, TypeAlias

from textual.binding import BindingType

from approver_tui.screens.confirm import ConfirmAction
from approver_tui.screens.page import Page, PageAction, action_bindings
from approver_tui.state.consents.consents import Consent, ConsentState
from approver_tui.state.notifications.events import EventName
from approver_tui.state.standing_grants.standing_grants import StandingGrant
from approver_tui.state.text import SafeText, pluralize
from approver_tui.state.tokens.delegations import Delegation
from approver_tui.widgets.consents.rights import (
    consent_entry,
    consent_lines,
    token_entry,
    token_lines,
)
from approver_tui.widgets.entry_list import Section
from approver_tui.widgets.lines import Line, fmt
from approver_tui.widgets.standing_grants.standing_grants import grant_entry, grant_lines

HeldRight: TypeAlias = Consent | StandingGrant | Delegation


@dataclass(frozen=True, slots=True)
class HeldAccess:
    """The consents, standing grants and tokens of the user."""

    consents: tuple[Consent, ...]
    grants: tuple[StandingGrant, ...]
    tokens: tuple[Delegation, ...]

    @property
    def rights(self) -> tuple[HeldRight, ...]:
        """All consents, standing grants and tokens, in this order."""
        return (*self.consents, *self.grants, *self.tokens)


class RightsPage(Page[HeldAccess, HeldRight]):
    """The page with consents, then standing grants, then tokens."""

    NAME = "Access"
    EVENTS = frozenset({EventName.GRANT_GIVEN, EventName.GRANT_ENDED, EventName.REDEEMED})

    def fetch(self) -> HeldAccess:
        """Fetch consents, standing grants and tokens."""
        server = self.context.server
        return HeldAccess(
            server.consents(), self.context.grants_client.grants(), server.delegations()
        )

    def sections(self, access: HeldAccess) -> Sequence[Section]:
        """Return one section for each of the three lists."""
        now = self.context.now()
        consents = tuple(consent_entry(consent, now) for consent in access.consents)
        grants = tuple(grant_entry(grant, now) for grant in access.grants)
        tokens = tuple(token_entry(token, now) for token in access.tokens)
        key = self.context.keys.key("standing_grant")
        return (
            Section(
                fmt("CONSENTS ({})", len(consents)),
                consents,
                heading_note=fmt("act without asking"),
                empty=fmt("No consents."),
            ),
            Section(
                fmt("STANDING GRANTS ({})", len(grants)),
                grants,
                empty=fmt("No standing grants. Press {} on a request to create one.", key),
            ),
            Section(
                fmt("TOKENS ({})", len(tokens)),
                tokens,
                heading_note=fmt("active now"),
                empty=fmt("No agent acts for you."),
            ),
        )

    def items(self, access: HeldAccess) -> tuple[HeldRight, ...]:
        """Return all consents, standing grants and tokens."""
        return access.rights

    def revoke_consent(self, consent: Consent, _typed: str) -> SafeText:
        """Revoke a consent. Runs in a thread."""
        _, tokens = self.context.server.revoke_consent(consent.id)
        return fmt("Revoked: {}. {} also ended.", consent.client_name, pluralize(tokens, "token"))

    def revoke_grant(self, grant: StandingGrant, _typed: str) -> SafeText:
        """Revoke a standing grant. Runs in a thread."""
        self.context.grants_client.revoke(grant.id)
        return fmt("Revoked: {} asks again each time.", grant.agent_name)

    def revoke_token(self, token: Delegation, _typed: str) -> SafeText:
        """Revoke a token. Runs in a thread."""
        ended_count = self.context.server.revoke_delegation(token.id)
        return fmt("Revoked: {}. {} ended.", token.client.name, pluralize(ended_count, "token"))

    def _revoke_blocker(self, right: HeldRight) -> SafeText:
        if isinstance(right, Consent) and right.state is not ConsentState.LIVE:
            return fmt("it has ended.")
        return self.change_blocker()

    @partial(
        PageAction, "revoke", "revoke the consent, the standing grant or the token", _revoke_blocker
    )
    def _revoke_action(self, right: HeldRight) -> ConfirmAction:
        if isinstance(right, StandingGrant):
            title, do = fmt("Revoke the standing grant?"), partial(self.revoke_grant, right)
            words = fmt(
                "{} will ask you each time. This does not undo what it already did.",
                right.agent_name,
            )
        elif isinstance(right, Consent):
            title, do = fmt("Revoke the consent?"), partial(self.revoke_consent, right)
            words = fmt(
                "{} can no longer use {} at {} without asking. Every token issued from it ends.",
                right.client_name,
                SafeText(", ".join(right.scopes)),
                right.resource,
            )
        else:
            title, do = fmt("Revoke the token?"), partial(self.revoke_token, right)
            words = fmt(
                "{} can no longer act for you at {} with this token or tokens derived from it. It "
                "can get a new token if you allow it.",
                right.client.name,
                right.resource,
            )
        return ConfirmAction(title, fmt("Revoke"), (words,), do)

    def lines(self, item: HeldRight, width: int) -> list[Line]:
        """Return the details of a consent, a standing grant or a token."""
        view = self.context.view(width)
        if isinstance(item, StandingGrant):
            return grant_lines(item, view)
        return consent_lines(item, view) if isinstance(item, Consent) else token_lines(item, view)

    ACTIONS = (_revoke_action,)
    BINDINGS: ClassVar[list[BindingType]] = action_bindings(*ACTIONS)
