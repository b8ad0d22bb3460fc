"""The page with consents, standing grants and active tokens.

Owns: revoking a consent or a grant, ending a token. Never: creates one; that is an approval.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, TypeAlias

from textual.binding import Binding, BindingType

from approver_tui.screens.confirm import ConfirmAction
from approver_tui.screens.keys import Rows, hint, texts
from approver_tui.screens.page import Page
from approver_tui.state.consents.consents import Consent, ConsentState
from approver_tui.state.standing_grants.standing_grants import StandingGrant
from approver_tui.state.text import SafeText
from approver_tui.state.tokens.delegations import Delegation
from approver_tui.widgets.consents.rights import (
    consent_entry,
    consent_lines,
    token_entry,
    token_lines,
    tokens_count,
)
from approver_tui.widgets.entry_list import Section
from approver_tui.widgets.entry_sheet import Make
from approver_tui.widgets.key_bar import Hint
from approver_tui.widgets.lines import Line, say
from approver_tui.widgets.standing_grants.standing_grants import grant_entry, grant_lines

Right: TypeAlias = Consent | StandingGrant | Delegation


@dataclass(frozen=True, slots=True)
class HeldAccess:
    """Everything that was fetched."""

    consents: tuple[Consent, ...]
    grants: tuple[StandingGrant, ...]
    tokens: tuple[Delegation, ...]

    def find(self, entry_id: str | None) -> Right | None:
        """Return the entry with that ID."""
        every: list[Right] = [*self.consents, *self.grants, *self.tokens]
        return next((each for each in every if each.id == entry_id), None)


class RightsPage(Page[HeldAccess]):
    """Consents, standing grants, then tokens."""

    NAME = "Rights"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("z", "end", id="revoke", show=False)]

    def fetch(self) -> HeldAccess:
        """Fetch all three."""
        server = self.context.server
        return HeldAccess(
            server.consents(), self.context.grants_client.grants(), server.delegations()
        )

    def sections(self, found: HeldAccess) -> Sequence[Section]:
        """Return the three lists."""
        now = self.context.now()
        consents = tuple(consent_entry(each, now) for each in found.consents)
        grants = tuple(grant_entry(each, now) for each in found.grants)
        tokens = tuple(token_entry(each, now) for each in found.tokens)
        key = self.context.keys.key("similar")
        return (
            Section(
                say("CONSENTS ({})", len(consents)),
                consents,
                beside=say("act without asking"),
                empty=say("No consents."),
            ),
            Section(
                say("STANDING GRANTS ({})", len(grants)),
                grants,
                empty=say("No standing grants. Press {} on a request to create one.", key),
            ),
            Section(
                say("TOKENS ({})", len(tokens)),
                tokens,
                beside=say("in force now"),
                empty=say("No agent acts for you."),
            ),
        )

    def in_full(self, found: HeldAccess, entry_id: str) -> tuple[Make, object] | None:
        """Return one in full."""
        one = found.find(entry_id)
        return None if one is None else (partial(self._lines, one), (entry_id, one))

    def keys(self) -> tuple[Hint, ...]:
        """Return the keys of the page."""
        return (hint("z", "Revoke..", is_off=bool(self._why_off())),)

    def help(self) -> Rows:
        """Return the help of the page."""
        return texts(("z", "revoke the consent or the standing grant, or end the token"))

    def action_end(self) -> None:
        """Confirm before ending it."""
        one = self._current
        if reason := self._why_off():
            self.say(say("Revoke unavailable: {}", reason))
        elif one is not None:
            self.ask(_deed_of(one, self))

    def revoke_consent(self, consent: Consent, _pin: str) -> SafeText:
        """Runs in a thread."""
        _, tokens = self.context.server.revoke_consent(consent.id)
        return say("Revoked: {}. {} ended with it.", consent.client_name, tokens_count(tokens))

    def revoke_grant(self, grant: StandingGrant, _pin: str) -> SafeText:
        """Runs in a thread."""
        self.context.grants_client.revoke(grant.id)
        return say("Revoked: {} asks again each time.", grant.agent_name)

    def revoke_token(self, token: Delegation, _pin: str) -> SafeText:
        """Runs in a thread."""
        ended = self.context.server.revoke_delegation(token.id)
        return say("Revoked: {}. {} ended.", token.client.name, tokens_count(ended))

    def _why_off(self) -> SafeText:
        one = self._current
        if one is None:
            return say("nothing is selected.")
        if isinstance(one, Consent) and one.state is not ConsentState.LIVE:
            return say("it has ended.")
        return self.why_nothing_ends()

    @property
    def _current(self) -> Right | None:
        return None if self.found is None else self.found.find(self.cursor)

    def _lines(self, one: Right, width: int) -> list[Line]:
        view = self.context.view(width)
        if isinstance(one, StandingGrant):
            return grant_lines(one, view)
        return consent_lines(one, view) if isinstance(one, Consent) else token_lines(one, view)


def _deed_of(one: Right, page: RightsPage) -> ConfirmAction:
    if isinstance(one, StandingGrant):
        words = say("{} will ask you each time. What it already did stays done.", one.agent_name)
        title = say("Revoke the standing grant?")
        return ConfirmAction(title, say("Revoke"), (words,), partial(page.revoke_grant, one))
    if isinstance(one, Consent):
        words = say(
            "{} can no longer use {} at {} without asking. Every token issued from this ends.",
            one.client_name,
            SafeText(", ".join(one.scopes)),
            one.resource,
        )
        title = say("Revoke the consent?")
        return ConfirmAction(title, say("Revoke"), (words,), partial(page.revoke_consent, one))
    words = say(
        "{} can no longer act for you at {} with this token or tokens derived from it. It can get "
        "another one where you let it.",
        one.client.name,
        one.resource,
    )
    return ConfirmAction(
        say("End the token?"), say("Revoke"), (words,), partial(page.revoke_token, one)
    )
